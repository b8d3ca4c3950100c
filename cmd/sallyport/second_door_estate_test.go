//go:build linux

package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/sallyport/sallyport/testdata/peer"
)

// estate is a repository with the demo, whose two mistakes are mended, with a
// real repository where its archive is at hand, and with the kinds that both
// need. Everything in it that is secret is encrypted for one fresh key.
type estate struct {
	*origin
	recipient, identity string
	targets             []string
	kinds               map[string]customKind // by name of the CRD
	secrets             map[string]string     // value by what it is
}

type customKind struct {
	group, version, kind, plural string
	cluster                      bool
}

func newEstate(t testing.TB) *estate {
	t.Helper()
	f := &estate{origin: newOrigin(t), kinds: map[string]customKind{}, secrets: map[string]string{}}
	f.recipient, f.identity = peer.NewAgeKey(t)
	return f
}

// sopsRules is the content of .sops.yaml.
func (f *estate) sopsRules() string {
	return "creation_rules:\n  - encrypted_regex: ^(data|stringData)$\n    age: " + f.recipient + "\n"
}

// value makes a secret value that is nowhere else.
func (f *estate) value(what string) string {
	random := make([]byte, 12)
	_, _ = rand.Read(random)
	f.secrets[what] = "c4n4ry-" + hex.EncodeToString(random)
	return f.secrets[what]
}

// seal gives a Secret new values and encrypts it.
func (f *estate) seal(t testing.TB, path string) {
	t.Helper()
	name := filepath.Join(f.dir, path)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	delete(doc, "sops")
	for _, field := range []string{"data", "stringData"} {
		values, _ := doc[field].(map[string]any)
		for key := range values {
			value := f.value(path + " " + key)
			if field == "data" {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			values[key] = value
		}
	}
	if text, err = yaml.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	f.write(t, map[string]string{path: string(text)})
	peer.Encrypt(t, f.recipient, name, "--encrypted-regex", "^(data|stringData)$")
}

// addDemo copies the demo, encrypts the Secret that lies there in plaintext, and
// mends the number that is a string.
func (f *estate) addDemo(t testing.TB) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(f.dir, "demo"), os.DirFS("../../testdata/demo")); err != nil {
		t.Fatal(err)
	}
	f.edit(t, "demo/overlays/prod/worker.yaml", `replicas: "6"`, "replicas: 6")
	f.write(t, map[string]string{"demo/.sops.yaml": f.sopsRules()})
	f.seal(t, "demo/base/api/payment-secret.yaml")
	f.seal(t, "demo/base/postgres/secret.enc.yaml")
	f.targets = append(f.targets, "demo/overlays/dev", "demo/overlays/staging", "demo/overlays/prod")
}

// addHome adds the applications of a real cluster, with their 30 Secrets. What
// lies on the network, what the gate refuses and Roles that are wider than the
// runner are left out; variables that Flux would set get values. Without the
// archive there is nothing to add.
func (f *estate) addHome(t *testing.T) {
	t.Helper()
	from := ""
	t.Run("archive", func(t *testing.T) { from = peer.Corpus(t, "onedr0p-home-ops-2022-08") })
	if from == "" {
		return
	}
	for _, dir := range []string{"apps", "charts", "config"} {
		if err := os.CopyFS(filepath.Join(f.dir, "cluster", dir), os.DirFS(filepath.Join(from, "cluster", dir))); err != nil {
			t.Fatal(err)
		}
		f.targets = append(f.targets, "cluster/"+dir)
	}
	// A password that is in plaintext, wherever it is used.
	if err := os.RemoveAll(filepath.Join(f.dir, "cluster/apps/monitoring/unifi-poller")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(f.dir, "cluster"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		path, err := filepath.Rel(f.dir, name)
		if err != nil {
			return err
		}
		switch {
		case d.Name() == "kustomization.yaml":
			f.localise(t, path)
		case strings.HasSuffix(name, ".sops.yaml"):
			f.seal(t, path)
		default:
			f.substitute(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// localise takes out of a kustomization what it names on the network, and what
// this cluster does not take.
func (f *estate) localise(t testing.TB, path string) {
	t.Helper()
	unwanted := regexp.MustCompile(`^(system-upgrade|unifi-poller|kopia|rbac\.yaml)$|https://|github\.com`)
	text, err := os.ReadFile(filepath.Join(f.dir, path))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if resources, ok := doc["resources"].([]any); ok {
		doc["resources"] = slices.DeleteFunc(resources, func(r any) bool { return unwanted.MatchString(fmt.Sprint(r)) })
	}
	if generators, ok := doc["configMapGenerator"].([]any); ok {
		doc["configMapGenerator"] = slices.DeleteFunc(generators, func(g any) bool { return strings.Contains(fmt.Sprint(g), "https://") })
	}
	if text, err = yaml.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	f.write(t, map[string]string{path: string(text)})
}

// substitute does what Flux's postBuild would, with values that are no secrets.
func (f *estate) substitute(t testing.TB, path string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, path))
	if err != nil {
		t.Fatal(err)
	}
	values := strings.NewReplacer("${SECRET_PUBLIC_DOMAIN/./-}", "home-example", "storageClassName: ceph-block", "storageClassName: standard", "storageClassName: ceph-filesystem", "storageClassName: standard",
		"${TIMEZONE}", "Europe/London", "${SECRET_PUBLIC_DOMAIN}", "home.example", "${SECRET_PRIVATE_DOMAIN}", "home.internal",
		"${SECRET_EMAIL_DOMAIN}", "mail.example", "${NET_NODE_CIDR}", "192.0.2.0/24", "${NET_POD_CIDR}", "198.51.100.0/24")
	f.write(t, map[string]string{path: regexp.MustCompile(`\$\{SVC_[A-Z_]+\}`).ReplaceAllString(values.Replace(string(text)), "192.0.2.1")})
}

// addKinds adds a CRD for each custom kind of the targets, as a target of its
// own that comes after those which need it. The CRDs have no schemas: the gate
// has judged the objects by the real ones.
func (f *estate) addKinds(t testing.TB) {
	t.Helper()
	for _, target := range f.targets {
		for _, u := range renderedAt(t, filepath.Join(f.dir, target)) {
			gvk := u.GroupVersionKind()
			if strings.Contains(gvk.Group, ".") && !strings.HasSuffix(gvk.Group, ".k8s.io") {
				k := customKind{gvk.Group, gvk.Version, gvk.Kind, strings.ToLower(gvk.Kind) + "s", u.GetNamespace() == ""}
				f.kinds[k.plural+"."+k.group] = k
			}
		}
	}
	var crds strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.kinds)) {
		k := f.kinds[name]
		scope := map[bool]string{true: "Cluster", false: "Namespaced"}[k.cluster]
		fmt.Fprintf(&crds, "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %s}\nspec:\n  group: %s\n  scope: %s\n"+
			"  names: {kind: %s, plural: %s, singular: %s, listKind: %sList}\n  versions:\n    - name: %s\n      served: true\n      storage: true\n"+
			"      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}\n",
			name, k.group, scope, k.kind, k.plural, strings.ToLower(k.kind), k.kind, k.version)
	}
	f.write(t, map[string]string{
		"platform/crds/kustomization.yaml": "resources: [crds.yaml]\n", "platform/crds/crds.yaml": crds.String(),
	})
	f.targets = append(f.targets, "platform/crds")
}
