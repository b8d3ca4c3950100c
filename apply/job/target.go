package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/drift"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/apply/hook"
	"github.com/sallyport/sallyport/apply/inventory"
	"github.com/sallyport/sallyport/apply/smoke"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/secrets/decrypt"
)

// TargetOutcome is what became of one target.
type TargetOutcome struct {
	Target   string
	Set      string // name of the inventory
	Digest   string // of the sealed render
	Previous string // the revision that was last applied completely; "" before the first
	Result   *apply.Result
	Drift    []drift.Object // what others changed since Previous, if that is the revision
	Smoke    []smoke.Result
	Err      error // an *Error; nil where all went well
}

// target is one target on its way.
type target struct {
	set       inventory.Set
	cluster   *cluster.Cluster // whose errors are redacted with the target's values
	redact    func(string) string
	objects   []*unstructured.Unstructured
	hooks     hook.Hooks
	run       *apply.Run
	known     bool                 // Previous and begun are
	inventory *inventory.Inventory // as read by remember, until it is planned with
	begun     string               // the revision that was begun after Previous, and not completed
	changed   bool                 // something is new since Previous, so that hooks are due

	planned   time.Time // when the run was planned and tried; zero where it has to be
	wrote     bool      // something of the target was sent to be stored
	hooked    bool      // the hooks before the apply have run
	postponed error     // why they could not, where a wave of the target may help
	outcome   *TargetOutcome
}

func (r *run) newTarget(a gate.Admitted, result *decrypt.Result) (*target, error) {
	path := a.Target.Path
	hooks, objects, err := hook.Split(result.Objects)
	if err != nil {
		return nil, &Error{Stage: StageHooks, Target: path, Err: err, redact: result.Redact}
	}
	if err := r.homeFree(result.Objects); err != nil {
		return nil, &Error{Stage: StageApply, Target: path, Err: err, redact: result.Redact}
	}
	t := &target{
		set:     inventory.Set{Name: SetName(path), Namespace: r.namespace, Version: r.job.opts.ToolVersion, Source: strings.ToValidUTF8(path, "?")},
		cluster: r.cluster.Redacting(result.Redact), redact: result.Redact,
		objects: objects, hooks: hooks,
	}
	t.outcome = &TargetOutcome{Target: path, Set: t.set.Name, Digest: a.Digest}
	return t, nil
}

// homeFree refuses what would lie in a namespace with books, configuration or keys,
// or change it: a pod there could mount the keys, and a ConfigMap could be the
// configuration that judges.
func (r *run) homeFree(objects []*unstructured.Unstructured) error {
	const own = "is the runner's own namespace, with its keys and its configuration"
	homes := map[string]string{r.job.opts.Namespace: own, r.namespace: own}
	if namespace, _, named := strings.Cut(r.config.Apply.Identities.Secret, "/"); named && homes[namespace] == "" {
		homes[namespace] = "is the namespace with the age identities"
	}
	var wrong []error
	for _, u := range objects {
		namespace := u.GetNamespace()
		if namespace == "" {
			namespace = r.config.Apply.Namespace
		}
		if isNamespace(u) {
			namespace = u.GetName()
		}
		if why := homes[namespace]; why != "" {
			wrong = append(wrong, fmt.Errorf("%s is refused: %s %s", cluster.IDOf(u), namespace, why))
		}
	}
	return errors.Join(wrong...)
}

