package job

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/source"
)

// ignore is fields of some objects that belong to others.
type ignore struct {
	pattern  string
	pointers [][]string // each split into its tokens
}

type ignores []ignore

func newIgnores(configured []gate.IgnoreConfig) (ignores, error) {
	var all ignores
	for _, c := range configured {
		if _, err := path.Match(c.Object, ""); err != nil {
			return nil, fmt.Errorf("object %q: %w", c.Object, err)
		}
		one := ignore{pattern: c.Object}
		for _, pointer := range c.Pointers {
			if !strings.HasPrefix(pointer, "/") {
				return nil, fmt.Errorf("%q is no JSON pointer, such as /spec/replicas", pointer)
			}
			one.pointers = append(one.pointers, source.Split(pointer))
		}
		all = append(all, one)
	}
	return all, nil
}

// Adjust gives a desired object the live values of the ignored fields. Taking the
// fields out instead would delete them, as what nobody applies any more.
func (all ignores) Adjust(desired, live *unstructured.Unstructured) {
	id := cluster.IDOf(live)
	for _, one := range all {
		if !matches(one.pattern, id) {
			continue
		}
		for _, tokens := range one.pointers {
			adjust(desired.Object, live.Object, tokens)
		}
	}
}

// adjust sets one field to its live value, or takes it out where there is none.
// What lies behind something that the desired object lacks stays away.
func adjust(desired, live any, tokens []string) {
	last := len(tokens) - 1
	for i, token := range tokens {
		var here bool
		var next any
		if live, here = child(live, token); i < last {
			if next, here = child(desired, token); !here {
				return
			}
			desired = next
			continue
		}
		parent, ok := desired.(map[string]any)
		switch {
		case !ok:
			setItem(desired, token, live, here)
		case here:
			parent[token] = live
		default:
			delete(parent, token)
		}
	}
}

// setItem sets an item of a list; one that the live list lacks stays.
func setItem(desired any, token string, live any, here bool) {
	list, ok := desired.([]any)
	if n, err := strconv.Atoi(token); ok && here && err == nil && n >= 0 && n < len(list) {
		list[n] = live
	}
}

func child(node any, token string) (any, bool) {
	switch node := node.(type) {
	case map[string]any:
		v, ok := node[token]
		return v, ok
	case []any:
		if n, err := strconv.Atoi(token); err == nil && n >= 0 && n < len(node) {
			return node[n], true
		}
	}
	return nil, false
}

// Ignored reports whether a path lies at or below an ignored field.
func (all ignores) Ignored(id cluster.ID, p fieldpath.Path) bool {
	for _, one := range all {
		if !matches(one.pattern, id) {
			continue
		}
		for _, tokens := range one.pointers {
			if below(p, tokens) {
				return true
			}
		}
	}
	return false
}

func below(p fieldpath.Path, tokens []string) bool {
	if len(p) < len(tokens) {
		return false
	}
	for i, token := range tokens {
		if name := p[i].FieldName; name == nil || *name != token {
			return false
		}
	}
	return true
}
