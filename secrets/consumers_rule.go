package secrets

import "github.com/sallyport/sallyport/finding"

// ruleConsumer is about objects that begin to read a Secret.
const ruleConsumer = "secret-consumer"

func consumerRule() finding.Rule {
	pod := "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n  containers:\n  - name: app\n"
	kustomization := "namespace: shop\nresources:\n- secret.yaml\n- pod.yaml\n"
	secret := exampleSecret(exampleEnc, exampleBlock())
	reader := pod + "    envFrom:\n    - secretRef:\n        name: db\n"
	return finding.Rule{
		Name: ruleConsumer, Severity: finding.Warning,
		Title: "An object begins to read a Secret that was there before",
		Doc: "Whoever may create a pod in a namespace can read every Secret in it: by `envFrom`, a volume, a pull secret, the " +
			"TLS of an Ingress, the `valuesFrom` of a HelmRelease. No encryption helps against that. So each new reader of " +
			"an existing Secret is shown, for its owners to agree: every field that names a Secret, in custom resources too " +
			"(`basicAuth` of a ServiceMonitor, `certificateRefs` of a Gateway, `secretRef` of a store), annotations such as " +
			"`nginx.ingress.kubernetes.io/auth-secret`, a role that may get, list or watch Secrets and is newly bound, and a pod " +
			"that runs as an account with such a role. This needs a base (`--changed-since`). A target of which the base has no " +
			"Secret of that name is compared with all other targets, by namespace and name; targets that " +
			"`secrets.environments` puts into different clusters are not compared with each other.",
		Fix: "Ask the owners of the Secret. If they agree, nothing is to do: merged, the reader is no longer new.",
		Bad: finding.Example{
			"before/secret.yaml": secret, "before/pod.yaml": pod, "before/kustomization.yaml": kustomization,
			"secret.yaml": secret, "pod.yaml": reader, "kustomization.yaml": kustomization,
		},
		Good: finding.Example{
			"before/secret.yaml": secret, "before/pod.yaml": reader, "before/kustomization.yaml": kustomization,
			"secret.yaml": secret, "pod.yaml": reader, "kustomization.yaml": kustomization,
		},
	}
}
