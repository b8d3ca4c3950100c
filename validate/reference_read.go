package validate

import (
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/render"
)

// reference is one name in an object of the target that is being collected.
type reference struct {
	object    *render.Object
	pointer   string // of the name
	kind      string
	namespace string // "" where it is not told
	name      string
	key       string // "" where the object alone is meant
	keyAt     string // pointer of the key
	manner    manner
	way       string
}

// read makes references of what the walker found in an object: one, or one for
// each key that is used.
func read(w *walker, o *render.Object, f form, value any) []reference {
	m, _ := value.(map[string]any)
	name, _ := value.(string)
	if f.name != "" {
		name, _ = m[f.name].(string)
	}
	if name == "" || m["optional"] == true {
		return nil
	}
	ref := reference{object: o, kind: f.to, manner: f.manner, way: f.way, namespace: namespaceOf(o, f, m)}
	if kind, _ := m[f.kind].(string); kind != "" {
		ref.kind = kind
	}
	ref.name = strings.ReplaceAll(name, "{{ .Release.Name }}", releaseName(o))
	if group, _ := m["group"].(string); group != "" || referable[ref.kind] == nil || templated(ref.name) {
		return nil
	}
	if ref.pointer = w.pointer(); f.name != "" {
		ref.pointer = w.pointer(f.name)
	}
	return withKeys(w, ref, f, m)
}

// releaseName is the name of a HelmRelease's release.
func releaseName(o *render.Object) string {
	if name, _ := at(o.Value, []string{"spec", "releaseName"}).(string); name != "" {
		return name
	}
	return o.Name
}

// namespaceOf is the namespace that a reference leads to, "" where that cannot
// be told.
func namespaceOf(o *render.Object, f form, m map[string]any) string {
	namespace := o.Namespace
	if clusterScoped[groupKindOf(o)] {
		namespace = ""
	}
	if fixed, ok := strings.CutPrefix(f.namespace, "="); ok {
		namespace = fixed
	} else if other, _ := m[f.namespace].(string); other != "" {
		namespace = other
	}
	if templated(namespace) {
		return ""
	}
	return namespace
}

// withKeys spreads a reference over the keys that it needs.
func withKeys(w *walker, ref reference, f form, m map[string]any) []reference {
	var out []reference
	need := func(key, pointer string) {
		if key != "" && !templated(key) {
			one := ref
			one.key, one.keyAt = key, pointer
			out = append(out, one)
		}
	}
	if key, _ := m[f.key].(string); key != "" {
		need(key, w.pointer(f.key))
	} else {
		need(f.fallback, ref.pointer)
	}
	for i, item := range list(m[f.items]) {
		key, _ := child(item, "key").(string)
		need(key, w.pointer(f.items, strconv.Itoa(i), "key"))
	}
	for _, key := range f.keys {
		need(key, ref.pointer)
	}
	if out == nil {
		return []reference{ref}
	}
	return out
}
