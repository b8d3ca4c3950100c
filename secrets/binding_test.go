package secrets

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/testdata/peer"
)

const (
	resources = "resources: [secret.yaml]\n"
	encSecret = "encrypted_regex: ^(data|stringData)$\n  age: OWN\n"
)

// bound judges the one target of a tree.
func boundTo(t testing.TB, tree memTree, e Expectations) []finding.Finding {
	t.Helper()
	s := seal(t, tree)
	var out []finding.Finding
	for _, r := range build(t, s) {
		for _, f := range s.CheckRendered(r) {
			t.Errorf("not about binding: %s %s", f.Rule, f.Message)
		}
		out = append(out, s.CheckBinding(r, e)...)
	}
	return out
}

// Secrets of a bound file may reach the namespaces that every binding of the file
// allows, and no other.
func TestBindNamespaces(t *testing.T) {
	w, _ := newWorkshop(t, "creation_rules:\n- "+encSecret, plainSecret)
	text := w.read("secret.yaml")
	bind := func(pairs ...string) Expectations {
		var e Expectations
		for i := 0; i < len(pairs); i += 2 {
			e.Bind = append(e.Bind, Binding{pairs[i], strings.Split(pairs[i+1], ",")})
		}
		return e
	}
	for _, test := range []struct {
		name, kustomization string
		e                   Expectations
		line                string // where the finding is; empty for none
	}{
		{"at home", resources, bind("apps/**", "prod"), ""},
		{"one of several", resources, bind("apps/**", "shop,prod"), ""},
		{"a pattern of namespaces", resources, bind("apps/**", "pr*"), ""},
		{"another file", "namespace: other\n" + resources, bind("base/**", "prod"), ""},
		{"moved", resources + "namespace: other\n", bind("apps/**", "prod"), "namespace: other"},
		{"moved by a patch", resources + "patches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: replace, path: /metadata/namespace, value: other}\n", bind("apps/**", "prod"), "- {op: replace"},
		{"every binding counts", resources, bind("apps/**", "prod,shop", "apps/a/**", "shop"), "namespace: prod"},
		{"namespace taken away", resources + "patches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: remove, path: /metadata/namespace}\n", bind("apps/**", "prod"), "- {op: remove"},
		{"namespace taken away, any bound", resources + "patches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: remove, path: /metadata/namespace}\n", bind("apps/**", "*"), "- {op: remove"},
		{"generated", "namespace: other\nsecretGenerator:\n- name: g\n  files: [secret.yaml]\n", bind("apps/**", "prod"), "namespace: other"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tree := memTree{"apps/a/secret.yaml": text, "apps/a/kustomization.yaml": test.kustomization}
			found := boundTo(t, tree, test.e)
			if test.line == "" {
				if len(found) > 0 {
					t.Errorf("got %v", found)
				}
				return
			}
			expect(t, tree, found, ruleMoved, finding.Error, strings.TrimPrefix(test.line, "- "), "but the file is bound to")
			if len(found) != 1 {
				t.Errorf("got %d findings, want one for the Secret: %v", len(found), found)
			}
		})
	}
}

// sops-bind names one object. In plaintext it is compared with the render, by
// what the file says and not by what a patch made of it; encrypted it is said to
// be compared later.
func TestBindIdentity(t *testing.T) {
	rules := "creation_rules:\n- unencrypted_regex: ^(apiVersion|kind|metadata|type|sops-bind)$\n  age: OWN\n"
	w, _ := newWorkshop(t, rules, plainSecret+"  sops-bind: v1/Secret/prod/db\n")
	text := w.read("secret.yaml")
	if !strings.Contains(text, "sops-bind: v1/Secret/prod/db\n") {
		t.Fatalf("sops encrypted the binding:\n%s", text)
	}
	patch := "patches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: replace, path: /stringData/sops-bind, value: v1/Secret/other/db}\n"
	for name, test := range map[string]struct{ kustomization, got string }{
		"at home":              {resources, ""},
		"another namespace":    {resources + "namespace: other\n", "v1/Secret/other/db"},
		"another name":         {resources + "namePrefix: x-\n", "v1/Secret/prod/x-db"},
		"with another binding": {resources + "namespace: other\n" + patch, "v1/Secret/other/db"},
	} {
		tree := memTree{"secret.yaml": text, "kustomization.yaml": test.kustomization}
		found := boundTo(t, tree, Expectations{})
		if test.got == "" && len(found) > 0 || test.got != "" && (count(found, ruleMoved) != 1 || !strings.Contains(found[0].Message, test.got)) {
			t.Errorf("%s: got %v", name, found)
		}
		if files, err := seal(t, tree).CheckFiles(context.Background(), ""); err != nil || len(files) > 0 {
			t.Errorf("%s: the binding is taken for plaintext: %v %v", name, files, err)
		}
	}
	w.write(CreationRulesName, strings.Replace(w.read(CreationRulesName), "|sops-bind", "", 1))
	w.write("sealed.yaml", plainSecret+"  sops-bind: v1/Secret/prod/db\n")
	w.sops("encrypt", "--in-place", "sealed.yaml")
	tree := memTree{"secret.yaml": w.read("sealed.yaml"), "kustomization.yaml": resources + "namespace: other\n"}
	if found := boundTo(t, tree, Expectations{}); len(found) > 0 {
		t.Errorf("an encrypted binding gives %v", found)
	}
	s := seal(t, tree)
	unchecked := s.UncheckedBindings(build(t, s)[0])
	if len(unchecked) != 1 || unchecked[0].Object.Name != "db" || !strings.Contains(unchecked[0].Reason, BindKey) {
		t.Errorf("got %v", unchecked)
	}
}

