package encrypt

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/getsops/sops/v3"
)

// A leaf is one scalar or comment of a file, as sops reads it. The leaves of a
// file are in the order of its text, with comments where sops attaches them.
type leaf struct {
	doc     int
	keys    []string // list indexes are no keys
	value   any      // string, int, float64, bool, time.Time or nil; for a comment its text
	comment bool

	manifest bool // the document is a Kubernetes object
	secret   bool // lies in data or stringData of a v1 Secret
}

// path names the place as sops does where it authenticates a value.
func (l leaf) path() string { return strings.Join(l.keys, ":") + ":" }

// name is the path as a message shows it.
func (l leaf) name() string { return strings.Join(l.keys, ".") }

// leavesOf lists the leaves of every document.
func leavesOf(branches sops.TreeBranches) []leaf {
	w := &leafWalk{}
	for i, branch := range branches {
		kind, _ := text(branch, "kind")
		w.branch(branch, leaf{doc: i, manifest: kind != ""})
	}
	return w.out
}

type leafWalk struct{ out []leaf }

func (w *leafWalk) branch(branch sops.TreeBranch, at leaf) {
	secret := isSecret(branch)
	for _, item := range branch {
		if c, ok := item.Key.(sops.Comment); ok {
			w.comment(c.Value, at)
			continue
		}
		below := at
		key := fmt.Sprint(item.Key)
		below.keys = append(at.keys[:len(at.keys):len(at.keys)], key)
		below.secret = at.secret || secret && (key == "data" || key == "stringData")
		w.value(item.Value, below)
	}
}

func (w *leafWalk) value(value any, at leaf) {
	switch value := value.(type) {
	case sops.TreeBranch:
		w.branch(value, at)
	case []any:
		for _, item := range value {
			w.value(item, at)
		}
	case sops.Comment:
		w.comment(value.Value, at)
	default:
		at.value = value
		w.out = append(w.out, at)
	}
}

func (w *leafWalk) comment(text string, at leaf) {
	at.value, at.comment = text, true
	w.out = append(w.out, at)
}

// isSecret reports whether a mapping is a v1 Secret. As everywhere in
// sallyport, apiVersion may be left out.
func isSecret(branch sops.TreeBranch) bool {
	kind, _ := text(branch, "kind")
	version, _ := text(branch, "apiVersion")
	return kind == "Secret" && (version == "v1" || version == "")
}

// text returns the string under a key, the last one of duplicates.
func text(branch sops.TreeBranch, key string) (value string, ok bool) {
	for _, item := range branch {
		if item.Key == key {
			value, ok = item.Value.(string)
		}
	}
	return value, ok
}

// setValues writes the values of leaves into a tree that has as many.
func setValues(branches sops.TreeBranches, leaves []leaf) {
	next := 0
	set := func() any {
		for leaves[next].comment {
			next++
		}
		next++
		return leaves[next-1].value
	}
	for _, branch := range branches {
		setBranch(branch, set)
	}
}

func setBranch(branch sops.TreeBranch, set func() any) {
	for i, item := range branch {
		if _, ok := item.Key.(sops.Comment); !ok {
			branch[i].Value = setValue(item.Value, set)
		}
	}
}

func setValue(value any, set func() any) any {
	switch value := value.(type) {
	case sops.TreeBranch:
		setBranch(value, set)
	case []any:
		for i, item := range value {
			value[i] = setValue(item, set)
		}
	case sops.Comment:
	default:
		return set()
	}
	return value
}

// samePlaces reports whether two texts have values at the same places.
func samePlaces(a, b []leaf) bool {
	return slices.EqualFunc(values(a), values(b), func(a, b leaf) bool {
		return a.doc == b.doc && slices.Equal(a.keys, b.keys)
	})
}

// sameValues reports whether two texts have the same values at the same places.
func sameValues(a, b []leaf) bool {
	return samePlaces(a, b) && slices.EqualFunc(values(a), values(b), func(a, b leaf) bool {
		return sameValue(a.value, b.value)
	})
}

func sameValue(a, b any) bool {
	if at, ok := a.(time.Time); ok {
		bt, ok := b.(time.Time)
		return ok && at.Equal(bt)
	}
	return a == b
}

// sameComments compares the comments of two texts; sops may attach one to
// another line of the same mapping.
func sameComments(a, b []leaf) bool {
	texts := func(leaves []leaf) []string {
		var out []string
		for _, l := range leaves {
			if l.comment {
				out = append(out, strings.TrimRight(l.value.(string), " \t"))
			}
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(texts(a), texts(b))
}

func values(leaves []leaf) []leaf {
	return slices.DeleteFunc(slices.Clone(leaves), func(l leaf) bool { return l.comment })
}
