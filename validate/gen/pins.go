package main

// kubernetesPins are the releases whose definitions are embedded: the newest
// patch of each minor version that the module proxy serves.
var kubernetesPins = []pin{
	{"k8s.io/kubernetes", "v1.29.15", "h1:hLcyf3XmxtfkubCEmmPX5QVD7lDclXjvEUrJeP283LM="},
	{"k8s.io/kubernetes", "v1.30.14", "h1:MrlKXh9uhLIJpyxOeXhcndzRVSvwiV9iJ8NgH8nqPsg="},
	{"k8s.io/kubernetes", "v1.31.14", "h1:UtjLfqvXLuSVDdJ4+NpQCIfFkKkLnAAVmxAEMsnkhjk="},
	{"k8s.io/kubernetes", "v1.32.13", "h1:5TGYdZ6YZqdp6h/Rp1vX/4TIoybMPdgv97LCZCtPuNQ="},
	{"k8s.io/kubernetes", "v1.33.13", "h1:bmH31xUdSzeA5vk0wZAK9MZp11mdLuzUSeKk0qN3hPQ="},
	{"k8s.io/kubernetes", "v1.34.4", "h1:Yy6R4QB8C9kJPp25GFqEvX5XQwY5qzKeqD0Xx6oAcmk="},
	{"k8s.io/kubernetes", "v1.35.4", "h1:o/8dBC/pHVpYoGV4OAIytAlNPZbdYVTXJHoYvXC4qzM="},
	{"k8s.io/kubernetes", "v1.36.3", "h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o="},
	{"k8s.io/kubernetes", "v1.37.0", "h1:TDSD+Izz9inqs7SmtJCAu7L5/DuYW9hAZ3GBdF6Ddkw="},
}

// lifecyclePins are the modules that say when an API version came and went,
// newest first: a newer one knows better, an older one still holds types that
// are gone.
var lifecyclePins = []pin{
	{"k8s.io/api", "v0.37.0", "h1:Z//Vj9N7RA/yS2sDmxyeo7h+RR4zbUrd2vrd3Z0TbB4="},
	{"k8s.io/apiextensions-apiserver", "v0.37.0", "h1:zRMQ3+/LIE5oZ0tVvXwYHC+dIkSP5cjNWju7AZU1LOI="},
	{"k8s.io/kube-aggregator", "v0.37.0", "h1:XCCpIDBzwM1s+FdQEiTuyFcPtByVLfJ7NyVrj8YDbTw="},
	{"k8s.io/api", "v0.35.4", "h1:P7nFYKl5vo9AGUp1Z+Pmd3p2tA7bX2wbFWCvDeRv988="},
	{"k8s.io/api", "v0.32.13", "h1:CAtHUTtSau6UhSGcrypjKXc2365TncaxUtrIfnjUPGE="},
	{"k8s.io/api", "v0.29.15", "h1:QxPcAheYujeBwkdiE0vMyKkAtqUq5YNyXVqimT+me44="},
	{"k8s.io/api", "v0.24.3", "h1:tt55QEmKd6L2k5DP6G/ZzdMQKvG5ro4H4teClqm0sTY="},
	{"k8s.io/api", "v0.20.6", "h1:bgdZrW++LqgrLikWYNruIKAtltXbSCX2l5mJu11hrVE="},
	{"k8s.io/apiextensions-apiserver", "v0.21.0", "h1:Nd4uBuweg6ImzbxkC1W7xUNZcCV/8Vt10iTdTIVF3hw="},
	{"k8s.io/kube-aggregator", "v0.21.0", "h1:my2WYu8RJcj/ZzWAjPPnmxNRELk/iCdPjMaOmsZOeBU="},
}

