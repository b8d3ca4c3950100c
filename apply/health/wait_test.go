package health_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

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
	plane := controlplane.Shared(t)
	for _, tt := range []struct {
		name string
		rollout
		timeout time.Duration
		want    string // in the error; "" is healthy
	}{
		{name: "healthy", timeout: time.Minute},
		{name: "slow", rollout: rollout{annotation: "sallyport.test/ready-after: 4s"}, timeout: time.Minute},
		{name: "never ready", rollout: rollout{label: "sallyport.test/play: never-ready"}, timeout: 4 * time.Second, want: "not healthy within 4s:\n  Deployment.apps/NS/web is progressing: "},
		{name: "crash loop", rollout: rollout{label: "sallyport.test/play: crash-loop"}, timeout: 2 * time.Minute, want: "container app: CrashLoopBackOff after "},
		{name: "no image", rollout: rollout{label: "sallyport.test/play: pull-fails"}, timeout: 2 * time.Minute, want: "container app: ImagePullBackOff"},
		{name: "unschedulable", rollout: rollout{deadline: "2", spec: ", nodeSelector: {no: where}"}, timeout: 2 * time.Minute, want: "waiting longer does not help:\n  Deployment.apps/NS/web is failed: Progress deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.wait(t, plane, health.Options{Timeout: tt.timeout, Stable: 2 * time.Second})
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
	plane := controlplane.Shared(t)
	id := cluster.ID{Kind: "Service", Namespace: plane.Namespace(t), Name: "web"}
	err := health.Wait(context.Background(), connect(t, plane), []cluster.ID{id}, health.Options{Timeout: time.Nanosecond})
	if err == nil || !strings.Contains(err.Error(), id.String()+" is missing: does not exist") {
		t.Errorf("got %v", err)
	}
}

// TestStable: what is healthy only now and then is not healthy.
func TestStable(t *testing.T) {
	plane := controlplane.Shared(t)
	var healthy atomic.Int32
	err := rollout{label: "sallyport.test/play: crash-loop"}.wait(t, plane, health.Options{Timeout: time.Minute, Stable: 30 * time.Second, Interval: 100 * time.Millisecond, Progress: func(bad []health.State) {
		if len(bad) == 0 {
			healthy.Add(1)
		}
	}})
	if err == nil || healthy.Load() == 0 {
		t.Errorf("got %v, seen healthy %d times", err, healthy.Load())
	}
}

func TestSuperseded(t *testing.T) {
	plane := controlplane.Shared(t)
	err := rollout{label: "sallyport.test/play: never-ready"}.wait(t, plane, health.Options{Timeout: time.Minute, Superseded: func(context.Context) bool { return true }})
	if !errors.Is(err, health.ErrSuperseded) {
		t.Errorf("got %v", err)
	}
}

// TestServerRestarts: an API server that is away for a moment does not end the
// wait.
func TestServerRestarts(t *testing.T) {
	plane := controlplane.Start(t, controlplane.Options{})
	var once atomic.Bool
	err := rollout{annotation: "sallyport.test/ready-after: 5s"}.wait(t, plane, health.Options{Timeout: 2 * time.Minute, Progress: func(bad []health.State) {
		if len(bad) > 0 && once.CompareAndSwap(false, true) {
			plane.RestartAPIServer(t)
		}
	}})
	if err != nil || !once.Load() {
		t.Errorf("%v, restarted: %v", err, once.Load())
	}
}
