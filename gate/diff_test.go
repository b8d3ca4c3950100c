package gate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/peer"
)

// shopRepository is a real Git repository: a base, three overlays over it, a
// component that two of them use, a generator, and a CRD.
type shopRepository struct {
	t   *testing.T
	dir string
}

func newShop(t *testing.T) shopRepository {
	t.Helper()
	s := shopRepository{t, t.TempDir()}
	s.git("init", "-q", "-b", "main")
	s.write("base/kustomization.yaml", "resources: [web.yaml, claim.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [LEVEL=info]\n")
	s.write("base/web.yaml", `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          envFrom: [{configMapRef: {name: settings}}]
`)
	s.write("base/claim.yaml", "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n")
	s.write("component/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [pdb.yaml]\n")
	s.write("component/pdb.yaml", "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n")
	s.write("crds/kustomization.yaml", "resources: [crd.yaml]\n")
	s.write("crds/crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.shop.example}\nspec: {group: shop.example, names: {kind: Thing, plural: things}, scope: Namespaced, versions: []}\n")
	for _, env := range []string{"dev", "staging", "prod"} {
		components := "components: [../../component]\n"
		if env == "dev" {
			components = ""
		}
		s.write("overlays/"+env+"/kustomization.yaml", "namespace: shop-"+env+"\nresources: [../../base, secret.yaml]\n"+components)
		s.write("overlays/"+env+"/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: hidden-"+env+"\n")
	}
	recipient, _ := peer.NewAgeKey(t)
	peer.Encrypt(t, recipient, filepath.Join(s.dir, "overlays/prod/secret.yaml"), "--encrypted-regex", "^(data|stringData)$")
	s.commit()
	s.git("checkout", "-q", "-b", "change")
	return s
}

func (s shopRepository) git(args ...string) {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (s shopRepository) commit() { s.git("add", "-A"); s.git("commit", "-q", "-m", "change") }

func (s shopRepository) write(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s shopRepository) replace(name, old, now string) {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	text := strings.Replace(string(data), old, now, 1)
	if text == string(data) {
		s.t.Fatalf("%s does not hold %q", name, old)
	}
	s.write(name, text)
}

func (s shopRepository) diff(opts gate.Options, base string) *diff.Result {
	s.t.Helper()
	opts.Path, opts.Diff.Unified = s.dir, true
	r, err := gate.Diff(context.Background(), opts, base)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, bad := range []string{"hidden-", "sopsTok0", "plainTok", "ENC["} {
		if bytes.Contains(text, []byte(bad)) {
			s.t.Errorf("the diff holds %q", bad)
		}
	}
	return r
}

// story writes a diff as a reader would tell it.
func story(r *diff.Result) []string {
	out := []string{}
	for _, t := range r.Targets {
		line := fmt.Sprintf("%s %s", t.Path, t.Status)
		if t.From != "" {
			line += " from " + t.From
		}
		out = append(out, line)
	}
	for _, c := range r.Changes {
		var in []string
		for _, i := range c.Instances {
			in = append(in, filepath.Base(i.Target))
		}
		line := fmt.Sprintf("%s %s in %s at %s", c.Action, c.Object, strings.Join(in, ","), c.Location)
		if c.Loss != "" {
			line += " LOSS"
		}
		out = append(out, line)
		for _, f := range c.Fields {
			value := fmt.Sprintf("%v → %v", f.Old, f.New)
			if f.Sealed {
				value = "sealed"
			}
			at := f.Location
			if at.IsZero() {
				at = f.OldLocation
			}
			out = append(out, fmt.Sprintf("  %s %s %s at %s", f.Action, f.Path, value, at))
		}
	}
	return out
}

// TestDiffKinds goes through the kinds of change that matter, each in a real
// repository with two branches.
func TestDiffKinds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s shopRepository)
		want   []string
	}{
		"nothing": {func(s shopRepository) { s.write("README.md", "words\n") }, []string{}},
		"image in the base": {func(s shopRepository) { s.replace("base/web.yaml", "web:1", "web:2") }, []string{
			"overlays/dev changed", "overlays/prod changed", "overlays/staging changed",
			"changed Deployment web in dev,prod,staging at base/web.yaml:1:1",
			"  changed /spec/template/spec/containers[web]/image web:1 → web:2 at base/web.yaml:12:18",
		}},
		"added overlay": {func(s shopRepository) {
			s.write("overlays/eu/kustomization.yaml", "namespace: shop-eu\nresources: [../../component-free]\n")
			s.write("component-free/kustomization.yaml", "resources: [cm.yaml]\n")
			s.write("component-free/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {A: b}\n")
		}, []string{"overlays/eu added", "added ConfigMap shop-eu/cm in eu at component-free/cm.yaml:1:1"}},
		"deleted component": {func(s shopRepository) {
			for _, env := range []string{"staging", "prod"} {
				s.replace("overlays/"+env+"/kustomization.yaml", "components: [../../component]\n", "")
			}
			s.git("rm", "-q", "-r", "component")
		}, []string{"overlays/prod changed", "overlays/staging changed", "removed PodDisruptionBudget web in prod,staging at component/pdb.yaml:1:1"}},
		"renamed overlay": {func(s shopRepository) { s.git("mv", "overlays/prod", "overlays/production") }, []string{"overlays/production moved from overlays/prod"}},
		"renamed secret file": {func(s shopRepository) {
			s.git("mv", "overlays/prod/secret.yaml", "overlays/prod/db.yaml")
			s.replace("overlays/prod/kustomization.yaml", "secret.yaml", "db.yaml")
		}, []string{"overlays/prod equal"}},
		"removed CRD and claim": {func(s shopRepository) {
			s.git("rm", "-q", "-r", "crds")
			s.replace("base/kustomization.yaml", ", claim.yaml", "")
		}, []string{
			"crds removed", "overlays/dev changed", "overlays/prod changed", "overlays/staging changed",
			"removed CustomResourceDefinition things.shop.example in crds at crds/crd.yaml:1:1 LOSS",
			"removed PersistentVolumeClaim data in dev,prod,staging at base/claim.yaml:1:1 LOSS",
		}},
		"secret key added": {func(s shopRepository) {
			s.replace("overlays/dev/secret.yaml", "stringData:\n", "stringData:\n  user: hidden-user\n")
		}, []string{
			"overlays/dev changed", "changed Secret shop-dev/db in dev at overlays/dev/secret.yaml:1:1", "  added /stringData/user sealed at overlays/dev/secret.yaml:5:9",
		}},
		"plaintext value changed": {func(s shopRepository) { s.replace("overlays/dev/secret.yaml", "hidden-dev", "hidden-two") }, []string{
			"overlays/dev changed", "changed Secret shop-dev/db in dev at overlays/dev/secret.yaml:1:1", "  changed /stringData/password sealed at overlays/dev/secret.yaml:5:13",
		}},
		"generator": {func(s shopRepository) { s.replace("base/kustomization.yaml", "LEVEL=info", "LEVEL=debug") }, []string{
			"overlays/dev changed", "overlays/prod changed", "overlays/staging changed",
			"changed ConfigMap settings-t84bgbmfg7 in dev,prod,staging at base/kustomization.yaml:3:3",
			"  changed /data/LEVEL info → debug at base/kustomization.yaml:4:14",
			"changed Deployment web in dev,prod,staging at base/web.yaml:1:1",
		}},
		"broken": {func(s shopRepository) { s.replace("overlays/dev/kustomization.yaml", "secret.yaml", "gone.yaml") }, []string{"overlays/dev unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			c.change(s)
			want := story(s.diff(gate.Options{Jobs: 1}, ""))
			if !slices.Equal(want, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(want, "\n"), strings.Join(c.want, "\n"))
			}
			// The index, a commit, and many workers say the same.
			s.git("add", "-A")
			one, many := s.diff(gate.Options{Jobs: 1, Selector: repo.Selector{Staged: true}}, "main"), s.diff(gate.Options{Jobs: 8, Selector: repo.Selector{Staged: true}}, "main")
			a, _ := json.Marshal(one)
			b, _ := json.Marshal(many)
			if !bytes.Equal(a, b) {
				t.Error("the number of workers shows")
			}
			s.git("commit", "-q", "-m", "c", "--allow-empty")
			if got := story(s.diff(gate.Options{Selector: repo.Selector{Rev: "HEAD"}}, "main")); !slices.Equal(got, want) {
				t.Errorf("as a commit:\n%s", strings.Join(got, "\n"))
			}
			if r := s.diff(gate.Options{}, "HEAD"); r.Differs() != (name == "broken") && len(r.Targets) > 0 {
				t.Errorf("against itself:\n%s", strings.Join(story(r), "\n"))
			}
		})
	}
}