// Metadata that makes a controller copy a Secret is its author's to set, in its
// own file.
func TestBindMetadata(t *testing.T) {
	const reflector = "reflector.v1.k8s.emberstack.com/reflection-auto-enabled"
	w, _ := newWorkshop(t, "creation_rules:\n- "+encSecret, plainSecret)
	text := w.read("secret.yaml")
	own := strings.Replace(text, "    namespace: prod\n", "    namespace: prod\n    annotations:\n        "+reflector+": \"true\"\ntype: kubernetes.io/basic-auth\n", 1)
	patch := func(body string) string {
		return resources + "patches:\n- patch: |-\n    " + body + "\n  target: {kind: Secret}\n"
	}
	annotate := func(key string) string {
		return patch(`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "annotations": {"` + key + `": "x"}}}`)
	}
	for _, test := range []struct{ name, text, kustomization, message string }{
		{"nothing", text, resources, ""},
		{"the author's own", own, resources, ""},
		{"reflector", text, annotate(reflector), "makes a controller copy"},
		{"replicator", text, annotate("replicator.v1.mittwald.de/replicate-to"), "makes a controller copy"},
		{"kubed", text, annotate("kubed.appscode.com/sync"), "makes a controller copy"},
		{"unknown controller", text, annotate("example.com/copy-to-namespaces"), "makes a controller copy"},
		{"unknown annotation", text, annotate("vendor.example/share-with"), "none that is known to leave the Secret alone"},
		{"the user's own annotation", text, annotate("owner"), ""},
		{"unknown label", text, resources + "labels:\n- pairs: {vendor.example/team: shop}\n", ""},
		{"Argo CD credentials", text, resources + "labels:\n- pairs: {argocd.argoproj.io/secret-type: cluster}\n", "makes a controller use"},
		{"common annotations", text, resources + "commonAnnotations: {" + reflector + ": \"true\"}\n", "makes a controller copy"},
		{"type", text, patch(`[{"op": "add", "path": "/type", "value": "kubernetes.io/service-account-token"}]`), "type of the Secret"},
		{"harmless", text, resources + "commonAnnotations: {app.kubernetes.io/part-of: shop, argocd.argoproj.io/sync-wave: \"1\", kustomize.toolkit.fluxcd.io/prune: disabled}\n", ""},
		{"a generator's own", text, "secretGenerator:\n- name: g\n  type: Opaque\n  files: [secret.yaml]\n  options: {annotations: {" + reflector + ": \"true\"}}\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := boundTo(t, memTree{"secret.yaml": test.text, "kustomization.yaml": test.kustomization}, Expectations{})
			if test.message == "" {
				if len(found) > 0 {
					t.Errorf("got %v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Rule != ruleMetadata || !strings.Contains(found[0].Message, test.message) || found[0].Location.File != "kustomization.yaml" {
				t.Errorf("got %v", found)
			}
		})
	}
}

// A target's files can be opened by its own environment and by no other.
func TestBindEnvironments(t *testing.T) {
	w, prod := newWorkshop(t, "creation_rules:\n- age: OWN,"+exampleRecipient+"\n  encrypted_regex: ^stringData$\n", plainSecret)
	tree := memTree{"envs/prod/secret.yaml": w.read("secret.yaml"), "envs/prod/kustomization.yaml": resources}
	env := func(name, targets string, recipients ...string) Environment {
		return Environment{name, []string{targets}, recipients}
	}
	for _, test := range []struct {
		name          string
		e             []Environment
		line, message string
	}{
		{"its own", []Environment{env("prod", "envs/prod", prod, exampleRecipient), env("test", "envs/test", exampleStranger)}, "", ""},
		{"a key that all share", []Environment{env("prod", "envs/prod", prod, exampleRecipient), env("test", "envs/test", exampleStranger, exampleRecipient)}, "", ""},
		{"not its own", []Environment{env("prod", "envs/*", exampleStranger)}, "sops:", `environment "prod", which uses the file, cannot open it`},
		{"another's too", []Environment{env("prod", "envs/prod", prod), env("test", "envs/test", exampleRecipient)}, "recipient: " + exampleRecipient, `environment "test" could open the file`},
		{"nothing declared for it", []Environment{env("test", "envs/test", exampleRecipient)}, "", ""},
	} {
		found := boundTo(t, tree, Expectations{Environments: test.e})
		if test.line == "" {
			if len(found) > 0 {
				t.Errorf("%s: got %v", test.name, found)
			}
			continue
		}
		expect(t, tree, found, ruleRecipients, finding.Error, test.line, test.message)
		if len(found) != 1 {
			t.Errorf("%s: got %v", test.name, found)
		}
	}
}

// Copies of ciphertexts are found once for each file; what sops itself writes
// twice is not.
func TestReuse(t *testing.T) {
	w, _ := newWorkshop(t, "creation_rules:\n- "+encSecret, plainSecret+"---\n"+plainSecret)
	text := w.read("secret.yaml")
	line := func(key string) string {
		from := strings.Index(text, "    "+key+": ENC")
		return text[from+len("    "+key+": ") : from+strings.IndexByte(text[from:], '\n')]
	}
	renamed := strings.Replace(text, line("user"), line("password"), 1)
	for _, test := range []struct {
		name string
		tree memTree
		want []string
	}{
		{"one file", memTree{"a.yaml": text}, nil},
		{"copied to another namespace", memTree{"a.yaml": text, "b.yaml": strings.ReplaceAll(text, "namespace: prod", "namespace: other")}, []string{"b.yaml: the file shares 4 ciphertexts with a.yaml"}},
		{"under another key", memTree{"a.yaml": renamed}, []string{`a.yaml: the ciphertext of "user" is that of "password"`}},
		{"both documents", memTree{"a.yaml": strings.ReplaceAll(text, text[strings.LastIndex(text, "password: ENC"):strings.LastIndex(text, "    user: ENC")], "password: "+line("password")+"\n")}, nil},
	} {
		found, err := seal(t, test.tree).CheckReuse(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, f.Location.File+": "+f.Message)
		}
		if len(got) != len(test.want) || len(got) > 0 && !strings.HasPrefix(got[0], test.want[0]) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	found, err := seal(t, memTree{"a.yaml": text, "x/b.yaml": text}).CheckReuse(context.Background(), "a.yaml")
	if err != nil || len(found) > 0 {
		t.Errorf("out of scope: got %v, %v", found, err)
	}
}

// One value that a target brings into two namespaces.
func TestReuseInTarget(t *testing.T) {
	w, _ := newWorkshop(t, "creation_rules:\n- "+encSecret, plainSecret)
	tree := memTree{
		"base/secret.yaml": w.read("secret.yaml"), "base/kustomization.yaml": resources,
		"one/kustomization.yaml": "namespace: one\nresources: [../base]\n", "two/kustomization.yaml": "namespace: two\nresources: [../base]\n",
		"all/kustomization.yaml": "resources: [../one, ../two]\n",
	}
	found := boundTo(t, tree, Expectations{})
	if len(found) != 1 || found[0].Rule != ruleReused || found[0].Severity != finding.Warning {
		t.Errorf("got %v", found)
	}
}

// The real sops reads a file with a plaintext binding.
func TestBindIdentityOpens(t *testing.T) {
	rules := "creation_rules:\n- unencrypted_regex: ^(apiVersion|kind|metadata|sops-bind)$\n  age: OWN\n"
	w, _ := newWorkshop(t, rules, plainSecret+"  sops-bind: v1/Secret/prod/db\n")
	cmd := peer.Command(t, "sops", w.dir, "decrypt", "secret.yaml")
	cmd.Env = append(cmd.Env, "SOPS_AGE_KEY_FILE="+w.identity)
	if out, err := cmd.Output(); err != nil || !strings.Contains(string(out), "sops-bind: v1/Secret/prod/db") {
		t.Errorf("got %v\n%s", err, out)
	}
}
