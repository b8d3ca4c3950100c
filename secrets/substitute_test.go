package secrets

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// The grammar is that of Flux's envsubst, whose own examples these are in part.
func TestVariables(t *testing.T) {
	for text, want := range map[string]string{
		"${A}":                           "A",
		"x${A}y${B}z${A}":                "A B",
		"${A:=x} ${B:-x} ${C=x} ${D:?x}": "A B C D",
		"${A^^}${B,}${C/a/b}${D//a/b}":   "A B C D",
		"${A#*.}${B%%.*}${C:1:2}${#D}":   "A B C D",
		"$${A}":                          "",
		"$$${A}":                         "A",
		"$$$${A}":                        "",
		"some ${A}$${var$${B}$C${D}":     "A D",
		"${A:=${B:=${C}}}":               "A B C",
		"${A:=$${B}}":                    "A B", // no escape within an argument
		"${A}$${B}":                      "A",   // but behind it
		"something $${A=${B}}":           "B",
		"$A $(B) {{C}} ${} ${ A} ${1A}":  "",
		"${A-x}${B.c}${D":                "",  // Flux refuses these
		"a: ${A:=":                       "A", // ends in a later field
		"${Ä}${A_1}${_b}":                "A_1 _b",
	} {
		if got := strings.Join(variablesIn(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// fluxTree is a repository with a Secret that the real sops encrypted, with the
// keys DOMAIN and TOKEN, and a Flux Kustomization that takes variables from it.
func fluxTree(t *testing.T) memTree {
	t.Helper()
	w, _ := newWorkshop(t, "creation_rules:\n- "+encSecret,
		"apiVersion: v1\nkind: Secret\nmetadata:\n  name: vars\n  namespace: flux-system\nstringData:\n  DOMAIN: c4nary\n  TOKEN: c4nary\n")
	return memTree{
		"flux/secret.yaml": w.read("secret.yaml"),
		"flux/apps.yaml":   fluxOf("apps", "    - {kind: Secret, name: vars}\n", ""),
		"apps/config.yaml": manifest("ConfigMap", "data:\n  url: https://${DOMAIN}\n"),
	}
}

func fluxOf(at, from, inline string) string {
	return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n  namespace: flux-system\n" +
		"spec:\n  path: ./" + at + "\n  postBuild:\n" + inline + "    substituteFrom:\n" + from
}

func manifest(kind, rest string) string {
	return "apiVersion: v1\nkind: " + kind + "\nmetadata:\n  name: app\n  namespace: shop\n" + rest
}

func configMap(name, key string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  namespace: flux-system\ndata:\n  " + key + ": x\n"
}

// substituted judges the variables of a tree, with its targets in an order.
func substituted(t testing.TB, tree memTree, shuffle bool, allowed ...string) []finding.Finding {
	t.Helper()
	s := seal(t, tree)
	x := s.NewSubstitutions(Expectations{Substitute: allowed})
	targets := build(t, s)
	if shuffle {
		rand.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	}
	for _, r := range targets {
		s.CheckRendered(r)
		x.Collect(r)
	}
	return x.Findings()
}

// A secret leaves its Secret where Flux would put it elsewhere, and only there.
func TestSubstitute(t *testing.T) {
	base := fluxTree(t)
	const own = "    - {kind: Secret, name: vars}\n"
	for name, test := range map[string]struct {
		files memTree
		want  string // variables
	}{
		"as it is":               {nil, "DOMAIN"},
		"two variables":          {memTree{"apps/b.yaml": manifest("ConfigMap", "data: {a: \"${TOKEN:=x}\"}\n")}, "DOMAIN TOKEN"},
		"no key":                 {memTree{"apps/config.yaml": manifest("ConfigMap", "data: {a: \"${OTHER}\"}\n")}, ""},
		"escaped":                {memTree{"apps/config.yaml": manifest("ConfigMap", "data: {a: \"$${DOMAIN}\"}\n")}, ""},
		"in a Secret":            {memTree{"apps/config.yaml": manifest("Secret", "stringData: {a: \"${DOMAIN}\"}\n")}, ""},
		"annotation of a Secret": {memTree{"apps/config.yaml": strings.Replace(manifest("Secret", ""), "  name:", "  annotations: {a: \"${DOMAIN}\"}\n  name:", 1)}, "DOMAIN"},
		"key of a Secret":        {memTree{"apps/config.yaml": manifest("Secret", "stringData: {\"${DOMAIN}\": \"${TOKEN}\"}\n")}, "DOMAIN"},
		"key of a ConfigMap":     {memTree{"apps/config.yaml": manifest("ConfigMap", "data: {\"${DOMAIN}\": x}\n")}, "DOMAIN"},
		"disabled by annotation": {memTree{"apps/config.yaml": strings.Replace(base["apps/config.yaml"], "  name:", "  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n  name:", 1)}, ""},
		"disabled by label":      {memTree{"apps/config.yaml": strings.Replace(base["apps/config.yaml"], "  name:", "  labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n  name:", 1)}, ""},
		"not disabled":           {memTree{"apps/config.yaml": strings.Replace(base["apps/config.yaml"], "  name:", "  labels: {kustomize.toolkit.fluxcd.io/substitute: \"no\"}\n  name:", 1)}, "DOMAIN"},
		"inline wins":            {memTree{"flux/apps.yaml": fluxOf("apps", own, "    substitute: {DOMAIN: x}\n")}, ""},
		"later wins": {memTree{"flux/map.yaml": configMap("plain", "DOMAIN"),
			"flux/apps.yaml": fluxOf("apps", own+"    - {kind: ConfigMap, name: plain}\n", "")}, ""},
		"earlier loses": {memTree{"flux/map.yaml": configMap("plain", "DOMAIN"),
			"flux/apps.yaml": fluxOf("apps", "    - {kind: ConfigMap, name: plain}\n"+own, "")}, "DOMAIN"},
		"later has another key": {memTree{"flux/map.yaml": configMap("plain", "OTHER"),
			"flux/apps.yaml": fluxOf("apps", own+"    - {kind: ConfigMap, name: plain}\n", "")}, "DOMAIN"},
		"another Secret":       {memTree{"flux/apps.yaml": fluxOf("apps", "    - {kind: Secret, name: other}\n", "")}, ""},
		"another path":         {memTree{"flux/apps.yaml": fluxOf("app", own, "")}, ""},
		"the root":             {memTree{"flux/apps.yaml": fluxOf("", own, "")}, "DOMAIN"},
		"below the path":       {memTree{"apps/config.yaml": manifest("ConfigMap", ""), "apps/a/b/config.yaml": base["apps/config.yaml"]}, "DOMAIN"},
		"in a layer elsewhere": {memTree{"apps/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [c.yaml]\n", "base/c.yaml": base["apps/config.yaml"]}, "DOMAIN"},
		"left out by the kustomization": {memTree{"apps/kustomization.yaml": "resources: [a]\n", "apps/a/kustomization.yaml": "resources: [c.yaml]\n",
			"apps/a/c.yaml": manifest("ConfigMap", ""), "apps/b/kustomization.yaml": "resources: [c.yaml]\n", "apps/b/c.yaml": base["apps/config.yaml"],
			"apps/config.yaml": ""}, ""},
		"a base of a target":      {memTree{"all/kustomization.yaml": "resources: [../apps]\n", "apps/kustomization.yaml": "resources: [config.yaml]\n"}, "DOMAIN"},
		"namespace by the render": {memTree{"flux/apps.yaml": strings.Replace(base["flux/apps.yaml"], "  namespace: flux-system\n", "", 1)}, "DOMAIN"},
		"namespace by Flux":       {memTree{"flux/apps.yaml": strings.Replace(base["flux/apps.yaml"], "namespace: flux-system", "namespace: elsewhere", 1)}, "DOMAIN"},
		"the namespace has its own": {memTree{"flux/apps.yaml": strings.Replace(base["flux/apps.yaml"], "namespace: flux-system", "namespace: elsewhere", 1),
			"flux/own.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: vars, namespace: elsewhere}\nstringData: {A: \"op://a/b/c\"}\n"}, ""},
		"SealedSecret": {memTree{"flux/secret.yaml": "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: vars, namespace: flux-system}\n" +
			"spec: {encryptedData: {DOMAIN: AgA}}\n"}, "DOMAIN"},
		"ExternalSecret": {memTree{"flux/secret.yaml": "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: x, namespace: flux-system}\n" +
			"spec: {target: {name: vars}, data: [{secretKey: DOMAIN}]}\n"}, "DOMAIN"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := memTree{}
			for _, from := range []memTree{base, test.files} {
				for file, text := range from {
					if tree[file] = text; text == "" {
						delete(tree, file)
					}
				}
			}
			var got []string
			for _, f := range substituted(t, tree, false) {
				got = append(got, strings.Fields(f.Message)[1])
			}
			slices.Sort(got)
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, want %q", got, test.want)
			}
		})
	}
}

// A variable gives one finding, at its first use, which says how far it goes;
// allowed, it gives none. No order of targets changes that.
func TestSubstituteFinding(t *testing.T) {
	tree := fluxTree(t)
	tree["apps/a.yaml"] = manifest("ConfigMap", "data:\n  script: |\n    one\n    two $${DOMAIN} ${DOMAIN_2}\n    three ${DOMAIN}\n")
	for _, dir := range []string{"apps/b", "apps/c", "apps/d", "apps/e"} {
		tree[dir+"/config.yaml"] = tree["apps/config.yaml"]
	}
	found := substituted(t, tree, false)
	if len(found) != 1 {
		t.Fatalf("got %v", found)
	}
	f := found[0]
	const message = "variable DOMAIN carries a value of Secret flux-system/vars into 6 fields of 5 targets, outside of Secrets"
	if f.Rule != ruleSubstitute || f.Severity != finding.Warning || f.Message != message || !strings.Contains(f.Help, "substitute: [DOMAIN]") {
		t.Errorf("got %+v", f)
	}
	if f.Location.String() != "apps/a.yaml:10:11" || f.Pointer != "/data/script" || len(f.Targets) != 5 {
		t.Errorf("got %s %s %v", f.Location, f.Pointer, f.Targets)
	}
	var related []string
	for _, r := range f.Related {
		related = append(related, r.Message+" "+r.Location.String())
	}
	want := []string{"used here too apps/b/config.yaml:7:16", "used here too apps/c/config.yaml:7:16",
		"used here too apps/config.yaml:7:16", "the secret value flux/secret.yaml:7:13"}
	if !reflect.DeepEqual(related, want) {
		t.Errorf("got %q", related)
	}
	for range 20 {
		if again := substituted(t, tree, true); !reflect.DeepEqual(again, found) {
			t.Fatalf("in another order: %v", again)
		}
	}
	if found := substituted(t, tree, false, "DOMAIN"); len(found) > 0 {
		t.Errorf("allowed, and still: %v", found)
	}
	if found := substituted(t, tree, false, "DOMAI", "domain", "*"); len(found) != 1 {
		t.Errorf("another variable is allowed: %v", found)
	}
}