func TestDiffBase(t *testing.T) {
	s := newShop(t)
	if r := s.diff(gate.Options{}, ""); r.From.Name != "main" || r.Differs() || r.Summary.Targets != 4 {
		t.Errorf("%+v %+v", r.From, r.Summary)
	}
	// What happens on the other branch since is no part of the change.
	s.git("checkout", "-q", "main")
	s.replace("base/web.yaml", "web:1", "web:7")
	s.commit()
	s.git("checkout", "-q", "change")
	if r := s.diff(gate.Options{}, ""); r.Differs() {
		t.Errorf("got\n%s", strings.Join(story(r), "\n"))
	}
	s.git("branch", "-m", "main", "trunk")
	for base, want := range map[string]string{"": "origin/HEAD, origin/main, origin/master, main, master", "nowhere": "nowhere"} {
		_, err := gate.Diff(t.Context(), gate.Options{Path: s.dir}, base)
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, repo.ErrRevision) != (base != "") {
			t.Errorf("%q: %v", base, err)
		}
	}
}

func TestBetween(t *testing.T) {
	s := newShop(t)
	s.replace("overlays/dev/kustomization.yaml", "resources:", "images: [{name: web, newTag: '3'}]\nresources:")
	r, err := gate.Between(t.Context(), gate.Options{Path: s.dir}, "overlays/staging", "overlays/dev")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"overlays/dev changed from overlays/staging",
		"removed PodDisruptionBudget shop-staging/web in dev at component/pdb.yaml:1:1",
		"changed Deployment shop-dev/web in dev at base/web.yaml:1:1",
		"  changed /spec/template/spec/containers[web]/image web:1 → web:3 at overlays/dev/kustomization.yaml:2:30",
	}
	got := slices.DeleteFunc(story(r), func(line string) bool { return strings.Contains(line, "Secret") || strings.Contains(line, "sealed") })
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if _, err := gate.Between(t.Context(), gate.Options{Path: s.dir}, "overlays/dev", "nowhere"); !errors.As(err, new(*gate.UsageError)) {
		t.Errorf("an unknown target: %v", err)
	}
}
