package validate

import (
	"maps"
	"slices"
	"strings"
)

// maker is a kind of object from which a controller makes Secrets, ConfigMaps or
// other objects that are referred to. One line adds a kind.
//
// Name and the fields after it are texts with one {path|path} in them, which
// stands for the strings at the first path that leads to any. A name can be a
// pattern of path.Match.
type maker struct {
	kinds     string // "Kind.group", separated by spaces
	makes     string // kinds, separated by spaces
	name      string
	keys      func(o map[string]any) []string // nil, or returning nil: not known
	namespace string                          // "": that of the object
	only      string                          // only objects in which it leads to something
}

// makers lists what makes Secrets and ConfigMaps of objects in Git.
func makers() []maker {
	const either = kindSecret + " " + kindConfigMap
	const chart = either + " " + kindServiceAccount + " " + kindClaim
	const own = "{metadata/name}"
	const vault = "VaultStaticSecret.secrets.hashicorp.com VaultDynamicSecret.secrets.hashicorp.com " +
		"VaultPKISecret.secrets.hashicorp.com HCPVaultSecretsApp.secrets.hashicorp.com"
	const sameName = "ExternalSecret.kubernetes-client.io VaultSecret.ricoberger.de OnePasswordItem.onepassword.com " +
		"StringSecret.secretgenerator.mittwald.de BasicAuth.secretgenerator.mittwald.de SSHKeyPair.secretgenerator.mittwald.de " +
		"SecretTemplate.secretgen.carvel.dev Password.secretgen.k14s.io KafkaUser.kafka.strimzi.io ServiceBinding.servicebinding.io"
	// operators name what they make after the object, or so that it begins alike.
	const operators = "Kafka.kafka.strimzi.io Cluster.postgresql.cnpg.io PostgresCluster.postgres-operator.crunchydata.com " +
		"Elasticsearch.elasticsearch.k8s.elastic.co Kibana.kibana.k8s.elastic.co RabbitmqCluster.rabbitmq.com " +
		"MongoDBCommunity.mongodbcommunity.mongodb.com PerconaServerMongoDB.psmdb.percona.com PerconaXtraDBCluster.pxc.percona.com " +
		"PerconaPGCluster.pgv2.percona.com MariaDB.k8s.mariadb.com InnoDBCluster.mysql.oracle.com Tenant.minio.min.io " +
		"Keycloak.k8s.keycloak.org ArgoCD.argoproj.io Grafana.grafana.integreatly.org AutomationController.automationcontroller.ansible.com " +
		"Pulp.repo-manager.pulpproject.org Dragonfly.dragonflydb.io CrdbCluster.crdb.cockroachlabs.com"
	return []maker{
		{kinds: "ExternalSecret.external-secrets.io", makes: kindSecret, name: "{spec/target/name|metadata/name}", keys: externalSecretKeys},
		{kinds: "ClusterExternalSecret.external-secrets.io", makes: kindSecret,
			name: "{spec/externalSecretSpec/target/name|spec/externalSecretName|metadata/name}"},
		{kinds: "SealedSecret.bitnami.com", makes: kindSecret, name: own, keys: sealedSecretKeys},
		{kinds: vault, makes: kindSecret, name: "{spec/destination/name}"},
		{kinds: sameName, makes: kindSecret, name: own},
		{kinds: "DopplerSecret.secrets.doppler.com", makes: kindSecret, name: "{spec/managedSecret/name}"},
		{kinds: "InfisicalSecret.secrets.infisical.com", makes: kindSecret, name: "{spec/managedSecretReference/secretName}"},
		{kinds: "BitwardenSecret.k8s.bitwarden.com", makes: kindSecret, name: "{spec/secretName}"},
		{kinds: "AzureKeyVaultSecret.spv.no", makes: kindSecret, name: "{spec/output/secret/name}"},
		{kinds: "AzureKeyVaultSecret.spv.no", makes: kindConfigMap, name: "{spec/output/configMap/name}"},
		{kinds: "SecretProviderClass.secrets-store.csi.x-k8s.io", makes: kindSecret, name: "{spec/secretObjects/*/secretName}"},
		{kinds: "SopsSecret.isindir.github.com", makes: kindSecret, name: "{spec/secretTemplates/*/name}"},
		{kinds: "Certificate.cert-manager.io", makes: kindSecret, name: "{spec/secretName}", keys: certificateKeys},
		{kinds: "Issuer.cert-manager.io ClusterIssuer.cert-manager.io", makes: kindSecret, name: "{spec/acme/privateKeySecretRef/name}"},
		{kinds: "ObjectBucketClaim.objectbucket.io Bundle.trust.cert-manager.io", makes: either, name: own},
		{kinds: "ClusterPolicy.kyverno.io", makes: either, name: "{spec/rules/*/generate/name}"},
		{kinds: "HelmRelease.helm.toolkit.fluxcd.io", makes: chart, name: "{spec/releaseName|metadata/name}*", namespace: "{spec/targetNamespace}"},
		{kinds: "HelmChart.helm.cattle.io", makes: chart, name: "{metadata/name}*", namespace: "{spec/targetNamespace}"},
		{kinds: "Application.argoproj.io", makes: chart, name: "{spec/source/helm/releaseName|metadata/name}*",
			namespace: "{spec/destination/namespace}", only: "{spec/source/chart|spec/sources/*/chart}"},
		{kinds: operators, makes: either, name: "{metadata/name}*"},
		{kinds: "postgresql.acid.zalan.do", makes: kindSecret, name: "*.{metadata/name}.credentials.postgresql.acid.zalan.do"},
		{kinds: "CephObjectStoreUser.ceph.rook.io", makes: kindSecret, name: "rook-ceph-object-user-*-{metadata/name}"},
		{kinds: "CephCluster.ceph.rook.io", makes: either, name: "rook-*"},
		{kinds: "Keycloak.keycloak.org", makes: kindSecret, name: "credential-{metadata/name}"},
		{kinds: "KeycloakClient.keycloak.org", makes: kindSecret, name: "keycloak-client-secret-{spec/client/clientId}"},
		{kinds: "KeycloakUser.keycloak.org", makes: kindSecret, name: "credential-*-{spec/user/username}-*"},
		{kinds: "Central.platform.stackrox.io", makes: kindSecret, name: "central-htpasswd"},
		{kinds: "StatefulSet.apps", makes: kindClaim, name: "{spec/volumeClaimTemplates/*/metadata/name}-*"},
		{kinds: "DataVolume.cdi.kubevirt.io", makes: kindClaim, name: own},
	}
}