// crdSources are the projects whose custom resources are embedded: those that
// public repositories use most, where a Go module holds the definitions.
var crdSources = []crdSource{
	{
		Project: "istio", Licence: "Apache-2.0",
		Module: pin{"istio.io/api", "v1.31.1", "h1:5Yb5ihcz4YQsCkciusK7DnFpBMwRB6EFWeUKH1Atuyk="},
		Files:  []string{"kubernetes/customresourcedefinitions.gen.yaml"},
	},
	{
		Project: "external-secrets", Licence: "Apache-2.0",
		Module: pin{"github.com/external-secrets/external-secrets", "v1.3.2", "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ="},
		Files:  []string{"config/crds/bases/*.io_*.yaml"},
	},
	{
		Project: "gateway-api", Licence: "Apache-2.0",
		Module: pin{"sigs.k8s.io/gateway-api", "v1.6.3", "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc="},
		Files:  []string{"config/crd/experimental/gateway.*.yaml"},
	},
	{
		Project: "prometheus-operator", Licence: "Apache-2.0",
		Module: pin{"github.com/prometheus-operator/prometheus-operator", "v0.94.1", "h1:QEIb2wenPH+SdMN1xMf8l4Pmj00YYXXI6HlbLlQWkww="},
		Files:  []string{"example/prometheus-operator-crd/*.yaml"},
		Notice: "NOTICE",
	},
	{
		Project: "keda", Licence: "Apache-2.0",
		Module: pin{"github.com/kedacore/keda/v2", "v2.21.0", "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "cert-manager", Licence: "Apache-2.0",
		Module: pin{"github.com/cert-manager/cert-manager", "v1.21.2", "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68="},
		Files:  []string{"deploy/crds/*.yaml"},
	},
	{
		Project: "flux-source-controller", Licence: "Apache-2.0",
		Module: pin{"github.com/fluxcd/source-controller", "v1.9.6", "h1:nG534/bI6nVpyHra7ONAk6xDB3xPsVT+EOLHZHXPrrc="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-kustomize-controller", Licence: "Apache-2.0",
		Module: pin{"github.com/fluxcd/kustomize-controller", "v1.9.6", "h1:XB+G3A0mky0j5uVHZWv4oSlS2RvZBoNIUhstIvY0JKE="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-helm-controller", Licence: "Apache-2.0",
		Module: pin{"github.com/fluxcd/helm-controller", "v1.6.4", "h1:u/Ew7LehrwDQaE/NqWdaB3XnNDCxRGDcp1FZl7RKj4g="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-notification-controller", Licence: "Apache-2.0",
		Module: pin{"github.com/fluxcd/notification-controller", "v1.9.3", "h1:vBONN/Lx5aQ2nDnJxYp5Sb0Wsgh13UbuP5A1MK4dmkY="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-image-reflector-controller", Licence: "Apache-2.0",
		Module: pin{"github.com/fluxcd/image-reflector-controller", "v1.2.4", "h1:pBC8XOgLXt3VaTzp9k2fYpuR3FFEnZRZBkuSfnGxPhM="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-image-automation-controller", Licence: "Apache-2.0",
		Module: pin{"github.com/fluxcd/image-automation-controller", "v1.2.4", "h1:uYtQq2kUb02q6fJE6zT/NdAPLTPLZUOIVp+JGFslW+M="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "karpenter", Licence: "Apache-2.0",
		Module: pin{"github.com/aws/karpenter-provider-aws", "v1.14.1", "h1:WGtIQTQcxpElYMdWfWuPwaF2+9muR+hYhPZsTtoY8Gs="},
		Files:  []string{"pkg/apis/crds/*.yaml"},
		Notice: "NOTICE",
	},
	{
		Project: "argo-cd", Licence: "Apache-2.0",
		Module: pin{"github.com/argoproj/argo-cd/v3", "v3.5.7", "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0="},
		Files:  []string{"manifests/crds/*-crd.yaml"},
	},
	{
		Project: "argo-rollouts", Licence: "Apache-2.0",
		Module: pin{"github.com/argoproj/argo-rollouts", "v1.10.1", "h1:6oyVPGiHHxu3ixkT6mngemh88HLPDoTX1IwO6KNR1Y4="},
		Files:  []string{"manifests/crds/*-crd.yaml"},
	},
	{
		Project: "argo-workflows", Licence: "Apache-2.0",
		Module: pin{"github.com/argoproj/argo-workflows/v3", "v3.7.3", "h1:b0o03RTLXIL7lQunDEvLoDTeI5TbfXe2obGaItvvifk="},
		Files:  []string{"manifests/base/crds/full/argoproj.io_*.yaml"},
	},
	{
		Project: "sealed-secrets", Licence: "Apache-2.0",
		Module: pin{"github.com/bitnami-labs/sealed-secrets", "v0.40.0", "h1:rvCP35JL8ZV5LNA2SrwNR6iLyoM3ulrSFWN0lBtYEYI="},
		Files:  []string{"helm/sealed-secrets/crds/*.yaml"},
	},
	{
		Project: "gatekeeper", Licence: "Apache-2.0",
		Module: pin{"github.com/open-policy-agent/gatekeeper/v3", "v3.23.1", "h1:njHTm0SJ6ZEhhEgmQTpJKTGQbc99fSs4hGiEp1OIKck="},
		Files:  []string{"charts/gatekeeper/crds/*.yaml"},
		Notice: "NOTICE",
	},
	{
		Project: "kyverno", Licence: "Apache-2.0",
		Module: pin{"github.com/kyverno/kyverno", "v1.19.1", "h1:/MkgFii3/VlQfKR1JpC9tVwNNVNQTt2S4U6qCsafsTU="},
		Files:  []string{"config/crds/*/*kyverno.io_*.yaml"},
		Notice: "NOTICE",
	},
	{
		Project: "traefik", Licence: "MIT",
		Module: pin{"github.com/traefik/traefik/v3", "v3.7.13", "h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw="},
		Files:  []string{"docs/content/reference/dynamic-configuration/traefik.io_*.yaml"},
		Notice: "LICENSE.md",
	},
	{
		Project: "metallb", Licence: "Apache-2.0",
		Module: pin{"go.universe.tf/metallb", "v0.15.2", "h1:r7KDgJtk3KZe3qb36zRVrVCYHxLR03nPGT+qFXOomJM="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "velero", Licence: "Apache-2.0",
		Module: pin{"github.com/vmware-tanzu/velero", "v1.18.3", "h1:9uwN5yxTWQl9PsF5ljX4xiG+7VIq3I9mxOQ0DyyZ31A="},
		Files:  []string{"config/crd/*/bases/*.yaml"},
	},
	{
		Project: "contour", Licence: "Apache-2.0",
		Module: pin{"github.com/projectcontour/contour", "v1.33.8", "h1:QoOfwqWws+CVRFpsRC2+f1DmB5IdurtyUtepIsiWfE0="},
		Files:  []string{"examples/contour/01-crds.yaml"},
	},
	{
		Project: "cilium", Licence: "Apache-2.0",
		Module: pin{"github.com/cilium/cilium", "v1.20.2", "h1:dqiEGIcXc+gqCLYG/l7VCFJ8GHyb4HUrwbZOpkX5dL8="},
		Files:  []string{"pkg/k8s/apis/cilium.io/client/crds/*/*.yaml"},
	},
	{
		Project: "external-snapshotter", Licence: "Apache-2.0",
		Module: pin{"github.com/kubernetes-csi/external-snapshotter/client/v8", "v8.6.0", "h1:FtGewu2k6HWw6evLGXY8JqUZ9eHpti1kd3e4amj+ilA="},
		Files:  []string{"config/crd/*.k8s.io_*.yaml"},
	},
	{
		Project: "external-dns", Licence: "Apache-2.0",
		Module: pin{"sigs.k8s.io/external-dns", "v0.21.0", "h1:YAC7ERW32eZAjSdhu44taaZGII6nwz2/wteT+BtpFzM="},
		Files:  []string{"config/crd/standard/*.yaml"},
	},
	{
		Project: "grafana-operator", Licence: "Apache-2.0",
		Module: pin{"github.com/grafana/grafana-operator/v5", "v5.21.4", "h1:wqi4SBE6mC4WcUZvpJm7plRtC/Anu1dVMZxRdqjs0N4="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "cloudnative-pg", Licence: "Apache-2.0",
		Module: pin{"github.com/cloudnative-pg/cloudnative-pg", "v1.28.0", "h1:vkv0a0ewDSfJOPJrsyUr4uczsxheReAWf/k171V0Dm0="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "crossplane", Licence: "Apache-2.0",
		Module: pin{"github.com/crossplane/crossplane", "v1.20.0", "h1:Wr3+/CilaMbRQ7u4e+m4XBmoARahBpENIYClGzIXpS8="},
		Files:  []string{"cluster/crds/*.yaml"},
	},
	{
		Project: "tekton-pipeline", Licence: "Apache-2.0",
		Module: pin{"github.com/tektoncd/pipeline", "v1.7.0", "h1:+Rd/YGpxV8sgEmW9unSiS8RgBE4DqbPdz6zPh2pYDnk="},
		Files:  []string{"config/300-crds/*.yaml"},
	},
	{
		Project: "operator-lifecycle-manager", Licence: "Apache-2.0",
		Module: pin{"github.com/operator-framework/api", "v0.36.0", "h1:6+duRhamCvB540JbvNp/1+Pot7luff7HqdAOm9bAntg="},
		Files:  []string{"crds/*.yaml"},
	},
	{
		Project: "openshift", Licence: "Apache-2.0",
		Module: pin{"github.com/openshift/api", "v0.0.0-20251015095338-264e80a2b6e7", "h1:Ot2fbEEPmF3WlPQkyEW/bUCV38GMugH/UmZvxpWceNc="},
		Files:  []string{"[^e]*/v*/zz_generated.crd-manifests/*-Default.crd.yaml", "[^e]*/v*/zz_generated.crd-manifests/*.crd.yaml"},
		// The admission of OpenShift fills in fields that this schema requires.
		Skip: "security.openshift.io/v1/SecurityContextConstraints",
	},
	{
		Project: "flux-source-controller", Licence: "Apache-2.0", Past: true,
		Module: pin{"github.com/fluxcd/source-controller", "v1.3.0", "h1:4rwvl3e2LJqeJIK7lrVl/DhGwaFtqDiS+EEJ9l2zxNw="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-kustomize-controller", Licence: "Apache-2.0", Past: true,
		Module: pin{"github.com/fluxcd/kustomize-controller", "v1.6.0", "h1:13S+wqCQ44njSg59DNgm1qMqVkK6+0eoZs+jv4+EWCs="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-helm-controller", Licence: "Apache-2.0", Past: true,
		Module: pin{"github.com/fluxcd/helm-controller", "v0.37.2", "h1:vj4p5cUu9Sh/hqfbEgYMyhHeNJZWyu0sP3UEv1895M0="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-notification-controller", Licence: "Apache-2.0", Past: true,
		Module: pin{"github.com/fluxcd/notification-controller", "v1.6.0", "h1:5C06VdqTVsbBFjtSZejnKT60U00Uyj6DAtKrqU1Si/w="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "flux-image-reflector-controller", Licence: "Apache-2.0", Past: true,
		Module: pin{"github.com/fluxcd/image-reflector-controller", "v1.1.1", "h1:x76ne/gPXys0z14N3qms/6gumJmYEZ5s+HoVjf0OxVU="},
		Files:  []string{"config/crd/bases/*.yaml"},
	},
	{
		Project: "external-secrets", Licence: "Apache-2.0", Past: true,
		Module: pin{"github.com/external-secrets/external-secrets", "v0.9.20", "h1:SjCgevHllWRGinuC4mlnyreTSEfBd2sq40+acu8Ow6Q="},
		Files:  []string{"config/crds/bases/*.io_*.yaml"},
	},
}
