package render

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// trap is a server and a git that must not be used.
type trap struct {
	url      string
	requests atomic.Int32
	git      string // exists once git has run
}

func setTrap(t *testing.T) *trap {
	t.Helper()
	trap := &trap{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		trap.requests.Add(1)
		_, _ = w.Write([]byte(configMap))
	}))
	t.Cleanup(server.Close)
	bin := t.TempDir()
	trap.url, trap.git = server.URL, filepath.Join(bin, "ran")
	script := "#!/bin/sh\necho \"$@\" >> '" + trap.git + "'\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return trap
}

func (trap *trap) check(t *testing.T) {
	t.Helper()
	if n := trap.requests.Load(); n > 0 {
		t.Errorf("the server got %d requests", n)
	}
	if ran, err := os.ReadFile(trap.git); err == nil {
		t.Errorf("git was run: %s", ran)
	}
}

// Whatever way kustomize has to reach the network is found before it runs.
func TestNetworkIsRefused(t *testing.T) {
	trap := setTrap(t)
	url := trap.url + "/a.yaml"
	text := func(fields string) string {
		return "transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n  " + fields + "\n"
	}
	for name, test := range map[string]struct {
		kustomization string
		line          string
	}{
		"resource":              {"resources:\n- " + url + "\n", "2:3"},
		"upper case":            {"resources:\n- " + strings.Replace(url, "http", "HTTP", 1) + "\n", "2:3"},
		"base":                  {"bases:\n- " + url + "\n", "2:3"},
		"component":             {"components:\n- " + trap.url + "/o/r//c\n", "2:3"},
		"git over https":        {"resources:\n- https://github.com/o/r//base?ref=v1\n", "2:3"},
		"github.com":            {"resources:\n- github.com/o/r/base\n", "2:3"},
		"GitHub.com:":           {"resources:\n- GitHub.com:o/r\n", "2:3"},
		"git::":                 {"resources:\n- git::https://example.com/o/r\n", "2:3"},
		"ssh":                   {"resources:\n- ssh://git@example.com/o/r\n", "2:3"},
		"scp":                   {"resources:\n- git@example.com:o/r\n", "2:3"},
		"scp, other user":       {"components:\n- bob@example.com:o/r.git\n", "2:3"},
		"file":                  {"resources:\n- file:///tmp/repository\n", "2:3"},
		"patch":                 {"resources: [a.yaml]\npatches:\n- path: " + url + "\n", "3:9"},
		"strategic patch":       {"resources: [a.yaml]\npatchesStrategicMerge:\n- " + url + "\n", "3:3"},
		"JSON patch":            {"resources: [a.yaml]\npatchesJson6902:\n- path: " + url + "\n  target: {version: v1, kind: ConfigMap, name: settings}\n", "3:9"},
		"crd":                   {"resources: [a.yaml]\ncrds:\n- " + url + "\n", "3:3"},
		"configuration":         {"resources: [a.yaml]\nconfigurations:\n- " + url + "\n", "3:3"},
		"openapi":               {"resources: [a.yaml]\nopenapi:\n  path: " + url + "\n", "3:9"},
		"replacement":           {"resources: [a.yaml]\nreplacements:\n- path: " + url + "\n", "3:9"},
		"generator file":        {"configMapGenerator:\n- name: a\n  files:\n  - key=" + url + "\n", "4:5"},
		"generator env":         {"secretGenerator:\n- name: a\n  envs:\n  - " + url + "\n", "4:5"},
		"old generator env":     {"secretGenerator:\n- name: a\n  env: " + url + "\n", "3:8"},
		"generator":             {"generators:\n- " + url + "\n", "2:3"},
		"transformer":           {"resources: [a.yaml]\ntransformers:\n- " + url + "\n", "3:3"},
		"validator":             {"resources: [a.yaml]\nvalidators:\n- github.com/o/r\n", "3:3"},
		"field in another case": {"Resources:\n- " + url + "\n", "2:3"},
		"builtin transformer":   {"resources: [a.yaml]\n" + text("path: "+url), "3:3"},
		"builtin generator":     {"generators: [g.yaml]\n", "4:9"},
		"anchored":              {"namePrefix: &u " + url + "\nresources:\n- *u\n", "3:3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := built(t, memory{
				"app/kustomization.yaml": test.kustomization, "app/a.yaml": configMap,
				"app/g.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nfiles: [\"k=" + url + "\"]\n",
			}, "app")
			found := strings.Join(lines(r.Findings), "\n")
			file := "app/kustomization.yaml:"
			if name == "builtin generator" {
				file = "app/g.yaml:"
			}
			if !strings.Contains(found, "remote-reference "+file+test.line) {
				t.Errorf("want a remote-reference at %s, got %q", test.line, found)
			}
		})
	}
	trap.check(t)
}

