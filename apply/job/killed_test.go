package job_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// states is how many different commits the killed shop goes round in. Each
// creates, changes and prunes something against the one before.
const states = 3

// state commits one of them and returns the ConfigMaps that it has.
func (s *shop) state(n int) []string {
	s.t.Helper()
	var docs, names []string
	for _, i := range []int{n % states, (n + 1) % states} {
		names = append(names, fmt.Sprintf("c%d", i))
		docs = append(docs, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\ndata: {state: \"%d\"}\n", i, n))
	}
	s.write("overlays/prod/web.yaml", strings.Replace(s.web(fmt.Sprintf("nginx:%d", n%states)), "replicas: 2", "replicas: 1", 1))
	s.with(strings.Join(docs, "---\n"))
	slices.Sort(names)
	return names
}

// program builds the command once for all lanes.
func program(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "sallyport")
	cmd := exec.Command("go", "build", "-o", bin, "../../cmd/sallyport")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// victim is one process of the command in a shop.
type victim struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner // of standard error, where progress is told
}

// start starts the command with a temporary directory of its own.
func (s *shop) start(bin, tmp string) *victim {
	s.t.Helper()
	cmd := exec.Command(bin, "apply", "--config", filepath.Join(s.own, "config.yaml"), "--kubeconfig", s.plane.Admin, "--namespace", s.runner)
	cmd.Dir = tmp
	cmd.Env = []string{"TMPDIR=" + tmp, "HOME=" + tmp, "PATH="}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return &victim{cmd, bufio.NewScanner(stderr)}
}

// wait reads to the end and says whether the process was killed.
func (v *victim) wait(t *testing.T) (killed bool) {
	t.Helper()
	var told []string
	for v.lines.Scan() {
		told = append(told, v.lines.Text())
	}
	err := v.cmd.Wait()
	status, _ := v.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if killed = status.Signaled() && status.Signal() == syscall.SIGKILL; err != nil && !killed {
		t.Errorf("%v\n%s", err, strings.Join(told, "\n"))
	}
	return killed
}

// TestKilled kills the command at each line of progress that it tells, and 50
// times at random. The run after it, of the same or of another commit, converges:
// what Git has is there, what it does not have is gone, what others made is not
// touched, and the inventory says so. No value is left in a file.
func TestKilled(t *testing.T) {
	plane := controlplane.Shared(t)
	bin := program(t)
	const lanes, kills = 5, 10
	for lane := range lanes {
		t.Run(fmt.Sprintf("at random %d", lane), func(t *testing.T) {
			t.Parallel()
			k := newKilling(t, plane, bin)
			random := rand.New(rand.NewPCG(5, uint64(lane)))
			hit := 0
			for n := 1; n <= kills || hit == 0; n++ {
				after := time.Duration(random.Float64() * float64(k.took))
				if k.round(n, func(v *victim) { time.Sleep(after) }) {
					hit++
				} else {
					k.took = k.took * 4 / 5 // the machine has less to do by now than when that was measured
				}
			}
		})
	}
	const strides = 2
	for first := range strides {
		t.Run(fmt.Sprintf("at each step %d", first), func(t *testing.T) {
			t.Parallel()
			k := newKilling(t, plane, bin)
			for n, killed := first+1, true; killed; n += strides {
				killed = k.round(n, func(v *victim) {
					for range n {
						if !v.lines.Scan() {
							return
						}
					}
				})
			}
		})
	}
}

// killing is a shop in which the command is killed.
type killing struct {
	*shop
	bin    string
	client *cluster.Cluster
	took   time.Duration // of a whole run
}

