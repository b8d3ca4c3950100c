package encrypt

import (
	"fmt"
	"strings"

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
