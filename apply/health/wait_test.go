package health_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestMain lets tests wait side by side: they wait for a control plane, not for
// a processor.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	m.Run()
}

const deployment = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: %[1]s, labels: {set: a}},
  spec: {replicas: 1, progressDeadlineSeconds: %[2]s, selector: {matchLabels: {app: web}},
    template: {metadata: {labels: {app: web, %[3]s}, annotations: {%[4]s}}, spec: {containers: [{name: app, image: app}]%[5]s}}}}`

// rollout applies a Deployment and waits for it.
type rollout struct{ deadline, label, annotation, spec string }

func connect(t *testing.T, plane *controlplane.Cluster) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Connect(context.Background(), cluster.Options{Kubeconfig: plane.Admin})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (r rollout) wait(t *testing.T, plane *controlplane.Cluster, opts health.Options) error {
	t.Helper()
	ns := plane.Namespace(t)
	if r.deadline == "" {
		r.deadline = "600"
	}
	plane.Apply(t, fmt.Sprintf(deployment, ns, r.deadline, r.label, r.annotation, r.spec))
	opts.Selector = "set=a"
	return health.Wait(context.Background(), connect(t, plane), []cluster.ID{{Group: "apps", Kind: "Deployment", Namespace: ns, Name: "web"}, {Kind: "Secret", Namespace: ns, Name: "not-read"}}, opts)
}

func TestWait(t *testing.T) {
	t.Parallel()
	plane := controlplane.Shared(t)
	const long = 10 * time.Minute // for a machine that has other things to do
	for _, tt := range []struct {
		name string
		rollout
		timeout, stable time.Duration
		want            string // in the error; "" is healthy
	}{
		{name: "healthy", timeout: long, stable: time.Second},
		{name: "slow", rollout: rollout{annotation: "sallyport.test/ready-after: 2s"}, timeout: long, stable: -1},
		{name: "never ready", rollout: rollout{label: "sallyport.test/play: never-ready"}, timeout: time.Second, want: "not healthy within 1s:\n  Deployment.apps/NS/web is progressing: "},
		// Between two crashes it is available, for as long as controllers take to see
		// the next one.
		{name: "crash loop", rollout: rollout{label: "sallyport.test/play: crash-loop"}, timeout: long, stable: long, want: "container app: CrashLoopBackOff after "},
		{name: "no image", rollout: rollout{label: "sallyport.test/play: pull-fails"}, timeout: long, stable: long, want: "container app: ImagePullBackOff"},
		{name: "unschedulable", rollout: rollout{deadline: "2", spec: ", nodeSelector: {no: where}"}, timeout: long, stable: long, want: "waiting longer does not help:\n  Deployment.apps/NS/web is failed: Progress deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.wait(t, plane, health.Options{Timeout: tt.timeout, Stable: tt.stable})
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var e *health.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			text := strings.ReplaceAll(err.Error(), "/"+e.States[0].ID.Namespace+"/", "/NS/")
			if !strings.Contains(text, tt.want) {
				t.Errorf("got %s, want %s", text, tt.want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	plane := controlplane.Shared(t)
	id := cluster.ID{Kind: "Service", Namespace: plane.Namespace(t), Name: "web"}
	err := health.Wait(context.Background(), connect(t, plane), []cluster.ID{id}, health.Options{Timeout: time.Nanosecond})
	if err == nil || !strings.Contains(err.Error(), id.String()+" is missing: does not exist") {
		t.Errorf("got %v", err)
	}
}

// switched is a ConfigMap that is healthy when it says so.
type switched struct {
	plane *controlplane.Cluster
	id    cluster.ID
}

func newSwitched(t *testing.T, plane *controlplane.Cluster) (switched, *health.Judge) {
	t.Helper()
	judge, err := health.NewJudge([]health.Rule{{Kind: "ConfigMap", Healthy: "self.data.ready == 'yes'"}})
	if err != nil {
		t.Fatal(err)
	}
	s := switched{plane, cluster.ID{Kind: "ConfigMap", Namespace: plane.Namespace(t), Name: "switched"}}
	s.set(t, "no")
	return s, judge
}

func (s switched) set(t *testing.T, ready string) {
	s.plane.Apply(t, fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, namespace: %s}, data: {ready: '%s'}}", s.id.Name, s.id.Namespace, ready))
}

// TestStable: what is healthy only now and then is not healthy; what is so for
// as long as was asked for is.
func TestStable(t *testing.T) {
	t.Parallel()
	plane := controlplane.Shared(t)
	object, judge := newSwitched(t, plane)
	const breaks = 3
	seen := 0
	err := health.Wait(t.Context(), connect(t, plane), []cluster.ID{object.id}, health.Options{Judge: judge, Timeout: time.Hour, Stable: time.Second, Interval: 50 * time.Millisecond,
		Progress: func(bad []health.State) {
			switch {
			case len(bad) > 0:
				object.set(t, "yes")
			case seen < breaks:
				seen++
				object.set(t, "no")
			}
		}})
	if err != nil || seen != breaks {
		t.Errorf("got %v, after it was healthy %d times, want %d", err, seen, breaks)
	}
}

func TestSuperseded(t *testing.T) {
	t.Parallel()
	plane := controlplane.Shared(t)
	err := rollout{label: "sallyport.test/play: never-ready"}.wait(t, plane, health.Options{Timeout: time.Hour, Superseded: func(context.Context) bool { return true }})
	if !errors.Is(err, health.ErrSuperseded) {
		t.Errorf("got %v", err)
	}
}

// TestServerRestarts: an API server that is away for a moment does not end the
// wait.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	plane := controlplane.Start(t, controlplane.Options{APIServerOnly: true})
	object, judge := newSwitched(t, plane)
	back := make(chan struct{})
	var once sync.Once
	err := health.Wait(t.Context(), connect(t, plane), []cluster.ID{object.id}, health.Options{Judge: judge, Timeout: time.Hour, Stable: -1, Progress: func([]health.State) {
		once.Do(func() {
			plane.StopAPIServer(t)
			go func() {
				defer close(back)
				plane.StartAPIServer(t)
				object.set(t, "yes")
			}()
		})
	}})
	<-back
	if err != nil {
		t.Error(err)
	}
}

// TestServerErrs: what the server cannot answer at the moment, for a reason that
// is no use to ask again about, is asked with the next look.
func TestServerErrs(t *testing.T) {
	t.Parallel()
	plane := controlplane.Shared(t)
	object, judge := newSwitched(t, plane)
	object.set(t, "yes")
	var asked atomic.Int32
	c := as(t, plane.Intercept(t, func(r *http.Request) int {
		if strings.HasSuffix(r.URL.Path, "/configmaps") && asked.Add(1) <= 2 {
			return http.StatusInternalServerError
		}
		return 0
	}))
	var reasons []string
	err := health.Wait(t.Context(), c, []cluster.ID{object.id}, health.Options{Judge: judge, Timeout: time.Hour, Stable: -1, Interval: 50 * time.Millisecond, Progress: func(bad []health.State) {
		for _, s := range bad {
			reasons = append(reasons, s.Reason)
		}
	}})
	if err != nil || len(reasons) != 2 || !strings.HasPrefix(reasons[0], "cannot be read at the moment: list ConfigMap in "+object.id.Namespace+": 500") {
		t.Errorf("%v; %q", err, reasons)
	}
}
