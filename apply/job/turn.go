package job

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
)

// leaseGroup is the API group of leases.
const leaseGroup = "coordination.k8s.io"

// turn is how often the lease had changed hands when it was looked at, and
// whether somebody had it.
type turn struct {
	known bool
	held  bool
	count int64 // -1 where there is no lease yet
}

// look reads the lease. What cannot be read is not known, which Lead will tell if
// it matters.
func (r *run) look(ctx context.Context) turn {
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	u, err := r.cluster.Get(ctx, cluster.ID{Group: leaseGroup, Kind: "Lease", Namespace: r.namespace, Name: leaseName})
	if cluster.IsNotFound(err) {
		return turn{known: true, count: -1}
	}
	if err != nil {
		return turn{}
	}
	holder, _, _ := unstructured.NestedString(u.Object, "spec", "holderIdentity")
	count, _, _ := unstructured.NestedInt64(u.Object, "spec", "leaseTransitions")
	return turn{known: true, held: holder != "", count: count}
}

// afresh is the run itself where it is the first to have the lease since it was
// prepared. Otherwise another runner may have applied something newer, and it is
// begun anew, configuration and all, under the lease.
func (r *run) afresh(ctx context.Context) (*run, error) {
	now := r.look(ctx)
	if r.turn.known && !r.turn.held && now.known && now.count == r.turn.count+1 {
		return r, nil
	}
	r.job.opts.Tell("another runner was at work: looking again what is to be applied")
	fresh, err := r.job.enter(ctx)
	if err == nil && fresh.namespace != r.namespace {
		err = &Error{Stage: StageConnect, Err: errors.New("apply.impersonate was changed while another runner was waited for: run again")}
	}
	return fresh, err
}
