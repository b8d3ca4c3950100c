package job

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/inventory"
)

// orphans tells of sets that were applied from this namespace and whose targets
// are gone from the repository. Nobody asked to delete what they consist of: a
// directory that was renamed looks the same. So they are named, and stay.
func (r *run) orphans(ctx context.Context) []string {
	if len(r.job.opts.Targets) > 0 || len(r.config.Targets.Include)+len(r.config.Targets.Exclude) > 0 {
		return nil // some targets are others' business
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
		if known[name] || !strings.HasPrefix(name, inventory.Prefix) {
			continue
		}
		set := inventory.Set{Name: strings.TrimPrefix(name, inventory.Prefix), Namespace: r.namespace, Version: r.job.opts.ToolVersion}
		old, err := inventory.Load(ctx, r.cluster, set)
		if err != nil {
			continue // another tool's
		}
		notes = append(notes, fmt.Sprintf("set %s has no target any more, and its %d objects stay: kubectl get configmap -n %s %s lists them", set.Name, len(old.Members), r.namespace, name))
	}
	return notes
}
