package validate

// gitopsUses are the references of Flux and of the Gateway API, cert-manager and
// External Secrets, which most GitOps repositories have beside it.
func gitopsUses() []use {
	const sources = "GitRepository.source.toolkit.fluxcd.io OCIRepository.source.toolkit.fluxcd.io " +
		"HelmRepository.source.toolkit.fluxcd.io Bucket.source.toolkit.fluxcd.io ImageRepository.image.toolkit.fluxcd.io " +
		"Provider.notification.toolkit.fluxcd.io Receiver.notification.toolkit.fluxcd.io"
	const flux = "Kustomization.kustomize.toolkit.fluxcd.io"
	const release = "HelmRelease.helm.toolkit.fluxcd.io"
	const issuers = "Issuer.cert-manager.io ClusterIssuer.cert-manager.io"
	const stores = "SecretStore.external-secrets.io ClusterSecretStore.external-secrets.io"
	either := form{to: kindConfigMap, kind: "kind", name: "name"}
	values := form{to: kindConfigMap, kind: "kind", name: "name", key: "valuesKey", fallback: "values.yaml"}
	provider := form{to: kindSecret, kind: "type", name: "name", key: "key", namespace: "namespace"}
	return []use{
		{sources, "spec/secretRef|certSecretRef|proxySecretRef", named(kindSecret)},
		{sources + " HelmChart.source.toolkit.fluxcd.io", "spec/verify/secretRef", named(kindSecret)},
		{flux, "spec/decryption/secretRef", named(kindSecret).as(likely)},
		{flux, "spec/postBuild/substituteFrom/*", either},
		{flux + " " + release, "spec/kubeConfig/secretRef", keyed(kindSecret)},
		{release, "spec/valuesFrom/*", values},
		{release, "spec/chart/spec/verify/secretRef", named(kindSecret)},
		{release, "spec/values/**/envFrom/*/secretRef", named(kindSecret).as(likely)},
		{release, "spec/values/**/envFrom/*/configMapRef", named(kindConfigMap).as(likely)},
		{release, "spec/values/**/valueFrom/secretKeyRef", keyed(kindSecret).as(likely)},
		{release, "spec/values/**/valueFrom/configMapKeyRef", keyed(kindConfigMap).as(likely)},
		{release, "spec/values/**/existingSecret", text(kindSecret).as(likely)},
		{"Gateway.gateway.networking.k8s.io", "spec/listeners/*/tls/certificateRefs/*",
			form{to: kindSecret, kind: "kind", name: "name", namespace: "namespace", keys: []string{"tls.crt", "tls.key"}}},
		{issuers, "spec/ca", field(kindSecret, "secretName").with("tls.crt", "tls.key")},
		{issuers, "spec/acme/externalAccountBinding/keySecretRef", keyed(kindSecret)},
		{issuers, "spec/acme/solvers/*/dns01/*/*SecretRef", keyed(kindSecret)},
		{issuers, "spec/vault/**/*SecretRef|secretRef", keyed(kindSecret)},
		{issuers, "spec/venafi/tpp/credentialsRef", named(kindSecret)},
		{issuers, "spec/venafi/cloud/apiTokenSecretRef", keyed(kindSecret)},
		{"Certificate.cert-manager.io", "spec/keystores/*/passwordSecretRef", keyed(kindSecret)},
		{stores, "spec/provider/**/*SecretRef", keyed(kindSecret).from("namespace")},
		{stores, "spec/provider/**/secretRef/*", keyed(kindSecret).from("namespace")},
		{stores, "spec/provider/**/caProvider", provider},
		{"ExternalSecret.external-secrets.io", "spec/target/template/templateFrom/*/configMap", form{to: kindConfigMap, name: "name", items: "items"}},
		{"ExternalSecret.external-secrets.io", "spec/target/template/templateFrom/*/secret", form{to: kindSecret, name: "name", items: "items"}},
		{"PushSecret.external-secrets.io", "spec/selector/secret", named(kindSecret)},
	}
}

