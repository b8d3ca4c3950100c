// Package health says whether what was applied works.
//
// One object is judged by a rule of the configuration (CEL) where there is one
// for its kind, else by kstatus, which knows the built-in workloads and reads
// the usual conditions (Ready, Reconciling, Stalled) of everything else. kstatus
// takes an object without conditions for finished, which is right for a
// ConfigMap and wrong for a custom resource whose controller has not looked at
// it yet: that is what rules are for.
//
// A set is healthy when every object has been so for a while without a break,
// since a crash-looping Deployment is available between two crashes.
package health

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
)

// Phase is how an object does.
type Phase uint8

// The phases. Failed is terminal: waiting longer does not help.
const (
	Progressing Phase = iota
	Healthy
	Failed
	Missing
)

func (p Phase) String() string {
	return [...]string{"progressing", "healthy", "failed", "missing"}[p]
}

// Verdict is a phase and why. Reason is one line, and empty for what is healthy.
type Verdict struct {
	Phase  Phase
	Reason string
}

// Judge judges objects. Its methods are safe for concurrent use.
type Judge struct {
	rules  map[string]program  // by group/kind
	redact func(string) string // of what controllers say; nil changes nothing
}

// NewJudge compiles the rules. The error names the rule and what is wrong with
// its expression.
func NewJudge(rules []Rule) (*Judge, error) {
	j := &Judge{rules: make(map[string]program, len(rules))}
	for _, r := range rules {
		p, err := r.compile()
		if err != nil {
			return nil, fmt.Errorf("health rule for %s: %w", r.kind(), err)
		}
		if _, twice := j.rules[r.kind()]; twice {
			return nil, fmt.Errorf("health rule for %s: there are two", r.kind())
		}
		j.rules[r.kind()] = p
	}
	return j, nil
}

// Of judges a live object.
func (j *Judge) Of(u *unstructured.Unstructured) Verdict {
	v := j.of(u)
	v.Reason = j.line(v.Reason)
	return v
}

// maxReason bounds what a controller may say in bytes: a line or two of a report.
const maxReason = 400

// line makes a controller's text fit for a line of a report. Whoever may write a
// status can say anything in it.
func (j *Judge) line(s string) string {
	if j.redact != nil {
		s = j.redact(s)
	}
	return cluster.OneLine(s, maxReason)
}

func (j *Judge) of(u *unstructured.Unstructured) Verdict {
	if u.GetDeletionTimestamp() != nil {
		return Verdict{Progressing, "is being deleted"}
	}
	gvk := u.GroupVersionKind()
	if p, ok := j.rules[kindOf(gvk.Group, gvk.Kind)]; ok {
		return p.judge(u)
	}
	if v, ok := builtin(u); ok {
		return v
	}
	return byStatus(u)
}

// byStatus asks kstatus.
func byStatus(u *unstructured.Unstructured) Verdict {
	r, err := status.Compute(u)
	if err != nil {
		return Verdict{Progressing, "has a status that cannot be read"}
	}
	switch r.Status {
	case status.CurrentStatus:
		return Verdict{Phase: Healthy}
	case status.FailedStatus:
		return Verdict{Failed, r.Message}
	}
	reason := r.Message
	if refused := refusedPods(u); refused != "" {
		reason += "; " + refused
	}
	return Verdict{Progressing, reason}
}

// refusal matches what the API server's own admission says about a pod: names of
// policies, quotas, containers and fields. What a webhook says may quote a value.
var refusal = regexp.MustCompile(`is forbidden: ((?:violates PodSecurity|exceeded quota|error looking up service account) .*)`)

// refusedPods says why the pods of a workload cannot be created; "" where they
// can, or where it does not say.
func refusedPods(u *unstructured.Unstructured) string {
	reason, failed := condition(u, "ReplicaFailure")
	if !failed {
		return ""
	}
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range list {
		c, _ := item.(map[string]any)
		message, _ := c["message"].(string)
		if said := refusal.FindStringSubmatch(message); c["type"] == "ReplicaFailure" && said != nil {
			return "its pods are refused: " + said[1]
		}
	}
	return "its pods are refused: " + reason
}

// builtin knows what kstatus takes for finished too early.
func builtin(u *unstructured.Unstructured) (Verdict, bool) {
	gvk := u.GroupVersionKind()
	switch {
	case gvk.Group == "" && gvk.Kind == "Namespace":
		if phase, _, _ := unstructured.NestedString(u.Object, "status", "phase"); phase == "Terminating" {
			return Verdict{Failed, "is terminating, so nothing can be made in it"}, true
		}
		return Verdict{Phase: Healthy}, true
	case gvk.Group == "apiregistration.k8s.io" && gvk.Kind == "APIService":
		return byCondition(u, "Available"), true
	case gvk.Group == "batch" && gvk.Kind == "Job":
		return job(u), true
	}
	return Verdict{}, false
}

// job is finished when it is complete: kstatus is content with one that runs.
// A suspended one is what its author wanted.
func job(u *unstructured.Unstructured) Verdict {
	if suspended, _, _ := unstructured.NestedBool(u.Object, "spec", "suspend"); suspended {
		return Verdict{Phase: Healthy}
	}
	if reason, failed := condition(u, "Failed"); failed {
		return Verdict{Failed, strings.TrimSpace("failed " + reason)}
	}
	if _, done := condition(u, "Complete"); done {
		return Verdict{Phase: Healthy}
	}
	return Verdict{Progressing, "has not completed"}
}

func byCondition(u *unstructured.Unstructured, name string) Verdict {
	if _, ok := condition(u, name); ok {
		return Verdict{Phase: Healthy}
	}
	return Verdict{Progressing, "is not " + name}
}

// condition reports whether a condition is True, and the reason it gives. The
// message is left out: a controller may quote a value in it.
func condition(u *unstructured.Unstructured, name string) (reason string, isTrue bool) {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range list {
		c, _ := item.(map[string]any)
		if c["type"] == name {
			reason, _ := c["reason"].(string)
			return reason, c["status"] == "True"
		}
	}
	return "", false
}
