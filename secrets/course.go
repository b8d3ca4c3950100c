package secrets

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// course is the state of following the tokens of one target.
type course struct {
	sealed   *Sealed
	rendered *render.Rendered
	tokens   map[string]*value // of the files that the target read
	parts    partIndex
	object   *render.Object
	path     []string
	out      []finding.Finding
	flows    []Flow
	masks    []mask
	plain    map[*value]bool // plaintext values that were reported
	typed    bool            // a file holds placeholders
	hidden   []finding.Span  // places of secrets that only the render shows

	exposures map[string]finding.Span // by message, of the files that the target read; made when asked for
}

type mask struct {
	object        *render.Object
	pointer, with string
}

// hide remembers a place that only the render showed to hold a secret.
func (c *course) hide(at finding.Span) {
	c.hidden = append(c.hidden, at)
	c.sealed.Hide(at)
}

func (s *Sealed) follow(r *render.Rendered) *course {
	c := &course{sealed: s, rendered: r, tokens: map[string]*value{}, plain: map[*value]bool{}}
	for _, file := range r.Reads.Files {
		_, sh, err := s.read(file)
		if err != nil || sh == nil {
			continue
		}
		for _, v := range sh.values {
			if v.token != "" {
				c.tokens[v.token] = v
				continue
			}
			c.typed = true
			c.untoken(v)
		}
	}
	c.parts = newPartIndex(c.tokens)
	for _, o := range r.Objects {
		c.object, c.path = o, c.path[:0]
		c.walk(o.Value)
	}
	return c
}

// untoken reports a value that a placeholder stands for. Nobody can follow a
// placeholder, so an encrypted one is refused wherever it goes.
func (c *course) untoken(v *value) {
	if v.rule != "" {
		c.plaintext(v)
	}
	if !v.encrypted {
		return
	}
	c.out = append(c.out, finding.Finding{
		Rule: ruleLeak, Severity: finding.Error, Object: v.object, Pointer: v.pointer, Location: v.span,
		Message: fmt.Sprintf("encrypted value %q is of type %s, which cannot be followed into a Secret", v.name, v.kind),
		Help:    "make it a string before it is encrypted: Secrets hold nothing else",
		Targets: []string{c.rendered.Target.Path},
	})
}

// plaintext repeats the finding about a file for this target.
func (c *course) plaintext(v *value) {
	if !c.plain[v] {
		c.plain[v] = true
		f := v.finding()
		f.Targets = []string{c.rendered.Target.Path}
		c.out = append(c.out, f)
	}
}

func (c *course) walk(node any) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range sortedKeys(node) {
			c.path = append(c.path, key)
			c.key(key, node[key])
			c.walk(node[key])
			c.path = c.path[:len(c.path)-1]
		}
	case []any:
		for i, item := range node {
			c.path = append(c.path, strconv.Itoa(i))
			c.walk(item)
			c.path = c.path[:len(c.path)-1]
		}
	case string:
		c.text(node)
	case nil:
	default:
		c.scalar(node)
	}
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