// A generator that is itself made by kustomize could make up an address that no
// file holds, so it is refused; and if one got through, so would the connection.
func TestMadeUpAddressIsRefused(t *testing.T) {
	trap := setTrap(t)
	generator := "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nfiles: [nothing]\n"
	for name, kustomization := range map[string]string{
		"patch":       "resources: [g.yaml]\npatches:\n- target: {kind: ConfigMapGenerator}\n  patch: |-\n    - op: replace\n      path: /files/0\n      value: k=" + trap.url + "/x\n",
		"replacement": "resources: [g.yaml]\nreplacements:\n- sourceValue: k=" + trap.url + "/x\n  targets: [{select: {kind: ConfigMapGenerator}, fieldPaths: [files.0]}]\n",
		"generator":   "resources: [g.yaml]\ngenerators: [h.yaml]\n",
	} {
		r := built(t, memory{
			"app/kustomization.yaml": "generators: [gen]\n", "app/gen/kustomization.yaml": kustomization,
			"app/gen/g.yaml": generator, "app/gen/h.yaml": generator,
		}, "app")
		if !strings.HasPrefix(r.Reason, "app/gen/kustomization.yaml:") || !strings.Contains(r.Reason, "put together by kustomize") {
			t.Errorf("%s: reason %q", name, r.Reason)
		}
	}
	process.alone(false, func() {
		if _, err := http.Get(trap.url); !errors.Is(err, errOffline) {
			t.Errorf("a connection gives %v", err)
		}
	})
	trap.check(t)
}

// A directory of generators that are written out is as good as their files.
func TestDirectoryOfGenerators(t *testing.T) {
	tree := memory{
		"app/kustomization.yaml": "generators: [gen]\n", "app/gen/kustomization.yaml": "resources: [g.yaml]\n", "app/data.bin": "\x00",
		"app/gen/g.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nfiles: [data.bin]\n",
	}
	if r := built(t, tree, "app"); len(r.Objects) != 1 {
		t.Errorf("got %q", lines(r.Findings))
	}
	tree["app/gen/g.yaml"] = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nfiles: [\"http://127.0.0.1:1/x\"]\n"
	if r := built(t, tree, "app"); len(r.Findings) != 1 || r.Findings[0].Rule != ruleRemoteReference {
		t.Errorf("got %q", lines(r.Findings))
	}
}

// Credentials in an address are not repeated.
func TestRemoteReferenceWithoutCredentials(t *testing.T) {
	r := built(t, memory{"app/kustomization.yaml": "resources:\n- https://user:hunter2@example.com/o/r?token=hunter3\n"}, "app")
	if got := r.Findings[0].Message; got != "resources names https://example.com/o/r, which is on the network" {
		t.Errorf("got %q", got)
	}
}

// A local path that only looks like a remote one stays local.
func TestNotRemote(t *testing.T) {
	for _, text := range []string{"../base", "a@b.yaml", "github.com", "github.com/base", "http.yaml", "./github.com/o/r", "bob@base/x"} {
		if isRemote(text, roleResource) {
			t.Errorf("%s counts as remote", text)
		}
	}
}

func TestAllowNetwork(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bomb.yaml" {
			_, _ = w.Write([]byte("not: [an object"))
			return
		}
		_, _ = w.Write([]byte(configMap))
	}))
	defer server.Close()
	clone := gitRepository(t)
	tree := memory{
		"http/kustomization.yaml": "resources:\n- " + server.URL + "/a.yaml\n",
		"git/kustomization.yaml":  "resources:\n- file://" + clone + "//base\n",
		"bad/kustomization.yaml":  "resources:\n- " + server.URL + "/bomb.yaml\n",
	}
	b := NewBuilder(tree, Options{AllowNetwork: true})
	for dir, want := range map[string]int{"http": 1, "git": 1, "bad": 0} {
		r, err := b.Build(t.Context(), Target{Path: dir, Kind: Kustomize})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Objects) != want || (want == 0) != (r.Reason != "") {
			t.Errorf("%s: %d objects, %q", dir, len(r.Objects), r.Reason)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), clonePrefix+"*")); len(left) > 0 {
		t.Errorf("clones are left behind: %q", left)
	}
}

// gitRepository makes a repository with a base, and a temporary directory of
// the test's own for the clones.
func gitRepository(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	t.Setenv("TMPDIR", t.TempDir())
	dir := filepath.Join(t.TempDir(), "repository")
	if err := os.MkdirAll(filepath.Join(dir, "base"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": configMap} {
		if err := os.WriteFile(filepath.Join(dir, "base", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "base"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	return dir
}