// clusterScoped are kinds without a namespace that kustomize does not know as
// such: where it writes one into them, it means nothing.
var clusterScoped = map[groupKind]bool{
	{"cert-manager.io", "ClusterIssuer"}:             true,
	{"external-secrets.io", "ClusterSecretStore"}:    true,
	{"external-secrets.io", "ClusterExternalSecret"}: true,
	{"trust.cert-manager.io", "Bundle"}:              true,
	{"kyverno.io", "ClusterPolicy"}:                  true,
	{"config.openshift.io", "OAuth"}:                 true,
	{"storage.k8s.io", "StorageClass"}:               true,
	{"", "PersistentVolume"}:                         true,
}

// externalSecretKeys are the keys that an ExternalSecret fetches or renders. With
// dataFrom or a template from elsewhere they are not known, nor where it adds to
// a Secret that somebody else makes.
func externalSecretKeys(o map[string]any) []string {
	spec, _ := o["spec"].(map[string]any)
	template, _ := at(spec, []string{"target", "template"}).(map[string]any)
	policy, _ := at(spec, []string{"target", "creationPolicy"}).(string)
	if policy == "Merge" || policy == "None" || spec["dataFrom"] != nil || template["templateFrom"] != nil {
		return nil
	}
	keys := keysOf(template["data"])
	if len(keys) > 0 && template["mergePolicy"] != "Merge" {
		return keys
	}
	for _, item := range list(spec["data"]) {
		key, _ := at(item, []string{"secretKey"}).(string)
		keys = append(keys, key)
	}
	return keys
}

// sealedSecretKeys are the encrypted keys and those of the template, not known
// where the Secret of somebody else is patched.
func sealedSecretKeys(o map[string]any) []string {
	if at(o, []string{"spec", "template", "metadata", "annotations", "sealedsecrets.bitnami.com/patch"}) != nil {
		return nil
	}
	return append(keysOf(at(o, []string{"spec", "encryptedData"})), keysOf(at(o, []string{"spec", "template", "data"}))...)
}

// certificateKeys are what cert-manager writes, with the keystores and further
// formats that the Certificate asks for.
func certificateKeys(o map[string]any) []string {
	keys := []string{"tls.crt", "tls.key", "ca.crt"}
	for _, kind := range keysOf(at(o, []string{"spec", "keystores"})) {
		suffix := map[string]string{"jks": ".jks", "pkcs12": ".p12"}[kind]
		keys = append(keys, "keystore"+suffix, "truststore"+suffix)
	}
	for _, format := range list(at(o, []string{"spec", "additionalOutputFormats"})) {
		if kind, _ := at(format, []string{"type"}).(string); kind == "CombinedPEM" {
			keys = append(keys, "tls-combined.pem")
		} else if kind == "DER" {
			keys = append(keys, "key.der")
		}
	}
	return keys
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}

// keysOf lists the keys of a mapping in order.
func keysOf(value any) []string {
	m, _ := value.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

// expand fills the {path|path} of a text from an object: once for every string
// at the first of the paths that leads to any.
func expand(text string, o map[string]any) []string {
	before, rest, ok := strings.Cut(text, "{")
	if !ok {
		return []string{text}
	}
	paths, after, _ := strings.Cut(rest, "}")
	for path := range strings.SplitSeq(paths, "|") {
		if found := collect(o, strings.Split(path, "/")); len(found) > 0 {
			for i := range found {
				found[i] = before + found[i] + after
			}
			return found
		}
	}
	return nil
}

// collect returns the strings at a path, in which "*" is every item of a list.
func collect(value any, path []string) []string {
	if len(path) == 0 {
		if s, ok := value.(string); ok && s != "" {
			return []string{s}
		}
		return nil
	}
	if path[0] != "*" {
		m, _ := value.(map[string]any)
		return collect(m[path[0]], path[1:])
	}
	var out []string
	for _, item := range list(value) {
		out = append(out, collect(item, path[1:])...)
	}
	return out
}
