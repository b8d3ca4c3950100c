package secrets

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// Readers finds who begins to read a Secret that was there before a change. Take
// every changed target with [Readers.Collect]; then, where [Readers.Open] says that
// a verdict needs them, the other targets of the base with [Readers.Before]; then
// ask for the findings. It is safe for concurrent use until then.
type Readers struct {
	e Expectations

	mu      sync.Mutex
	now     []*Access
	before  []*Access
	asked   []question
	failed  []string // targets of the base that did not render
	decided []finding.Finding
}

// A question is about one thing in a changed target that the base does not have
// in the same target. One of its last four fields is set.
type question struct {
	target string
	placed finding.Finding
	own    bool // the target has the Secret itself

	reader  *Consumer
	binding *binding
	role    *role
	run     *run
}

// NewReaders begins a comparison. Of e, the environments say which targets are of
// one cluster.
func (s *Sealed) NewReaders(e Expectations) *Readers { return &Readers{e: e} }

// Collect takes a target as it is now, and as it was; nil for one that is new.
func (x *Readers) Collect(r *render.Rendered, before *Access) {
	now := AccessOf(r)
	c := collection{rendered: r, now: now, before: before}
	if before == nil {
		c.before = &Access{Target: now.Target}
	}
	c.readers(x.e)
	c.authorization()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.now = append(x.now, now)
	x.asked, x.decided = append(x.asked, c.asked...), append(x.decided, c.decided...)
	if before != nil {
		x.before = append(x.before, before)
	}
}

// Before takes another target of the base: one that the change does not affect,
// or took away.
func (x *Readers) Before(a *Access) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.before = append(x.before, a)
}

// Failed notes a target of the base that does not render.
func (x *Readers) Failed(target string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.failed = append(x.failed, target)
}

// Open reports whether a verdict depends on other targets of the base, and says
// which: those with a file that wanted fits. Most changes need none.
func (x *Readers) Open() (wanted func(data []byte) bool, open bool) {
	var secrets, bindings bool
	for _, q := range x.asked {
		secrets = secrets || q.run == nil
		bindings = bindings || q.reader == nil
	}
	return func(data []byte) bool {
		return secrets && makesSecrets.Match(data) || bindings && bytes.Contains(data, []byte("RoleBinding"))
	}, secrets || bindings
}

// makesSecrets fits files that define a Secret, or an object that becomes one.
var makesSecrets = regexp.MustCompile(`["']?kind["']?\s*:\s*["']?(?:Sealed|External)?Secret\b|ecretGenerator`)

// collection compares one target with itself in the base.
type collection struct {
	rendered    *render.Rendered
	now, before *Access
	asked       []question
	decided     []finding.Finding
}

func (c *collection) ask(by finding.Object, pointer string, q question) {
	q.target, q.placed = c.now.Target, c.at(by, pointer)
	c.asked = append(c.asked, q)
}

func (c *collection) at(by finding.Object, pointer string) finding.Finding {
	i := slices.IndexFunc(c.rendered.Objects, func(o *render.Object) bool { return o.Object == by })
	return c.rendered.At(c.rendered.Objects[i], pointer, finding.Finding{
		Rule: ruleConsumer, Severity: finding.Warning, Help: helpConsumer,
	})
}

const helpConsumer = "make sure that the owners of the Secret agree"

// A reader is an object that reads a Secret of some target, or a key of it.
type reader struct {
	address
	by  finding.Object
	key string
}

func readerOf(c Consumer) reader { return reader{addressOf(c.Secret), across(c.By), c.Key} }

// all is a reader of every key.
func (r reader) all() reader { r.key = ""; return r }

// readers judges the objects that name a Secret. Of a Secret that the target had
// before it is clear who is new. Who could read all keys is not new where it names
// one of them.
func (c *collection) readers(e Expectations) {
	had, has, read := addressesOf(c.before), addressesOf(c.now), map[reader]bool{}
	for _, old := range c.before.Consumers {
		read[readerOf(old)] = true
	}
	for _, one := range c.now.Consumers {
		r := readerOf(one)
		if read[r] || read[r.all()] {
			continue
		}
		read[r] = true
		switch own := has[r.address]; {
		case had[r.address]:
			f := c.at(one.By, one.Pointer)
			f.Message = readMessage(one)
			c.decided = append(c.decided, f)
		case !own || len(e.Environments) > 0:
			c.ask(one.By, one.Pointer, question{own: own, reader: &one})
		}
	}
}

func readMessage(c Consumer) string {
	what := "all of"
	if c.Key != "" {
		what = fmt.Sprintf("key %q of", c.Key)
	}
	return fmt.Sprintf("%s is a new reader of %s %s", c.By, what, c.Secret)
}

func addressesOf(a *Access) map[address]bool {
	out := map[address]bool{}
	for _, s := range a.Secrets {
		out[addressOf(s)] = true
	}
	return out
}

// authorization asks about roles, bindings and programs that the base does not
// have alike.
func (c *collection) authorization() {
	for _, r := range c.now.roles {
		if !slices.ContainsFunc(c.before.roles, r.same) {
			c.ask(r.by, "/rules", question{role: &r})
		}
	}
	for _, b := range c.now.bindings {
		if !slices.ContainsFunc(c.before.bindings, b.same) {
			c.ask(b.by, "/roleRef", question{binding: &b})
		}
	}
	for _, r := range c.now.runs {
		if !slices.ContainsFunc(c.before.runs, r.same) {
			c.ask(r.by, r.pointer, question{run: &r})
		}
	}
}

func (r role) same(o role) bool {
	return r.roleID == o.roleID && r.joined == o.joined && slices.Equal(r.names, o.names)
}

func (b binding) same(o binding) bool {
	return b.role == o.role && b.namespace == o.namespace && slices.Equal(b.to, o.to)
}

func (r run) same(o run) bool { return across(r.by) == across(o.by) && r.account == o.account }

// clusters are the environments of a target, by name.
func (e Expectations) clusters(target string) []string {
	var out []string
	for _, env := range e.Environments {
		if slices.ContainsFunc(env.Targets, func(p string) bool { ok, _ := doublestar.Match(p, target); return ok }) {
			out = append(out, env.Name)
		}
	}
	return out
}

// together reports whether two targets are declared to be of one cluster; apart,
// whether they are declared not to be.
func (e Expectations) together(a, b string) (together, apart bool) {
	x, y := e.clusters(a), e.clusters(b)
	together = slices.ContainsFunc(x, func(name string) bool { return slices.Contains(y, name) })
	return together, len(x) > 0 && len(y) > 0 && !together
}