// operatorUses are the references of custom resources of widespread operators.
func operatorUses() []use {
	const monitors = "ServiceMonitor.monitoring.coreos.com PodMonitor.monitoring.coreos.com Probe.monitoring.coreos.com " +
		"ScrapeConfig.monitoring.coreos.com Prometheus.monitoring.coreos.com AlertmanagerConfig.monitoring.coreos.com " +
		"Alertmanager.monitoring.coreos.com"
	const grafana = "GrafanaDashboard.grafana.integreatly.org GrafanaDashboard.integreatly.org"
	const build = "BuildConfig.build.openshift.io"
	const oauth = "OAuth.config.openshift.io"
	return []use{
		{monitors, "spec/**/basicAuth/username|password", keyed(kindSecret)},
		{monitors, "spec/**/*Secret|credentials|secret", keyed(kindSecret)},
		{monitors, "spec/**/tlsConfig/ca|cert/configMap", keyed(kindConfigMap)},
		{"Prometheus.monitoring.coreos.com Alertmanager.monitoring.coreos.com", "spec/secrets/*", text(kindSecret)},
		{"Prometheus.monitoring.coreos.com Alertmanager.monitoring.coreos.com", "spec/configMaps/*", text(kindConfigMap)},
		{grafana, "spec/configMapRef", keyed(kindConfigMap)},
		{"GrafanaDatasource.grafana.integreatly.org", "spec/valuesFrom/*/valueFrom/secretKeyRef", keyed(kindSecret)},
		{"GrafanaDatasource.grafana.integreatly.org", "spec/valuesFrom/*/valueFrom/configMapKeyRef", keyed(kindConfigMap)},
		{"Grafana.integreatly.org", "spec/deployment/envFrom/*/secretRef", named(kindSecret)},
		{"Grafana.integreatly.org", "spec/deployment/envFrom/*/configMapRef", named(kindConfigMap)},
		{"Grafana.integreatly.org", "spec/configMaps/*", text(kindConfigMap)},
		{"Grafana.integreatly.org", "spec/secrets/*", text(kindSecret)},
		{"Cluster.postgresql.cnpg.io", "spec/superuserSecret", named(kindSecret)},
		{"Cluster.postgresql.cnpg.io", "spec/bootstrap/*/secret", named(kindSecret)},
		{"Cluster.postgresql.cnpg.io", "spec/managed/roles/*/passwordSecret", named(kindSecret)},
		{"Cluster.postgresql.cnpg.io", "spec/**/s3Credentials/*", keyed(kindSecret)},
		{"Cluster.postgresql.cnpg.io", "spec/externalClusters/*/password", keyed(kindSecret)},
		{"TriggerAuthentication.keda.sh", "spec/secretTargetRef/*", keyed(kindSecret)},
		{"TriggerAuthentication.keda.sh", "spec/configMapTargetRef/*", keyed(kindConfigMap)},
		{"BackupStorageLocation.velero.io", "spec/credential", keyed(kindSecret)},
		{"IngressRoute.traefik.io IngressRouteTCP.traefik.io", "spec/tls/secretName", text(kindSecret)},
		{"Middleware.traefik.io", "spec/basicAuth|digestAuth/secret", text(kindSecret)},
		{build, "spec/source/sourceSecret", named(kindSecret)},
		{build, "spec/source/secrets/*/secret", named(kindSecret)},
		{build, "spec/source/configMaps/*/configMap", named(kindConfigMap)},
		{build, "spec/output/pushSecret", named(kindSecret)},
		{build, "spec/strategy/*/pullSecret", named(kindSecret)},
		{"Route.route.openshift.io", "spec/to", form{kind: "kind", name: "name"}.as(likely)},
		{oauth, "spec/identityProviders/*/*/clientSecret|fileData|bindPassword", named(kindSecret).from("=openshift-config")},
		{oauth, "spec/identityProviders/*/*/ca", named(kindConfigMap).from("=openshift-config")},
	}
}
