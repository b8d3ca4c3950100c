package decrypt

import (
	"strconv"
	"strings"

	"github.com/getsops/sops/v3"

	"github.com/sallyport/sallyport/source"
)

// A leaf is one encrypted value of a tree that sops read.
type leaf struct {
	doc    int      // counted as the seal does
	tokens []string // keys and list indexes
	keys   []string // keys only
	enc    string
	get    func() any // what the tree has there now
}

// path is what sops authenticates a value with: its keys.
func (l leaf) path() string { return strings.Join(l.keys, ":") + ":" }

func (l leaf) pointer() string { return source.Pointer(l.tokens...) }

// home is the place of the Secret around a value: what is above data or
// stringData. In a flat file all values are at home together.
func (l leaf) home() string {
	n := len(l.tokens)
	if n >= 2 && (l.tokens[n-2] == "data" || l.tokens[n-2] == "stringData") {
		n--
	}
	return strconv.Itoa(l.doc) + source.Pointer(l.tokens[:n-1]...)
}

// encryptedLeaves lists the values that are still encrypted. docs says what the
// branches are called.
func encryptedLeaves(branches sops.TreeBranches, docs []int) []leaf {
	w := &walk{}
	for i, branch := range branches {
		w.branch(branch, leaf{doc: docs[i]})
	}
	return w.out
}

type walk struct{ out []leaf }

func (w *walk) branch(branch sops.TreeBranch, at leaf) {
	for i, item := range branch {
		key, ok := item.Key.(string)
		if !ok { // a comment; sops refuses other keys
			continue
		}
		below := at
		below.tokens, below.keys = with(at.tokens, strings.TrimSpace(key)), with(at.keys, key)
		w.value(item.Value, below, func() any { return branch[i].Value })
	}
}

func (w *walk) list(list []any, at leaf) {
	n := 0
	for i, item := range list {
		if _, ok := item.(sops.Comment); ok {
			continue
		}
		below := at
		below.tokens = with(at.tokens, strconv.Itoa(n))
		n++
		w.value(item, below, func() any { return list[i] })
	}
}

func (w *walk) value(v any, at leaf, get func() any) {
	switch v := v.(type) {
	case sops.TreeBranch:
		w.branch(v, at)
	case []any:
		w.list(v, at)
	case string:
		if text := strings.TrimSpace(v); strings.HasPrefix(text, "ENC[AES256_GCM") {
			at.enc, at.get = text, get
			w.out = append(w.out, at)
		}
	}
}

// with returns path with one more element, sharing nothing with its siblings.
func with(path []string, last string) []string {
	return append(path[:len(path):len(path)], last)
}