func newKilling(t *testing.T, plane *controlplane.Cluster, bin string) *killing {
	t.Helper()
	client, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: plane.Admin})
	if err != nil {
		t.Fatal(err)
	}
	k := &killing{shop: newShop(t, plane), bin: bin, client: client}
	k.configure("prune: {share: 100}\n" + quick)
	k.state(0)
	k.apply()
	set := k.get("deployment", "web", "-o", `jsonpath={.metadata.labels.applyset\.kubernetes\.io/part-of}`)
	k.plane.Kubectl(t, "-n", k.namespace, "create", "configmap", "foreign")
	k.plane.Kubectl(t, "-n", k.namespace, "label", "configmap", "foreign", "applyset.kubernetes.io/part-of="+set)
	begin := time.Now()
	k.state(1)
	if k.start(bin, t.TempDir()).wait(t) {
		t.Fatal("killed by somebody else")
	}
	k.took = time.Since(begin)
	k.converged(k.state(0), false)
	return k
}

// round kills a run of one state when the time has come, and holds that the next
// run, of the same state or of another, converges.
func (k *killing) round(n int, until func(*victim)) (killed bool) {
	k.t.Helper()
	tmp := k.t.TempDir()
	names := k.state(2 * n)
	v := k.start(k.bin, tmp)
	until(v)
	_ = v.cmd.Process.Kill()
	killed = v.wait(k.t)
	k.leftovers(tmp)
	// The lease of the dead runs out after 15 seconds; here it is shortened.
	if err := k.client.Delete(k.t.Context(), cluster.ID{Group: "coordination.k8s.io", Kind: "Lease", Namespace: k.runner, Name: "sallyport"}, cluster.DeleteOptions{}); err != nil && !cluster.IsNotFound(err) {
		k.t.Fatal(err)
	}
	if n%2 == 0 {
		names = k.state(2*n + 1)
	}
	k.converged(names, killed)
	return killed
}

// converged runs once more and looks at everything.
func (k *killing) converged(names []string, killed bool) {
	k.t.Helper()
	out, err := k.job().Run(k.t.Context())
	if err != nil {
		k.fatal(out, err)
	}
	live, settings := k.live()
	want := []string{"Deployment.apps web", "Secret db", "Service web", "ConfigMap " + settings}
	for _, name := range names {
		want = append(want, "ConfigMap "+name)
	}
	slices.Sort(want)
	parent, err := k.client.Get(k.t.Context(), cluster.ID{Kind: "ConfigMap", Namespace: k.runner, Name: "sallyport-overlays-prod"})
	if err != nil {
		k.t.Fatal(err)
	}
	inventory, _, _ := unstructured.NestedString(parent.Object, "data", "inventory")
	var uids map[string]string
	if err := json.Unmarshal([]byte(inventory), &uids); err != nil {
		k.t.Fatal(err)
	}
	if _, there := live["ConfigMap foreign"]; !there {
		k.t.Error("what others made is gone")
	}
	delete(live, "ConfigMap foreign")
	var members []string
	for id, uid := range uids {
		name := strings.Replace(id, "/"+k.namespace+"/", " ", 1)
		if members = append(members, name); live[name] != uid {
			k.t.Errorf("inventory: %s has uid %q, and is %q", name, uid, live[name])
		}
	}
	slices.Sort(members)
	if !slices.Equal(members, want) || len(live) != len(want) {
		k.t.Errorf("killed %v: inventory %v, live %v, want %v", killed, members, live, want)
	}
}

// live is the uid of each object with a set's label, and the name of the ConfigMap
// that the Deployment uses.
func (k *killing) live() (uids map[string]string, settings string) {
	k.t.Helper()
	uids = map[string]string{}
	for _, kind := range []string{"Deployment.apps", "Service", "Secret", "ConfigMap"} {
		list, err := k.client.List(k.t.Context(), schema.ParseGroupKind(kind), k.namespace, "applyset.kubernetes.io/part-of")
		if err != nil {
			k.t.Fatal(err)
		}
		for _, u := range list {
			uids[kind+" "+u.GetName()] = string(u.GetUID())
			if containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers"); len(containers) == 1 {
				settings = containers[0].(map[string]any)["envFrom"].([]any)[0].(map[string]any)["configMapRef"].(map[string]any)["name"].(string)
			}
		}
	}
	return uids, settings
}

// leftovers holds that no file of a process that was killed has a value, and that
// it left no core.
func (k *killing) leftovers(dir string) {
	k.t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if holds(string(data), password) || strings.Contains(string(data), "AGE-SECRET-KEY") || strings.HasPrefix(e.Name(), "core") {
			k.t.Errorf("left behind: %s", path)
		}
		return nil
	})
	if err != nil {
		k.t.Error(err)
	}
}

