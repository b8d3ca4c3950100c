package gate

import (
	"strings"
	"testing"
)

// A variable that carries a secret is a warning until the configuration allows
// it, also in a run that looks at neither the Flux Kustomization nor the Secret.
func TestVariables(t *testing.T) {
	const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n  namespace: shop\ndata:\n  url: https://shop\n"
	c := newCheckout(t, map[string]string{
		"apps/config.yaml": configMap,
		"rest/config.yaml": strings.Replace(configMap, "https://shop", "${DOMAIN}", 1),
		"flux/apps.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n  namespace: flux-system\n" +
			"spec:\n  interval: 1m\n  path: ./apps\n  prune: true\n  sourceRef: {kind: GitRepository, name: flux-system}\n" +
			"  postBuild:\n    substituteFrom:\n    - {kind: Secret, name: vars}\n",
		"vars/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: vars\n  namespace: flux-system\nstringData:\n  DOMAIN: op://shop/domain/name\n",
	})
	variables := func(opts Options) (found []string) {
		for _, f := range c.check(opts).Report.Findings {
			if f.Rule == "secret-substitute" {
				found = append(found, f.Severity.String()+" "+f.Location.String())
			}
		}
		return found
	}
	if found := variables(Options{}); len(found) > 0 {
		t.Errorf("without a variable: %v", found)
	}
	c.git("checkout", "-q", "-b", "change")
	c.write(map[string]string{"apps/config.yaml": strings.Replace(configMap, "https://shop", "https://${DOMAIN}", 1)})
	c.commit("a variable")
	for name, opts := range map[string]Options{
		"all": {}, "a change": {ChangedSince: "main"}, "one target": {Targets: []string{"apps"}}, "a directory": {Path: c.dir + "/apps"},
	} {
		if found := variables(opts); len(found) != 1 || found[0] != "warning apps/config.yaml:7:16" {
			t.Errorf("%s: got %v", name, found)
		}
	}
	if found := variables(Options{Targets: []string{"rest"}}); len(found) > 0 {
		t.Errorf("a target that nothing substitutes in: %v", found)
	}
	config := "apiVersion: sallyport.dev/v1\nkind: Config\n"
	c.write(map[string]string{ConfigName: config + "rules: {secret-substitute: {severity: error}}\n"})
	if found := variables(Options{}); len(found) != 1 || found[0] != "error apps/config.yaml:7:16" {
		t.Errorf("configured as an error: got %v", found)
	}
	c.write(map[string]string{ConfigName: config + "secrets: {substitute: [DOMAIN]}\n"})
	if found := variables(Options{ChangedSince: "main"}); len(found) > 0 {
		t.Errorf("allowed: got %v", found)
	}
}
