package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// neighbours are targets beside the shop whose verdicts depend on each other: a Pod
// that reads a ConfigMap of another target, and a Secret that nobody reads.
func neighbours() map[string]string {
	return map[string]string{
		"reader/pod.yaml":          readerOf("settings"),
		"settings/map.yaml":        mapNamed("settings"),
		"vault/kustomization.yaml": "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: [sealed.yaml]\n",
		"vault/sealed.yaml":        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: db, namespace: shop}\nspec: {encryptedData: {password: AgBy3i4OJSWK}}\n",
	}
}

func readerOf(settings string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: reader, namespace: shop}\nspec:\n  containers:\n    - name: web\n      image: registry.shop.example/web:1.4.2\n" +
		"      envFrom: [{configMapRef: {name: " + settings + "}}]\n"
}

func mapNamed(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: shop}\ndata: {a: b}\n"
}

// changesAcross are changes of which one shard alone cannot judge.
func changesAcross() []expectation {
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: all, namespace: shop}\nrules: [{apiGroups: [\"\"], resources: [secrets], verbs: [get]}]\n"
	binding := "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: all, namespace: shop}\n" +
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: all}\nsubjects: [{kind: ServiceAccount, name: web, namespace: shop}]\n"
	return []expectation{
		{name: "what another target reads is gone", commits: []step{gitDoes("rm", "-q", "settings/map.yaml"), adding("extra/map.yaml", mapNamed("extra"))},
			findings: []string{"reference-missing", "reader/pod.yaml"}},
		{name: "what another target reads moves", commits: []step{gitDoes("rm", "-q", "settings/map.yaml"), adding("moved/map.yaml", mapNamed("settings"))}},
		{name: "a name that nobody defines", commits: []step{adding("extra/pod.yaml", strings.Replace(readerOf("nothing"), "name: reader", "name: extra", 1))},
			findings: []string{"reference-missing", "extra/pod.yaml"}},
		{name: "a new reader in two targets", commits: []step{adding("one/role.yaml", role), adding("two/binding.yaml", binding),
			adding("envs/e05/kustomization.yaml", "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nnamespace: shop-e05\nresources: [../../base]\nnamePrefix: x-\n")},
			findings: []string{"secret-consumer"}},
		{name: "nothing that is delivered", commits: []step{adding("README.md", "the shop\n")}},
	}
}

// TestMergeOfChangeIsTheWhole holds of a change what TestMergeIsTheWhole holds of a
// repository: however many shards judge it, the merged report is that of one run.
func TestMergeOfChangeIsTheWhole(t *testing.T) {
	for i, e := range append(expectations(), changesAcross()...) {
		t.Run(e.name, func(t *testing.T) {
			e.propose(t, neighbours())
			flags := []string{"--changed-since", "main", "--policy-from", "main", "--commits", "main..HEAD"}
			whole, errs := runs(t, e.exit, append([]string{"check", "-o", "json"}, flags...)...)
			for _, text := range e.findings {
				for _, word := range strings.Fields(text) { // rule and place
					if file, _, _ := strings.Cut(word, ":"); !strings.Contains(whole, `"`+file+`"`) {
						t.Errorf("the report lacks %s:\n%s", file, whole)
					}
				}
			}
			files := shardsOf(t, ".", 2+i%4, flags...)
			if merged, mergeErrs := runs(t, e.exit, append([]string{"report", "merge", "-o", "json"}, files...)...); merged != whole || mergeErrs != errs {
				t.Errorf("in %d shards:\n%s%s\nwant\n%s%s", len(files), merged, mergeErrs, whole, errs)
			}
		})
	}
}

// TestMergeOfChangeRefuses holds that shards of different changes are not merged.
func TestMergeOfChangeRefuses(t *testing.T) {
	p := proposal{dir: t.TempDir()}
	shop(t, p.dir)
	p.git(t, "init", "-q", "-b", "main")
	p.git(t, "add", "-A")
	p.git(t, "commit", "-q", "-m", "one")
	p.git(t, "branch", "old")
	p.write(t, "base/service.yaml", "")
	p.git(t, "commit", "-qam", "two")
	a, b := shardsOf(t, p.dir, 2, "--changed-since", "old"), shardsOf(t, p.dir, 2, "--changed-since", "main")
	if _, errs := runs(t, exitUsage, "report", "merge", a[0], b[1]); !strings.Contains(errs, "saw another revision") {
		t.Errorf("%s and %s: %s", filepath.Base(a[0]), filepath.Base(b[1]), errs)
	}
}
