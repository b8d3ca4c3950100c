package job_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/testdata/controlplane"
	"github.com/sallyport/sallyport/testdata/peer"
)

// password is the value of the fixture's Secret. No output may hold it.
const password = "c4n4ry-job-5f81-p4ssw0rd"

// TestMain lets more tests run side by side than there are processors: they wait
// for controllers most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		if err := flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// shop is a Git repository with one environment, and the configuration of the
// cluster that it is applied to.
type shop struct {
	t         *testing.T
	plane     *controlplane.Cluster
	dir       string // the repository
	own       string // directory of the cluster's configuration
	namespace string // of what is applied
	runner    string // of inventory and status
	recipient string
	identity  string

	mu   sync.Mutex
	told []string
}

func newShop(t *testing.T, plane *controlplane.Cluster) *shop {
	t.Helper()
	s := &shop{t: t, plane: plane, dir: t.TempDir(), own: t.TempDir(), namespace: plane.Namespace(t), runner: plane.Namespace(t)}
	s.recipient, s.identity = peer.NewAgeKey(t)
	s.git("init", "-q", "-b", "main")
	s.write("overlays/prod/kustomization.yaml", `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: `+s.namespace+`
resources: [web.yaml, secret.yaml]
configMapGenerator: [{name: settings, literals: [colour=green]}]
`)
	s.write("overlays/prod/web.yaml", s.web("nginx"))
	s.seal("overlays/prod/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: "+password+"\n")
	s.commit("begin")
	s.configure("")
	return s
}

// web is a Deployment and its Service.
func (s *shop) web(image string) string {
	return `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: ` + image + `
        envFrom: [{configMapRef: {name: settings}}]
        env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]
`
}

// configure writes the cluster's configuration; more is lines of its apply
// section, without indentation.
func (s *shop) configure(more string) {
	s.t.Helper()
	text := "apiVersion: sallyport.dev/v1\nkind: Config\n" +
		// The manifests of the fixture are short: what the bundled policies want is not the subject.
		"bundled: {disable: [" + strings.Join(bundled, ", ") + "]}\n" +
		"apply:\n  source: {url: \"file://" + s.dir + "\", ref: main}\n  identities: {files: [" + s.identity + "]}\n"
	if !strings.Contains(more, "health:") {
		more += quick
	}
	for line := range strings.Lines(more) {
		text += "  " + line
	}
	if err := os.WriteFile(filepath.Join(s.own, "config.yaml"), []byte(text+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	rules := fmt.Sprintf("creation_rules: [{encrypted_regex: '^(data|stringData)$', age: %s}]\n", s.recipient)
	if err := os.WriteFile(filepath.Join(s.own, ".sops.yaml"), []byte(rules), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) write(path, text string) {
	s.t.Helper()
	name := filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) seal(path, text string) {
	s.t.Helper()
	s.write(path, text)
	peer.Encrypt(s.t, s.recipient, filepath.Join(s.dir, path), "--encrypted-regex", "^(data|stringData)$")
}

func (s *shop) git(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits everything and returns the SHA.
func (s *shop) commit(message string) string {
	s.t.Helper()
	s.git("add", "-A")
	s.git("commit", "-q", "-m", message)
	return s.git("rev-parse", "HEAD")
}

// job makes a job for the shop; change may adjust its options.
func (s *shop) job(change ...func(*job.Options)) *job.Job {
	s.t.Helper()
	opts := job.Options{
		Config: filepath.Join(s.own, "config.yaml"), Kubeconfig: s.plane.Admin, Namespace: s.runner, Holder: s.t.Name(), ToolVersion: "0.1.0",
		Tell: func(line string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.told = append(s.told, line)
		},
	}
	for _, f := range change {
		f(&opts)
	}
	j, err := job.New(opts)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

// apply runs once and must succeed.
func (s *shop) apply(change ...func(*job.Options)) *job.Outcome {
	s.t.Helper()
	out, err := s.job(change...).Run(s.t.Context())
	if err != nil {
		s.fatal(out, err)
	}
	return out
}

func (s *shop) fatal(out *job.Outcome, err error) {
	s.t.Helper()
	if out.Admission != nil {
		for _, f := range out.Admission.Report.Findings {
			s.t.Logf("%s %s: %s [%s]", f.Severity, f.Location, f.Message, f.Rule)
		}
	}
	s.t.Fatalf("%v\n%s", err, strings.Join(s.told, "\n"))
}

// actions are what was done to objects, without what did not change.
func actions(out *job.Outcome) []string {
	var all []string
	for _, t := range out.Targets {
		if t.Result == nil {
			continue
		}
		for _, a := range t.Result.Actions {
			if a.Verb != "unchanged" {
				all = append(all, strings.TrimSpace(string(a.Verb)+" "+a.ID.Kind+" "+a.ID.Name))
			}
		}
	}
	slices.Sort(all)
	return all
}

func (s *shop) get(args ...string) string {
	s.t.Helper()
	return strings.TrimSpace(s.plane.Kubectl(s.t, append([]string{"-n", s.namespace, "get"}, args...)...))
}

// eventually repeats a look until it is content. The deadline is for a failure
// only.
func eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if look() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

var bundled = []string{"image-digest", "image-latest", "probes-missing", "resources-missing", "run-as-root"}
