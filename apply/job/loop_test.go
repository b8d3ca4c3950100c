package job_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/apply/notify"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// interval is that of the loops here: what must not happen in it is counted, not
// timed.
const interval = 100 * time.Millisecond

// looping is a job that runs until the test ends, by a clock that stands still.
type looping struct {
	*shop
	job *job.Job

	mu   sync.Mutex
	now  time.Time
	runs []string // revisions, and how each ended
	last error
}

func (s *shop) loop() *looping {
	s.t.Helper()
	l := &looping{shop: s, now: time.Now()}
	l.job = s.job(func(o *job.Options) {
		o.Now = func() time.Time {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.now
		}
	})
	ctx, cancel := context.WithCancel(s.t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		l.job.Loop(ctx, interval, func(out *job.Outcome, err error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.runs, l.last = append(l.runs, fmt.Sprintf("%s %v", out.Revision, err == nil)), err
		})
	})
	s.t.Cleanup(func() {
		cancel()
		if done.Wait(); s.t.Failed() {
			s.t.Logf("runs %q, the last: %v", l.runs, l.last)
		}
	})
	return l
}

// count is how often a run of a revision ended well, or did not.
func (l *looping) count(revision string, well bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	want := fmt.Sprintf("%s %v", revision, well)
	return len(l.runs) - len(slices.DeleteFunc(slices.Clone(l.runs), func(r string) bool { return r == want }))
}

