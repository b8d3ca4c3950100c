package job

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/drift"
	"github.com/sallyport/sallyport/apply/notify"
	"github.com/sallyport/sallyport/gate"
)

// drifts says whether an object is not as it should be, as against having fields
// that Git says nothing about.
func drifts(o drift.Object) bool { return o.What != drift.Added }

// started tells that a new revision is on its way; of one that failed and is
// tried again, that was told. A commit status would say "pending" for good, since
// the same failure is not told twice either.
func (r *run) started(ctx context.Context) {
	for _, t := range r.targets {
		t.remember(ctx)
		if u, err := t.cluster.Get(ctx, statusID(r.namespace, t.set.Name)); err == nil {
			if before, err := readStatus(u); err == nil && before.Revision == r.outcome.Revision && before.Revision != "" {
				continue
			}
		}
		if t.outcome.Previous != r.outcome.Revision || r.outcome.Revision == "" {
			r.notify(ctx, t.outcome.Target, notify.Started, "applying", nil)
		}
	}
}

// home is where a job tells how it went.
type home struct {
	cluster   *cluster.Cluster
	namespace string
}

// report tells how the run went: statuses, events, notifications. What cannot be
// told does not change how it went. A run whose configuration cannot be read tells
// it where the one before did.
func (r *run) report(ctx context.Context, err error) {
	if r.cluster == nil {
		r.cluster, r.namespace = r.job.home.cluster, r.job.home.namespace
	}
	if r.cluster == nil {
		return
	}
	// A run that was interrupted still says so.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	for _, t := range r.targets {
		r.tell(ctx, t.set.Name, r.statusOf(t))
	}
	if r.standIn {
		return // the run as a whole is that of the revision which failed
	}
	r.tell(ctx, "", r.statusOfRun(err))
}

// tell stores a status. An event and a notification follow only if it says
// something new.
func (r *run) tell(ctx context.Context, set string, s Status) {
	u, before, err := r.write(ctx, set, s)
	if err != nil {
		r.job.opts.Tell("status: " + err.Error())
		return
	}
	if before.same(s) || s.Target == "" && s.State != notify.Failed || s.Target == "" && len(r.targets) > 0 {
		return
	}
	if s.State == notify.Started {
		return // it was told when it began, and what ended it is about to be
	}
	r.event(ctx, u, s)
	name := s.Target
	if name == "" {
		name = "all targets"
	}
	r.notify(ctx, name, s.State, s.title(), slices.Concat(s.Errors, s.Drift))
}

// same says whether there is no news.
func (s Status) same(other Status) bool {
	return s.State == other.State && s.Revision == other.Revision && s.Stage == other.Stage &&
		slices.Equal(s.Errors, other.Errors) && slices.Equal(s.Drift, other.Drift)
}

// title is one line on how it went.
func (s Status) title() string {
	switch s.State {
	case notify.Failed:
		return fmt.Sprintf("failed in %s", s.Stage)
	case notify.Drifted:
		return fmt.Sprintf("%d objects differ from Git", len(s.Drift))
	}
	var parts []string
	for _, verb := range slices.Sorted(maps.Keys(s.Actions)) {
		parts = append(parts, fmt.Sprintf("%d %s", s.Actions[verb], verb))
	}
	return "applied and healthy: " + strings.Join(parts, ", ")
}

func (r *run) event(ctx context.Context, u *unstructured.Unstructured, s Status) {
	reasons := map[notify.State]string{notify.Applied: "Applied", notify.Failed: "ApplyFailed", notify.Drifted: "Drifted"}
	message := s.title()
	if s.Revision != "" {
		message += " (" + s.Revision + ")"
	}
	if len(s.Errors) > 0 {
		message += "\n" + strings.Join(s.Errors, "\n")
	}
	err := r.cluster.Record(ctx, cluster.Event{
		Regarding: u, Warning: s.State != notify.Applied, Reason: reasons[s.State], Message: message, Time: r.job.opts.Now(),
	})
	if err != nil {
		r.job.opts.Tell("event: " + err.Error())
	}
}

// notify tells the receivers that want to know.
func (r *run) notify(ctx context.Context, name string, state notify.State, title string, details []string) {
	all, err := r.receivers()
	if err != nil {
		return // it was checked when the run began
	}
	var receivers []notify.Receiver
	for _, one := range all {
		if len(one.on) == 0 || slices.Contains(one.on, string(state)) {
			receivers = append(receivers, one.Receiver)
		}
	}
	err = notify.Send(ctx, http.DefaultClient, receivers, notify.Message{
		Environment: name, Revision: r.outcome.Revision, State: state, Title: title, Details: details, Time: r.job.opts.Now(),
	})
	if err != nil {
		r.job.opts.Tell(err.Error())
	}
}

// receiver is somebody to tell, and of what; an empty list is everything.
type receiver struct {
	notify.Receiver
	on []string
}

func (r *run) receivers() ([]receiver, error) {
	var all []receiver
	for i, c := range r.config.Apply.Notify {
		one := receiver{on: c.On}
		switch c.Type {
		case "slack":
			one.Receiver = notify.Slack{URLFile: r.beside(c.URLFile)}
		case "webhook":
			one.Receiver = notify.Webhook{URL: c.URL, URLFile: r.beside(c.URLFile), SecretFile: r.beside(c.SecretFile)}
		case "github":
			one.Receiver = notify.GitHub{API: c.API, Repository: c.Repository, TokenFile: r.beside(c.TokenFile), Context: c.Context}
		case "gitlab":
			one.Receiver = notify.GitLab{API: c.API, Project: c.Repository, TokenFile: r.beside(c.TokenFile), Context: c.Context}
		}
		if missing := lacking(c); missing != "" {
			return nil, r.wrong(fmt.Sprintf("apply.notify[%d]", i), fmt.Errorf("%s needs %s", c.Type, missing))
		}
		for _, state := range c.On {
			if !slices.Contains([]notify.State{notify.Started, notify.Applied, notify.Failed, notify.Drifted}, notify.State(state)) {
				return nil, r.wrong(fmt.Sprintf("apply.notify[%d].on", i), fmt.Errorf("%q is no state: started, applied, failed, drifted", state))
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// lacking names the key that a receiver cannot do without.
func lacking(c gate.NotifyConfig) string {
	switch {
	case c.Type == "slack" && c.URLFile == "":
		return "urlFile"
	case c.Type == "webhook" && c.URL == "" && c.URLFile == "":
		return "url or urlFile"
	case (c.Type == "github" || c.Type == "gitlab") && c.Repository == "":
		return "repository"
	case (c.Type == "github" || c.Type == "gitlab") && c.TokenFile == "":
		return "tokenFile"
	}
	return ""
}
