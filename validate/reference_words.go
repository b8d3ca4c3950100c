package validate

import (
	"strings"

	"github.com/sallyport/sallyport/render"
)

// wordSet is a set of words, by their hashes: texts are large, and only names
// are looked up.
type wordSet map[uint64]struct{}

func (w wordSet) has(hash uint64) bool {
	_, ok := w[hash]
	return ok
}

// hash is FNV-1a: the same in every process, so that hashes can be kept. Who makes
// two words collide can only spare himself a warning.
func (x *References) hash(word string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	hash := uint64(offset)
	for i := range len(word) {
		hash = (hash ^ uint64(word[i])) * prime
	}
	return hash
}

const (
	// longestName is the longest name that an object can have (RFC 1123).
	longestName = 253
	// longestText bounds the texts that are searched for names: what is longer
	// is a dashboard or a binary, which names no Secret.
	longestText = 64 << 10
)

// mentions returns every word of a target that could name a Secret or a
// ConfigMap, wherever it stands: in a field, in Helm values, in a script, as the
// name of another object. Only the names of Secrets and ConfigMaps do not count,
// nor what is in Secrets and in definitions of custom resources.
func (x *References) mentions(r *render.Rendered) wordSet {
	words := wordSet{}
	for _, o := range r.Objects {
		if o.Kind == crdKind || o.Kind == kindSecret {
			continue
		}
		release := releaseName(o)
		for field, value := range o.Value {
			if field == "metadata" && o.Kind == kindConfigMap {
				continue
			}
			eachText(value, func(text string) { x.addWords(words, strings.ReplaceAll(text, "{{ .Release.Name }}", release)) })
		}
	}
	return words
}

// arguments returns the words in the command lines of the containers.
func (x *References) arguments(objects []*render.Object) wordSet {
	words := wordSet{}
	w := &walker{found: func(_ form, value any) {
		eachText(value, func(text string) { x.addWords(words, text) })
	}}
	for _, o := range objects {
		w.visit(x.uses.arguments, o.Value)
	}
	return words
}

// eachText calls visit with every string below value.
func eachText(value any, visit func(string)) {
	switch value := value.(type) {
	case map[string]any:
		for _, child := range value {
			eachText(child, visit)
		}
	case []any:
		for _, child := range value {
			eachText(child, visit)
		}
	case string:
		visit(value)
	}
}

// addWords adds every run of characters that a name can have.
func (x *References) addWords(words wordSet, text string) {
	if len(text) > longestText {
		return
	}
	start := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && inName(text[i]) {
			continue
		}
		word := strings.Trim(text[start:i], "-.")
		if word != "" && len(word) <= longestName {
			words[x.hash(word)] = struct{}{}
		}
		start = i + 1
	}
}

func inName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.'
}