// simple is a path that its set's name tells from every other: only slashes are
// exchanged.
var simple = regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9]+)*$`)

// maxSlug is how much of a path is kept in a set's name, in bytes: with the hash
// a DNS label of 63 has room for the prefix of the inventory.
const maxSlug = 40

// taken matches the names with which an inventory would be another ConfigMap of
// the runner: the status of its runs, or a configuration as deploy calls it. A name
// that ends like a hash would be another target's, whose path anybody can hash.
var taken = regexp.MustCompile(`^(status|config(-.*)?|.*-[0-9a-f]{8})$`)

// SetName is the name of the inventory of a target: its path with dashes, and
// where that could be another's too, a part of the path's hash. That is too short to
// keep somebody from finding a path with the same: the inventory says whose it is.
func SetName(path string) string {
	slug := strings.ReplaceAll(path, "/", "-")
	if simple.MatchString(path) && len(slug) <= maxSlug && !taken.MatchString(slug) {
		return slug
	}
	slug = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(slug), "-"), "-")
	if slug = strings.Trim(slug[:min(len(slug), maxSlug)], "-"); slug == "" {
		slug = "root"
	}
	sum := sha256.Sum256([]byte(path))
	return slug + "-" + hex.EncodeToString(sum[:4])
}

// failure is an error of the target.
func (t *target) failure(stage Stage, err error) *Error {
	return &Error{Stage: stage, Target: t.outcome.Target, Err: err, redact: t.redact}
}

// fail ends a target in a stage; the first reason counts.
func (t *target) fail(stage Stage, err error) {
	if t.outcome.Err == nil && err != nil {
		t.outcome.Err = t.failure(stage, err)
	}
}

// remember looks up what the target was last applied with, once. Where that is
// not known, planning will say what is wrong.
func (t *target) remember(ctx context.Context) {
	if t.known {
		return
	}
	if before, err := inventory.Load(ctx, t.cluster, t.set); err == nil {
		t.outcome.Previous, t.begun, t.known, t.inventory = before.Revision, before.Applying, true, before
	}
}

func (t *target) ok() bool { return t.outcome.Err == nil }

// planAge is how long a plan counts: other targets may be waited for in between,
// and the cluster goes on changing. What changes within it, the engine sees when
// it writes.
const planAge = time.Minute

// plan compares the target with the cluster, tries everything, hooks too, and
// writes nothing.
func (t *target) plan(ctx context.Context, r *run) (Stage, error) {
	t.remember(ctx)
	t.changed, t.planned = !r.same(t), time.Time{}
	opts := r.applyOptions(t)
	opts.Inventory, t.inventory = t.inventory, nil // what is planned later is planned with what is there then
	run, err := apply.Plan(ctx, t.cluster, t.objects, opts)
	if err != nil {
		return StageApply, err
	}
	t.run = run
	refused := run.Preflight(ctx)
	if err := t.tryHooks(ctx, r); err != nil && refused == nil {
		return StageHooks, err
	} else if err != nil {
		return StageApply, errors.Join(refused, err)
	}
	if refused != nil {
		return StageApply, refused
	}
	if !t.changed {
		t.outcome.Drift = drift.Compare(run, r.driftOptions(t))
	}
	t.planned = r.job.opts.Now()
	return StageApply, nil
}

// tryHooks has the server try the hooks that are due. Those in a namespace that
// the target is about to make cannot be tried before.
func (t *target) tryHooks(ctx context.Context, r *run) error {
	if !t.changed || r.comparing {
		return nil
	}
	fresh := map[string]bool{}
	for _, c := range t.run.Changes() {
		if isNamespace(c.Desired) && c.Live == nil {
			fresh[c.ID.Name] = true
		}
	}
	hooks := slices.Concat(t.hooks.Before, t.hooks.After, t.hooks.Failed)
	hooks = slices.DeleteFunc(hooks, func(u *unstructured.Unstructured) bool { return fresh[u.GetNamespace()] })
	return hook.Check(ctx, t.cluster, hooks, r.hookOptions(t.set))
}

// apply writes the target, behind its hooks.
func (t *target) apply(ctx context.Context, r *run) (Stage, error) {
	if t.planned.IsZero() || r.job.opts.Now().Sub(t.planned) > planAge {
		if stage, err := t.plan(ctx, r); err != nil {
			return stage, err
		}
	}
	t.planned = time.Time{} // a plan is for one apply
	if err := t.before(ctx, r); err != nil {
		return StageHooks, err
	}
	t.wrote = true
	if err := t.run.Apply(ctx); err != nil {
		return StageApply, err
	}
	return StageHooks, t.postponed
}

// before runs the hooks that come first, once. Where the target itself brings the
// namespace that they are in, they wait for its first stage, which makes it.
func (t *target) before(ctx context.Context, r *run) error {
	if !t.changed || t.hooked {
		return nil
	}
	t.wrote = t.wrote || len(t.hooks.Before) > 0
	err := hook.Run(ctx, t.cluster, t.hooks.Before, r.hookOptions(t.set))
	if cluster.IsNotFound(err) && slices.ContainsFunc(t.objects, isNamespace) {
		t.postponed = err
		return nil
	}
	t.hooked = err == nil
	return err
}

// late runs the hooks that waited for a namespace.
func (t *target) late(ctx context.Context, r *run) error {
	if t.postponed == nil {
		return nil
	}
	err := hook.Run(ctx, t.cluster, t.hooks.Before, r.hookOptions(t.set))
	if err == nil {
		t.postponed, t.hooked = nil, true
	}
	return err
}

// afterFailure runs the hooks that clean up. What was superseded has not failed:
// what it began, the newer revision goes on with.
func (t *target) afterFailure(ctx context.Context, r *run) error {
	if t.ok() || !t.changed || !t.wrote || ctx.Err() != nil || errors.Is(t.outcome.Err, health.ErrSuperseded) {
		return nil
	}
	opts := r.hookOptions(t.set)
	opts.Superseded = nil
	return hook.Run(ctx, t.cluster, t.hooks.Failed, opts)
}

func isNamespace(u *unstructured.Unstructured) bool {
	return u.GetKind() == "Namespace" && u.GroupVersionKind().Group == ""
}

// ids are the objects to wait for: not those that are missing and stay so.
func (t *target) ids() []cluster.ID {
	var ids []cluster.ID
	for _, c := range t.run.Changes() {
		if c.State != apply.Held || c.Live != nil {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// wait waits until the target is healthy, and runs what comes after.
func (t *target) wait(ctx context.Context, r *run) (Stage, error) {
	opts := r.healthOptions(t.set)
	if err := health.Wait(ctx, t.cluster, t.ids(), opts); err != nil {
		return StageHealth, err
	}
	if t.changed {
		return StageHooks, hook.Run(ctx, t.cluster, t.hooks.After, r.hookOptions(t.set))
	}
	return StageHealth, nil
}

// result is what was done to a target, without what was decrypted for any: they
// share a connection, and what the server warned of.
func (r *run) result(t *target) *apply.Result {
	result := t.run.Result()
	for i := range result.Actions {
		result.Actions[i].Reason = r.redact(result.Actions[i].Reason)
	}
	for i, text := range result.Warnings {
		result.Warnings[i] = r.redact(text)
	}
	return result
}
