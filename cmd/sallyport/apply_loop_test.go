package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/drift"
	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/apply/notify"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// until repeats a look until it is content. The deadline is for a failure only.
func until(t *testing.T, what string, look func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if look() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// runsTotal is what /metrics says of runs of a result.
func runsTotal(j *job.Job, result string) int {
	page := httptest.NewRecorder()
	j.Handler(time.Hour).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	found := regexp.MustCompile(`(?m)^sallyport_runs_total\{result="` + result + `"\} (\d+)$`).FindStringSubmatch(page.Body.String())
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

// TestLoopWrongConfiguration: a configuration that is wrong from the start ends the
// loop, so that a Deployment is seen to crash. One that becomes wrong is told in
// status, metrics and an event, and looked at again. What nobody judges is said
// once, not in every turn.
func TestLoopWrongConfiguration(t *testing.T) {
	o := &origin{dir: t.TempDir()}
	o.git(t, "init", "-q", "-b", "main")
	config := filepath.Join(t.TempDir(), "config.yaml")
	configure := func(more string) {
		t.Helper()
		text := "apiVersion: sallyport.dev/v1\nkind: Config\napply:\n  source: {url: \"file://" + o.dir + "\"}\n  health: {stable: 1ms}\n" + more
		err := os.WriteFile(config+".next", []byte(text), 0o600)
		if err == nil {
			err = os.Rename(config+".next", config) // at once, as the kubelet does
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	plane := controlplane.Shared(t)
	runner, namespace := plane.Namespace(t), plane.Namespace(t)
	o.write(t, map[string]string{"all.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: " + namespace + "}\n"})
	o.commit(t, "begin")
	f := &jobFlags{format: "text"}
	begin := func(ctx context.Context) (*job.Job, func() (stderr string, err error)) {
		t.Helper()
		s, _, stderr := world(nil)
		j, err := job.New(job.Options{Config: config, Kubeconfig: plane.Admin, Namespace: runner, Holder: "one", ToolVersion: "0.1.0"})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- f.loop(ctx, s, j, 50*time.Millisecond, "") }()
		return j, func() (string, error) { err := <-ended; return stderr.String(), err }
	}

	configure("  wrong: yes\n")
	_, end := begin(t.Context())
	var wrong *gate.UsageError
	if _, err := end(); !errors.As(err, &wrong) {
		t.Errorf("a configuration that is wrong from the start: %v", err)
	}

	configure("")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	j, end := begin(ctx)
	until(t, "it is applied, twice", func() bool { return runsTotal(j, "applied") >= 2 })
	configure("  wrong: yes\n")
	until(t, "it becomes wrong, and is looked at again", func() bool { return runsTotal(j, "failed") >= 2 })
	client, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: plane.Admin})
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := job.Statuses(t.Context(), client, runner)
	if err != nil || len(statuses) != 2 || statuses[0].State != notify.Failed || !strings.Contains(strings.Join(statuses[0].Errors, "\n"), `unknown key "wrong"`) {
		t.Errorf("%v, statuses %+v", err, statuses)
	}
	if events := plane.Kubectl(t, "-n", runner, "get", "events", "-o", "jsonpath={.items[*].message}"); !strings.Contains(events, `unknown key "wrong"`) {
		t.Errorf("events: %s", events)
	}
	configure("")
	before := runsTotal(j, "applied")
	until(t, "it is right again", func() bool { return runsTotal(j, "applied") > before })
	cancel()
	stderr, err := end()
	if err != nil {
		t.Errorf("a loop that was stopped: %v", err)
	}
	// Once in the beginning, and once when it was right again.
	if n := strings.Count(stderr, "note: who made a commit is not judged"); n != 2 {
		t.Errorf("said %d times:\n%s", n, stderr)
	}
}

// TestOutcomeNeutral: nothing that somebody wrote into the cluster moves a cursor
// or begins a line.
func TestOutcomeNeutral(t *testing.T) {
	out := &job.Outcome{Targets: []*job.TargetOutcome{{Target: "prod", Drift: []drift.Object{{
		ID: cluster.ID{Kind: "ConfigMap", Namespace: "shop", Name: "one"}, What: drift.Changed,
		Fields: []drift.Field{{Path: ".data.a\x1b[2J\u202e", What: drift.Changed, By: []drift.Manager{{Name: "mallory\r", Operation: "Update"}}}},
	}}}}, Notes: []string{"a\x1b[2J\nb"}}
	for format, forbidden := range map[string]string{"text": "\x1b\r\u202e", "json": "\x1b\r"} {
		s, stdout, stderr := world(nil)
		if err := writeOutcome(s, format, out, fmt.Errorf("no\x1b[2J")); err != nil {
			t.Fatal(err)
		}
		text := stdout.String() + stderr.String()
		if strings.ContainsAny(text, forbidden) || !strings.Contains(text, "mallory") {
			t.Errorf("%s: %q", format, text)
		}
		if format == "text" && !slices.Equal(strings.Split(strings.TrimSpace(stderr.String()), "\n"), []string{"note: a<U+001B>[2J b"}) {
			t.Errorf("notes: %q", stderr)
		}
	}
}
