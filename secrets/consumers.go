package secrets

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// Consumer is one way in which an object of a target gets at a Secret. Key is
// the key that it names, empty where it gets all. Pointer is where in By the
// Secret is named. A Secret that the target itself has is there once with a zero
// By, so that its first reader can be told from the reader of a new Secret.
type Consumer struct {
	Target  string
	Secret  finding.Object
	Key     string
	By      finding.Object
	Pointer string
}

// Consumers lists which objects of a target name which Secrets, in the order of
// the objects: container variables, envFrom, volumes, pull secrets, TLS of an
// Ingress, service accounts, valuesFrom and substituteFrom of Flux, and the
// secretRef, secretName and …SecretRef fields of any custom resource.
func Consumers(r *render.Rendered) []Consumer {
	var out []Consumer
	for _, o := range r.Objects {
		if o.Kind == "Secret" && o.APIVersion == "v1" {
			out = append(out, Consumer{Target: r.Target.Path, Secret: o.Object})
			continue
		}
		w := &consumerWalk{target: r.Target.Path, by: o.Object}
		w.walk(o.Value, nil)
		out = append(out, w.out...)
	}
	return out
}

// NewConsumers lists the consumers of head that base does not have, of Secrets
// that base has in the same target. Who could read all keys of a Secret is not
// new where it names one of them.
func NewConsumers(base, head []Consumer) []Consumer {
	type reader struct {
		secret way
		by     finding.Object
		key    string
	}
	existed, read := map[way]bool{}, map[reader]bool{}
	for _, c := range base {
		if c.By == (finding.Object{}) {
			existed[c.way()] = true
		}
		read[reader{c.way(), c.by(), c.Key}] = true
	}
	var out []Consumer
	for _, c := range head {
		all, one := reader{c.way(), c.by(), ""}, reader{c.way(), c.by(), c.Key}
		if c.By == (finding.Object{}) || !existed[c.way()] || read[all] || read[one] {
			continue
		}
		read[one] = true
		out = append(out, c)
	}
	return out
}

// CheckConsumers warns about the consumers of a target that base does not have.
// base are the consumers of the earlier state, of this target or of all.
func CheckConsumers(r *render.Rendered, base []Consumer) []finding.Finding {
	var out []finding.Finding
	for _, c := range NewConsumers(base, Consumers(r)) {
		i := slices.IndexFunc(r.Objects, func(o *render.Object) bool { return o.Object == c.By })
		what := "all of"
		if c.Key != "" {
			what = fmt.Sprintf("key %q of", c.Key)
		}
		out = append(out, r.At(r.Objects[i], c.Pointer, finding.Finding{
			Rule: ruleConsumer, Severity: finding.Warning,
			Message: fmt.Sprintf("%s is a new reader of %s %s", c.By, what, c.Secret),
			Help:    "make sure that the owners of the Secret agree",
		}))
	}
	return out
}

// A way names a Secret of a target across states.
type way struct{ target, namespace, name string }

func (c Consumer) way() way {
	return way{c.Target, c.Secret.Namespace, hashSuffix.ReplaceAllString(c.Secret.Name, "")}
}

// by is the consumer across states: a new version of an API is no new reader.
func (c Consumer) by() finding.Object {
	by := c.By
	by.APIVersion, _, _ = strings.Cut(by.APIVersion, "/")
	return by
}

// hashSuffix is what kustomize appends to names of generated objects: ten
// characters of an alphabet without vowels and look-alikes (api/hasher).
var hashSuffix = regexp.MustCompile(`-[bcdfghkmt2456789]{10}$`)

// consumerWalk finds the Secrets that one object names.
type consumerWalk struct {
	target string
	by     finding.Object
	out    []Consumer
}

func (w *consumerWalk) walk(node any, at []string) {
	switch node := node.(type) {
	case map[string]any:
		if node["kind"] == "Secret" && len(at) > 0 { // valuesFrom, substituteFrom, certificateRefs
			w.named(node, "name", at)
		}
		for _, key := range sortedKeys(node) {
			w.field(key, node, with(at, key))
			w.walk(node[key], with(at, key))
		}
	case []any:
		for i, item := range node {
			w.walk(item, with(at, strconv.Itoa(i)))
		}
	}
}

// field judges one field by its name, whatever the kind of the object: those
// names mean the same everywhere.
func (w *consumerWalk) field(key string, in map[string]any, at []string) {
	value := in[key]
	switch {
	case key == "secretName" && w.by.Kind != "Certificate": // which makes the Secret
		w.volume(in, at)
	case key == "secret":
		if m, ok := value.(map[string]any); ok && m["secretName"] == nil { // of a projected volume
			w.volume(m, with(at, "name"))
		}
	case key == "imagePullSecrets" || key == "secrets" && w.by.Kind == "ServiceAccount":
		list, _ := value.([]any)
		for i, item := range list {
			m, _ := item.(map[string]any)
			w.named(m, "name", with(at, strconv.Itoa(i)))
		}
	case key == "secretRef" || key == "secretKeyRef" || strings.HasSuffix(key, "SecretRef") || strings.HasSuffix(key, "SecretKeyRef"):
		m, _ := value.(map[string]any)
		if kind, ok := m["kind"].(string); !ok || kind != "Secret" { // else walk finds it
			w.named(m, "name", at)
		}
	}
}

// volume adds a Secret that is mounted: all of it, or the keys of items.
func (w *consumerWalk) volume(in map[string]any, at []string) {
	name, _ := in[at[len(at)-1]].(string)
	items, _ := in["items"].([]any)
	if len(items) == 0 {
		w.add(in, name, "", at)
	}
	for _, item := range items {
		m, _ := item.(map[string]any)
		key, _ := m["key"].(string)
		w.add(in, name, key, at)
	}
}

// named adds the Secret that a reference names, with its key if it has one.
func (w *consumerWalk) named(ref map[string]any, field string, at []string) {
	name, _ := ref[field].(string)
	key, ok := ref["key"].(string)
	if !ok {
		key, _ = ref["valuesKey"].(string)
	}
	w.add(ref, name, key, with(at, field))
}

func (w *consumerWalk) add(ref map[string]any, name, key string, at []string) {
	if name == "" {
		return
	}
	namespace, ok := ref["namespace"].(string)
	if !ok {
		namespace = w.by.Namespace
	}
	w.out = append(w.out, Consumer{
		Target: w.target, Secret: finding.Object{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name},
		Key: key, By: w.by, Pointer: source.Pointer(at...),
	})
}
