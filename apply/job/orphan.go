package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/inventory"
	"github.com/sallyport/sallyport/apply/notify"
)

// orphans tells of sets that were applied from this namespace and whose targets
// are gone from the repository. Nobody asked to delete what they consist of: a
// directory that was renamed looks the same. So they are named, and stay; their
// statuses say so instead of how the last run went.
func (r *run) orphans(ctx context.Context) []string {
	if len(r.job.opts.Targets) > 0 || r.standIn {
		return nil // the others were not asked for, or come back with the next commit
	}
	list, err := r.cluster.List(ctx, schema.GroupKind{Kind: "ConfigMap"}, r.namespace, inventory.LabelID)
	if err != nil {
		return nil // the run has told what is wrong with the cluster
	}
	known := map[string]bool{}
	for _, t := range r.targets {
		known[t.set.Parent().Name] = true
	}
	var notes []string
	for _, u := range list {
		name := u.GetName()
		if known[name] || !strings.HasPrefix(name, inventory.Prefix) || !r.ours(inventory.SourceOf(u)) {
			continue
		}
		set := inventory.Set{Name: strings.TrimPrefix(name, inventory.Prefix), Namespace: r.namespace, Version: r.job.opts.ToolVersion}
		old, err := inventory.Load(ctx, r.cluster, set)
		if err != nil {
			continue // another tool's
		}
		r.gone(ctx, set.Name)
		notes = append(notes, fmt.Sprintf("set %s has no target any more, and its %d objects stay: kubectl get configmap -n %s %s lists them", set.Name, len(old.Members), r.namespace, name))
	}
	return notes
}

// ours says whether a target of that path would be among those of this run. What
// other runners of the namespace apply is their business, and so is a set of which
// nobody knows where it is from, unless there are no patterns.
func (r *run) ours(path string) bool {
	within := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return doublestar.MatchUnvalidated(pattern, path) })
	}
	patterns := r.config.Targets
	if len(patterns.Include)+len(patterns.Exclude) == 0 {
		return true
	}
	return path != "" && (len(patterns.Include) == 0 || within(patterns.Include)) && !within(patterns.Exclude)
}

// gone replaces the status of a set without a target, once.
func (r *run) gone(ctx context.Context, set string) {
	u, err := r.cluster.Get(ctx, statusID(r.namespace, set))
	if err != nil {
		return // there is none
	}
	s, err := readStatus(u)
	if err != nil || s.State == notify.Gone {
		return
	}
	s = Status{Target: s.Target, State: notify.Gone, Revision: s.Revision, Good: s.Good, Finished: s.Finished}
	if _, _, err := r.write(ctx, set, s); err != nil {
		r.job.opts.Tell("status: " + err.Error())
	}
}