// TestServerFails is a whole run, with lease, status and health, over a server
// that dies, is slow, cuts connections and loses answers.
func TestServerFails(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	plane := controlplane.Start(t, controlplane.Options{})
	k, n := &killing{shop: newShop(t, plane)}, 0
	k.configure("prune: {share: 100}\n" + quick)
	k.state(n)
	k.apply()
	for _, fault := range []struct {
		name   string
		strike func(t *testing.T)
	}{
		{"restart", func(t *testing.T) { plane.RestartAPIServer(t) }},
		{"drop", func(t *testing.T) { plane.DropConnections(t) }},
		{"lose answer", func(t *testing.T) { plane.LoseAnswer(t) }},
		{"slow", func(t *testing.T) { plane.Delay(t, 50*time.Millisecond) }},
		{"refuse", func(t *testing.T) {
			plane.Refuse(t, true)
			time.Sleep(2 * time.Second)
			plane.Refuse(t, false)
		}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			k.t = t
			for _, at := range []string{"overlays/prod: apply ", "pruning "} {
				n++
				k.state(n)
				var struck atomic.Bool
				done := make(chan struct{})
				out, err := k.job(func(o *job.Options) {
					o.Tell = func(line string) {
						if strings.HasPrefix(line, at) && struck.CompareAndSwap(false, true) {
							go func() { defer close(done); fault.strike(t) }()
						}
					}
				}).Run(t.Context())
				if !struck.Load() {
					k.fatal(out, err)
				}
				<-done
				for errors.Is(err, cluster.ErrLost) { // where the server was away for longer than a lease lasts, the next run goes on
					out, err = k.job().Run(t.Context())
				}
				if err != nil {
					k.fatal(out, err)
				}
				plane.Delay(t, 0)
				if all := k.statuses(); len(all) != 2 || all[1].Revision != out.Revision || all[1].Good != out.Revision {
					t.Errorf("at %q: statuses %+v", at, all)
				}
			}
			if got := actions(k.apply()); len(got) != 0 {
				t.Errorf("a half state was left: %v", got)
			}
		})
	}
}

// TestTwoRunners: of two, one works, the other waits and says for whom, and then
// finds nothing to do. Two sets of two runners do not meet.
func TestTwoRunners(t *testing.T) {
	plane := controlplane.Shared(t)
	t.Parallel()
	one, other := newShop(t, plane), newShop(t, plane)
	type ran struct {
		out *job.Outcome
		err error
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	var told []string
	var met sync.Once
	waits := make(chan struct{})
	results := make([]ran, 3)
	for i, s := range []*shop{one, one, other} {
		j := s.job(func(o *job.Options) {
			o.Holder = fmt.Sprintf("runner-%d", i)
			o.Tell = func(line string) {
				mu.Lock()
				told = append(told, line)
				mu.Unlock()
				if s != one {
					return
				}
				// The one that leads goes on only when the other has met it: on a busy
				// machine it could be through before the other has asked for the lease.
				if strings.HasPrefix(line, "waiting for runner-") {
					met.Do(func() { close(waits) })
				}
				if strings.HasPrefix(line, "applying ") {
					<-waits
				}
			}
		})
		wait.Go(func() { results[i].out, results[i].err = j.Run(t.Context()) })
	}
	wait.Wait()
	created := 0
	for i, r := range results {
		if r.err != nil {
			t.Fatalf("runner %d: %v", i, r.err)
		}
		if n := len(actions(r.out)); n > 0 {
			created++
			if n != 4 {
				t.Errorf("runner %d did %v", i, actions(r.out))
			}
		}
	}
	if created != 2 {
		t.Errorf("%d runners created objects", created)
	}
	if !slices.ContainsFunc(told, func(line string) bool { return strings.HasPrefix(line, "waiting for runner-") }) {
		t.Errorf("nobody says whom he waits for: %q", told)
	}
}
