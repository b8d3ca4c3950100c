package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// leaseTime is that of Kubernetes' own controllers: a runner that dies is
// replaced after 15 seconds.
const leaseTime = 15 * time.Second

// renewal is in their proportions too: of 15 seconds, a holder that cannot renew
// gives up after 10, before another may begin, and tries every 2.
func renewal(lease time.Duration) (deadline, pause time.Duration) {
	return lease * 2 / 3, lease * 2 / 15
}

// ErrHeld says that another runner held the lease for as long as was waited.
var ErrHeld = errors.New("another runner holds the lease")

// ErrLost says that the lease could not be renewed, so that what ran under it
// was stopped.
var ErrLost = errors.New("the lease could not be renewed")

// Lease names a coordination.k8s.io/v1 Lease and who wants it.
type Lease struct {
	Namespace, Name string
	Identity        string        // unique to the process, such as the pod's name and a random part
	Wait            time.Duration // how long to wait for it; 0 means as long as the context lives
	Duration        time.Duration // whole seconds after which a holder that does not renew is replaced; 0 means 15

	// Waiting, where not nil, is told who holds the lease, as often as that
	// changes before it is had.
	Waiting func(holder string)
}

// Lead waits for the lease, runs work while it is held, and gives it back. The
// context of work ends when the lease is lost. It needs the verbs get, create
// and update on leases.
//
// The error wraps [ErrHeld] where the lease was not to be had, and [ErrLost]
// where it was lost in the middle. Where the account may not do what it takes,
// that is an [Error] at once: the election would ask until the wait is over.
func (c *Cluster) Lead(ctx context.Context, lease Lease, work func(context.Context) error) error {
	client, err := coordination.NewForConfigAndClient(c.config, c.client)
	if err != nil {
		return fmt.Errorf("lease %s/%s: %w", lease.Namespace, lease.Name, err)
	}
	holder, err := c.mayLead(ctx, client, lease)
	if err != nil {
		return fmt.Errorf("lease %s/%s: %w", lease.Namespace, lease.Name, err)
	}
	if lease.Duration <= 0 {
		lease.Duration = leaseTime
	}
	deadline, pause := renewal(lease.Duration)
	// The election outlives the caller's context until the work has ended, so
	// that the lease is never given back while something is still being sent.
	// Its log would go to standard error by itself.
	election, release := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), logr.Discard()))
	defer release()
	t := &term{caller: ctx, lease: lease, work: work, release: release, holder: holder, done: make(chan struct{})}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: lease.Namespace, Name: lease.Name},
			Client:     client,
			LockConfig: resourcelock.ResourceLockConfig{Identity: lease.Identity},
		},
		LeaseDuration: lease.Duration, RenewDeadline: deadline, RetryPeriod: pause,
		ReleaseOnCancel: true, Name: lease.Name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: t.run, OnStoppedLeading: func() {}, OnNewLeader: t.observe,
		},
	})
	if err != nil {
		return fmt.Errorf("lease %s/%s: %w", lease.Namespace, lease.Name, err)
	}
	defer context.AfterFunc(ctx, func() { t.giveUp(ctx.Err()) })()
	if lease.Wait > 0 {
		defer time.AfterFunc(lease.Wait, func() { t.giveUp(ErrHeld) }).Stop()
	}
	elector.Run(election)
	return t.result(lease)
}

// mayLead tries, without storing anything, what the election is going to do, and
// says who holds the lease. What else may go wrong, the election tries again.
func (c *Cluster) mayLead(ctx context.Context, client coordination.LeasesGetter, lease Lease) (holder string, err error) {
	ctx, cancel := context.WithTimeout(klog.NewContext(ctx, logr.Discard()), requestTimeout)
	defer cancel()
	leases, verb := client.Leases(lease.Namespace), "get"
	live, err := leases.Get(ctx, lease.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		live = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: lease.Namespace, Name: lease.Name}}
		verb = "create"
		_, err = leases.Create(ctx, live, metav1.CreateOptions{DryRun: dryRun(true)})
	case err == nil:
		verb = "update"
		if live.Spec.HolderIdentity != nil {
			holder = *live.Spec.HolderIdentity
		}
		_, err = leases.Update(ctx, live, metav1.UpdateOptions{DryRun: dryRun(true)})
	}
	var refused *refusedAccount
	if !apierrors.IsForbidden(err) && !errors.As(err, &refused) {
		return holder, nil
	}
	return "", c.failure(verb, ID{Group: coordinationv1.GroupName, Kind: "Lease", Namespace: lease.Namespace, Name: lease.Name}, err)
}

// term is the time from asking for a lease to having given it back.
type term struct {
	caller  context.Context
	lease   Lease
	work    func(context.Context) error
	release context.CancelFunc
	done    chan struct{} // closed when work has ended

	mu      sync.Mutex
	started bool
	gaveUp  error // why it never started
	holder  string
	err     error
}

// run does the work, under a context that ends with the lease or the caller.
func (t *term) run(leading context.Context) {
	t.mu.Lock()
	t.started = t.gaveUp == nil
	started := t.started
	t.mu.Unlock()
	if !started {
		return
	}
	defer t.release()
	defer close(t.done)
	ctx, cancel := context.WithCancel(leading)
	defer cancel()
	defer context.AfterFunc(t.caller, cancel)()
	t.err = t.work(ctx)
	if leading.Err() != nil && t.caller.Err() == nil {
		t.err = errors.Join(ErrLost, t.err)
	}
}

// giveUp ends the wait for the lease; once it is held, only run ends it.
func (t *term) giveUp(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.started && t.gaveUp == nil {
		t.gaveUp = why
		t.release()
	}
}

func (t *term) observe(identity string) {
	t.mu.Lock()
	t.holder = identity
	waiting := !t.started && t.gaveUp == nil && identity != "" && identity != t.lease.Identity
	t.mu.Unlock()
	if waiting && t.lease.Waiting != nil {
		t.lease.Waiting(identity)
	}
}

func (t *term) result(lease Lease) error {
	t.mu.Lock()
	gaveUp, holder := t.gaveUp, t.holder
	t.mu.Unlock()
	switch {
	case gaveUp == nil:
		<-t.done
		return t.err
	case errors.Is(gaveUp, ErrHeld) && holder != "":
		return fmt.Errorf("lease %s/%s: %w: %s", lease.Namespace, lease.Name, gaveUp, holder)
	case holder != "":
		return fmt.Errorf("lease %s/%s is held by %s: %w", lease.Namespace, lease.Name, holder, gaveUp)
	default:
		return fmt.Errorf("lease %s/%s: %w", lease.Namespace, lease.Name, gaveUp)
	}
}
