package secrets

import (
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// ruleSubstitute is about Flux variables that carry a secret out of a Secret.
const ruleSubstitute = "secret-substitute"

func substituteRule() finding.Rule {
	flux := `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
  postBuild:
    substituteFrom:
    - kind: Secret
      name: cluster-secrets
`
	secret := strings.NewReplacer("name: db", "name: cluster-secrets\n  namespace: flux-system", "password:", "DOMAIN:").
		Replace(exampleSecret(exampleEnc, exampleBlock()))
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n  namespace: shop\ndata:\n  url: https://shop.${DOMAIN}\n"
	return finding.Rule{
		Name: ruleSubstitute, Severity: finding.Warning,
		Title: "A Flux variable carries a secret out of a Secret",
		Doc: "`postBuild.substituteFrom` of a Flux Kustomization replaces every `${VAR}` in the objects that it builds, and " +
			"where it names a Secret, the values of that Secret go wherever the variable is: into a ConfigMap, an Ingress, " +
			"an annotation, which far more people and programs can read. That is often meant, for the name of a domain for " +
			"instance, so it is allowed variable by variable in the configuration (`secrets.substitute`). In `data` and " +
			"`stringData` of a Secret, every variable is fine. As in Flux, `substitute` wins over `substituteFrom`, there " +
			"the last entry wins, `$${VAR}` is no variable, and an object that is labelled or annotated " +
			"`kustomize.toolkit.fluxcd.io/substitute: disabled` is left alone. The gate warns, once for each variable; the " +
			"apply job refuses what is not allowed.",
		Fix: "Read the Secret where the value is needed. Where the value is no secret, move it to a ConfigMap. Or allow the " +
			"variable in the configuration.",
		Bad: finding.Example{"flux/apps.yaml": flux, "flux/secret.yaml": secret, "apps/config.yaml": config},
		Good: finding.Example{
			"flux/apps.yaml": flux, "flux/secret.yaml": secret, "apps/config.yaml": config,
			".sallyport.yaml": "apiVersion: sallyport.dev/v1\nkind: Config\nsecrets:\n  substitute: [DOMAIN]\n",
		},
	}
}
