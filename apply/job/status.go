package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/apply/notify"
)

const (
	// statusName begins the names of status ConfigMaps. The dot behind it keeps
	// them apart from inventories, whose names have none.
	statusName = "sallyport-status"
	// statusLabel finds them.
	statusLabel = "sallyport.dev/status"
	// statusManager keeps the fields of a status apart from what is applied.
	statusManager = "sallyport-status"

	// maxErrors and maxErrorText bound what a status quotes, in lines and in bytes
	// a line: an etcd value must not overflow since 2,000 objects were refused.
	maxErrors    = 50
	maxErrorText = 500
	// reportTime is how long telling may take: a run that failed since the cluster
	// is away must not hang because of that.
	reportTime = 20 * time.Second
)

// Status is what the last run of a target, or of all of them, came to.
type Status struct {
	Target   string         `json:"target"` // "" for the run as a whole
	State    notify.State   `json:"state"`
	Stage    Stage          `json:"stage,omitempty"`    // where it failed
	Revision string         `json:"revision,omitempty"` // that was to be applied
	Good     string         `json:"good,omitempty"`     // that was last applied completely
	Digest   string         `json:"digest,omitempty"`   // of the sealed render
	Signer   string         `json:"signer,omitempty"`
	Finished time.Time      `json:"finished"`
	Actions  map[string]int `json:"actions,omitempty"` // objects by what was done to them
	Errors   []string       `json:"errors,omitempty"`
	Drift    []string       `json:"drift,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
}

// statusOf tells of one target.
func (r *run) statusOf(t *target) Status {
	o := t.outcome
	s := Status{
		Target: o.Target, State: notify.Applied, Revision: r.outcome.Revision, Good: o.Previous, Digest: o.Digest,
		Signer: r.outcome.Signer, Finished: r.job.opts.Now().UTC(), Errors: r.lines(o.Err),
	}
	if o.Result != nil {
		s.Actions, s.Warnings = map[string]int{}, o.Result.Warnings
		for _, a := range o.Result.Actions {
			if a.Verb != "" {
				s.Actions[string(a.Verb)]++
			}
		}
	}
	for _, d := range o.Drift {
		text := strings.Replace(o.DriftText(d), "\n  ", ": ", 1)
		s.Drift = append(s.Drift, strings.ReplaceAll(text, "\n  ", "; "))
	}
	s.Drift = bounded(s.Drift)
	var failed *Error
	switch {
	case errors.Is(o.Err, health.ErrSuperseded):
		s.State = notify.Started
	case errors.As(o.Err, &failed):
		s.State, s.Stage = notify.Failed, failed.Stage
	case slices.ContainsFunc(o.Drift, drifts):
		s.State = notify.Drifted
	}
	if o.Err == nil {
		s.Good = r.outcome.Revision
	}
	return s
}

// statusOfRun tells of the run as a whole.
func (r *run) statusOfRun(err error) Status {
	s := Status{State: notify.Applied, Revision: r.outcome.Revision, Signer: r.outcome.Signer, Finished: r.job.opts.Now().UTC(), Errors: r.lines(err), Warnings: r.outcome.Notes}
	var failed *Error
	if errors.As(err, &failed) {
		s.Stage = failed.Stage
	}
	if errors.Is(err, health.ErrSuperseded) {
		s.State = notify.Started
	} else if err != nil {
		s.State = notify.Failed
	}
	if errors.Is(err, ErrRefused) && r.outcome.Admission != nil {
		for _, f := range r.outcome.Admission.Report.Findings {
			if f.Waiver == nil {
				s.Errors = append(s.Errors, fmt.Sprintf("%s: %s [%s]", f.Location, f.Message, f.Rule))
			}
		}
	}
	s.Errors = bounded(s.Errors)
	return s
}

// lines are the lines of an error, bounded, without what was decrypted.
func (r *run) lines(err error) []string {
	if err == nil {
		return nil
	}
	return bounded(strings.Split(r.redact(err.Error()), "\n"))
}

// redact takes what was decrypted for any target out of a text.
func (r *run) redact(text string) string {
	for _, t := range r.targets {
		text = t.redact(text)
	}
	return text
}

func bounded(lines []string) []string {
	for i, line := range lines {
		if line = strings.TrimSpace(line); len(line) > maxErrorText {
			line = strings.ToValidUTF8(line[:maxErrorText], "") + "…"
		}
		lines[i] = line
	}
	if len(lines) > maxErrors {
		lines = append(lines[:maxErrors:maxErrors], fmt.Sprintf("and %d more", len(lines)-maxErrors))
	}
	return lines
}

// statusID is the ConfigMap of a set's status; the set "" is the whole run.
func statusID(namespace, set string) cluster.ID {
	id := cluster.ID{Kind: "ConfigMap", Namespace: namespace, Name: statusName}
	if set != "" {
		id.Name += "." + set
	}
	return id
}

// write stores a status and returns its object, and what was there before.
func (r *run) write(ctx context.Context, set string, s Status) (u *unstructured.Unstructured, before Status, err error) {
	id := statusID(r.namespace, set)
	if old, err := r.cluster.Get(ctx, id); err == nil {
		before, _ = readStatus(old) // what cannot be read is replaced
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, before, err
	}
	u, err = r.cluster.Apply(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": id.Name, "namespace": id.Namespace, "labels": map[string]any{statusLabel: "true"}},
		"data":     map[string]any{"status": string(text), "state": string(s.State), "revision": s.Revision},
	}}, cluster.ApplyOptions{Manager: statusManager, Force: true})
	return u, before, err
}

func readStatus(u *unstructured.Unstructured) (Status, error) {
	var s Status
	text, _, _ := unstructured.NestedString(u.Object, "data", "status")
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("%s holds no status", cluster.IDOf(u))
	}
	return s, nil
}

// Statuses reads what the runners of a namespace have told, the run as a whole
// first, then the targets by path.
func Statuses(ctx context.Context, c *cluster.Cluster, namespace string) ([]Status, error) {
	list, err := c.List(ctx, schema.GroupKind{Kind: "ConfigMap"}, namespace, statusLabel+"=true")
	if err != nil {
		return nil, err
	}
	var all []Status
	for _, u := range list {
		s, err := readStatus(u)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Target, b.Target) })
	return all, nil
}

// pruned counts the objects that a result says were pruned.
func pruned(result *apply.Result) (n int) {
	if result == nil {
		return 0
	}
	for _, a := range result.Actions {
		if a.Verb == apply.Pruned {
			n++
		}
	}
	return n
}