func (l *looping) advance(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

// looks is how often a revision was fetched.
func (l *looping) looks(revision string) (n int) {
	l.shop.mu.Lock()
	defer l.shop.mu.Unlock()
	for _, line := range l.told {
		if line == "fetched "+revision {
			n++
		}
	}
	return n
}

// post is a request that a receiver of notifications got.
type post struct {
	path   string
	header http.Header
	body   string
}

// receivers are Slack, a webhook, GitHub and GitLab on this machine.
type receivers struct {
	mu    sync.Mutex
	posts []post
	keys  string // lines of the configuration
}

func (s *shop) receivers() *receivers {
	s.t.Helper()
	r := &receivers{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.posts = append(r.posts, post{req.URL.EscapedPath(), req.Header, string(body)})
	}))
	s.t.Cleanup(server.Close)
	for name, text := range map[string]string{"slack": server.URL + "/slack", "shared": "c4n4ry-shared-key", "token": "c4n4ry-token"} {
		if err := os.WriteFile(filepath.Join(s.own, name), []byte(text+"\n"), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	r.keys = `notify:
- {type: slack, urlFile: slack}
- {type: webhook, url: "` + server.URL + `/hook", secretFile: shared}
- {type: github, api: "` + server.URL + `/github", repository: shop/fleet, tokenFile: token}
- {type: gitlab, api: "` + server.URL + `/gitlab", repository: shop/fleet, tokenFile: token}
`
	return r
}

// told is what a path was told, in order: for the webhook the state and the
// revision of each message, else the state that the host knows.
func (r *receivers) told(prefix string) (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.posts {
		if !strings.HasPrefix(p.path, prefix) {
			continue
		}
		var m struct{ Environment, State, Revision string }
		_ = json.Unmarshal([]byte(p.body), &m)
		if m.Revision == "" {
			m.Revision = p.path[strings.LastIndex(p.path, "/")+1:]
		}
		all = append(all, strings.TrimSpace(m.State+" "+m.Revision))
	}
	return all
}

// TestLoop: new commits are taken up; one that fails is not tried again before its
// pause is over, and then tells nobody the same twice; a newer one ends the pause.
func TestLoop(t *testing.T) {
	s := ugly(t)
	to := s.receivers()
	s.configure(failing() + to.keys)
	first := s.git("rev-parse", "HEAD")
	l := s.loop()
	eventually(t, "the first commit is applied, and again", func() bool { return l.count(first, true) >= 2 })
	s.write("overlays/prod/plain.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {token: c4n4ry-plain-8d2e}\n")
	s.overlay(s.namespace, "web.yaml", "secret.yaml", "plain.yaml")
	bad := s.commit("plaintext")
	eventually(t, "the bad commit is looked at often", func() bool { return l.looks(bad) >= 5 })
	if n := l.count(bad, false); n != 1 {
		t.Errorf("a commit that failed was tried %d times without a pause", n)
	}
	l.advance(3 * interval)
	eventually(t, "it is tried again after the pause", func() bool { return l.count(bad, false) == 2 })
	s.git("rm", "-q", "overlays/prod/plain.yaml")
	s.overlay(s.namespace, "web.yaml", "secret.yaml")
	stuck := s.play(controlplane.NeverReady)
	eventually(t, "the stuck rollout fails", func() bool { return l.count(stuck, false) == 1 })
	l.advance(3 * interval)
	eventually(t, "and fails again", func() bool { return l.count(stuck, false) == 2 })
	s.write("overlays/prod/web.yaml", s.web("nginx:2"))
	good := s.commit("mended")
	eventually(t, "a newer commit is applied in spite of the pause", func() bool { return l.count(good, true) >= 2 })

	want := []string{"started " + first, "applied " + first, "failed " + bad, "started " + stuck, "failed " + stuck, "started " + good, "applied " + good}
	if got := to.told("/hook"); !slices.Equal(got, want) {
		t.Errorf("the webhook was told\n%q, want\n%q", got, want)
	}
	for path, states := range map[string][3]string{"/github/": {"pending", "success", "failure"}, "/gitlab/": {"running", "success", "failed"}} {
		var status []string
		for _, line := range want {
			status = append(status, strings.NewReplacer("started", states[0], "applied", states[1], "failed", states[2]).Replace(line))
		}
		if got := to.told(path); !slices.Equal(got, status) {
			t.Errorf("%s was told\n%q, want\n%q", path, got, status)
		}
	}
	if got := to.told("/slack"); len(got) != len(want) {
		t.Errorf("Slack was told %d things, want %d", len(got), len(want))
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	for _, p := range to.posts {
		for _, secret := range []string{password, "c4n4ry-plain-8d2e", "c4n4ry-shared-key", "c4n4ry-token"} {
			if holds(p.path+p.body, secret) {
				t.Errorf("%s was told a secret: %s", p.path, p.body)
			}
		}
		if p.path == "/hook" {
			var m struct{ Time time.Time }
			if err := json.Unmarshal([]byte(p.body), &m); err != nil || p.header.Get(notify.SignatureHeader) != notify.Sign([]byte("c4n4ry-shared-key"), m.Time, []byte(p.body)) {
				t.Errorf("signature %q of %s", p.header.Get(notify.SignatureHeader), p.body)
			}
		}
	}
	l.pages(t, good)
}

// pages holds what /metrics and /healthz say.
func (l *looping) pages(t *testing.T, revision string) {
	t.Helper()
	server := httptest.NewServer(l.job.Handler(time.Hour))
	defer server.Close()
	get := func(path string) (int, string) {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	_, text := get("/metrics")
	for _, want := range []string{
		`sallyport_applied_revision_info{revision="` + revision + `",target="overlays/prod"} 1`, `sallyport_target_objects{target="overlays/prod"} 4`,
		`sallyport_drifted_objects{target="overlays/prod"} 0`, `sallyport_runs_total{result="refused"} 2`, `sallyport_runs_total{result="failed"} 2`,
		`sallyport_last_success_timestamp_seconds{target="overlays/prod"}`, `sallyport_findings{severity="error"} 0`, "sallyport_run_duration_seconds_count",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics lacks %s:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "sallyport_applied_revision_info{"); n != 1 || holds(text, password) {
		t.Errorf("%d revisions of one target:\n%s", n, text)
	}
	if code, text := get("/healthz"); code != http.StatusOK || text != "ok\n" {
		t.Errorf("/healthz: %d %s", code, text)
	}
}

// TestLoopReverts: a rollout that failed is gone back from once; then the good
// revision is kept, drift and all, and the status says what failed, until there is
// a new commit.
func TestLoopReverts(t *testing.T) {
	s := ugly(t)
	s.configure("onFailure: revert\ndrift: {heal: always}\n" + failing())
	good := s.git("rev-parse", "HEAD")
	l := s.loop()
	eventually(t, "it is applied", func() bool { return l.count(good, true) >= 1 })
	bad := s.play(controlplane.NeverReady)
	eventually(t, "it goes back, and stays there", func() bool { return l.count(bad, false) == 1 && l.count(good, true) >= 4 })
	// Not deleted: a run that is just waiting for health would wait for it.
	s.plane.Kubectl(t, "-n", s.namespace, "patch", "service", "web", "-p", `{"spec":{"selector":{"app":"other"}}}`)
	eventually(t, "drift is put back", func() bool { return s.get("service", "web", "-o", "jsonpath={.spec.selector.app}") == "web" })
	l.advance(time.Hour)
	kept := l.count(good, true)
	eventually(t, "it is kept", func() bool { return l.count(good, true) >= kept+3 })
	if n := l.count(bad, false); n != 1 {
		t.Errorf("the bad commit was tried %d times", n)
	}
	all := s.statuses()
	if all[0].State != notify.Failed || all[0].Revision != bad || all[0].Stage != job.StageHealth || all[1].State != notify.Applied || all[1].Revision != good {
		t.Errorf("statuses %+v", all)
	}
	s.write("overlays/prod/web.yaml", s.web("nginx:2"))
	next := s.commit("mended")
	eventually(t, "a new commit ends it", func() bool { return l.count(next, true) >= 1 })
	if all := s.statuses(); all[0].State != notify.Applied || all[0].Revision != next {
		t.Errorf("statuses %+v", all)
	}
}

// TestSuperseded: a rollout that hangs is waited for only until there is something
// newer.
func TestSuperseded(t *testing.T) {
	s := ugly(t)
	s.write("overlays/prod/hook.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: clean-up, annotations: {sallyport.dev/hook: failed}}\n"+
		"spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n")
	s.overlay(s.namespace, "web.yaml", "secret.yaml", "hook.yaml")
	bad := s.play(controlplane.NeverReady)
	l := s.loop()
	eventually(t, "the rollout hangs", func() bool {
		return s.get("deployment", "--ignore-not-found", "web", "-o", "jsonpath={.status.unavailableReplicas}") == "2"
	})
	s.write("overlays/prod/web.yaml", s.web("nginx:2"))
	good := s.commit("mended")
	eventually(t, "the newer one is applied", func() bool { return l.count(good, true) >= 1 })
	if l.count(bad, false) != 1 {
		t.Errorf("runs %q", l.runs)
	}
	if jobs := s.get("jobs", "-o", "name"); jobs != "" {
		t.Errorf("what was superseded was cleaned up after as if it had failed: %s", jobs)
	}
}
