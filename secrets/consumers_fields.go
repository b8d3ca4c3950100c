package secrets

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// consumerWalk finds the Secrets that one object names. It goes by the names of
// fields, whatever the kind, so that a controller nobody here has heard of is read
// too. What is no Secret after all does no harm: only a name that some target has
// a Secret of counts.
type consumerWalk struct {
	target string
	object *render.Object
	by     finding.Object
	out    []Consumer
	runs   []run
}

// naming fits fields that name Secrets: secretName, secretRef, secretKeyRef,
// basicAuthSecret, passwordSecretRef, credentialsRef, secretNames, existingSecret.
var naming = regexp.MustCompile(`(?:^s|S|_s)ecrets?(?:Names?|Refs?|KeyRefs?|KeySelector|TargetRef|_name|_ref)?$|^credentialsRef$`)

// makers are the kinds that write the Secret which this field of theirs names.
var makers = map[string]string{"Certificate": "secretName", "BitwardenSecret": "secretName", "InfisicalSecret": "secretName"}

func (w *consumerWalk) walk(node any, at []string) {
	switch node := node.(type) {
	case map[string]any:
		w.account(node, at)
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

// field judges one field of a mapping.
func (w *consumerWalk) field(key string, in map[string]any, at []string) {
	value := in[key]
	switch {
	case at[0] == "metadata", makers[w.by.Kind] == key:
	case key == "secretName": // of a volume, or of TLS
		w.items(in, asText(value), at)
	case key == "certificateRefs": // of a Gateway: a Secret where no kind is told
		w.list(value, at, func(m map[string]any, at []string) {
			if kind, told := m["kind"]; !told || kind == kindSecret {
				w.named(m, at)
			}
		})
	case naming.MatchString(key):
		w.value(value, at)
	default:
		w.selector(key, value, at)
	}
}

// value is a reference in any form: a name, a mapping that holds one, or a list
// of those.
func (w *consumerWalk) value(value any, at []string) {
	switch value := value.(type) {
	case string:
		w.add(nil, value, "", at)
	case map[string]any:
		if kind, told := value["kind"].(string); told && kind != kindSecret {
			return
		}
		if _, volume := value["secretName"]; volume {
			return // the field below is read by itself
		}
		w.named(value, at)
	case []any:
		for i, item := range value {
			w.value(item, with(at, strconv.Itoa(i)))
		}
	}
}

// selector reads mappings that name a Secret by what is in them: a kind or type
// beside the name (valuesFrom, substituteFrom, caProvider), or a name and a key and
// nothing else, as in the API of Prometheus and of many operators.
func (w *consumerWalk) selector(key string, value any, at []string) {
	switch value := value.(type) {
	case map[string]any:
		if value["kind"] == kindSecret || value["type"] == kindSecret || isSelector(value) && !strings.Contains(strings.ToLower(key), "configmap") {
			w.named(value, at)
		}
	case []any:
		if naming.MatchString(key) || key == "certificateRefs" {
			return // read already
		}
		for i, item := range value {
			if m, ok := item.(map[string]any); ok {
				w.selector(key, m, with(at, strconv.Itoa(i)))
			}
		}
	}
}

func isSelector(m map[string]any) bool {
	if asText(m["name"]) == "" || asText(m["key"]) == "" {
		return false
	}
	for key := range m {
		if key != "name" && key != "key" && key != "optional" && key != "namespace" {
			return false
		}
	}
	return true
}

func (w *consumerWalk) list(value any, at []string, do func(m map[string]any, at []string)) {
	items, _ := value.([]any)
	for i, item := range items {
		if m, ok := item.(map[string]any); ok {
			do(m, with(at, strconv.Itoa(i)))
		}
	}
}

// named adds the Secret that a mapping names, with its key or its items.
func (w *consumerWalk) named(ref map[string]any, at []string) {
	key := asText(ref["key"])
	if key == "" {
		key = asText(ref["valuesKey"])
	}
	if key == "" {
		w.items(ref, asText(ref["name"]), with(at, "name"))
		return
	}
	w.add(ref, asText(ref["name"]), key, with(at, "name"))
}

// items adds a Secret that is mounted: all of it, or the keys of items.
func (w *consumerWalk) items(in map[string]any, name string, at []string) {
	items, _ := in["items"].([]any)
	if len(items) == 0 {
		w.add(in, name, "", at)
	}
	for _, item := range items {
		w.add(in, name, textAt(item, "key"), at)
	}
}

// add notes a reader. A name may tell its namespace in front of a slash, as those
// of Contour and of annotations do.
func (w *consumerWalk) add(ref map[string]any, name, key string, at []string) {
	namespace := asText(ref["namespace"])
	if before, after, ok := strings.Cut(name, "/"); ok && namespace == "" {
		namespace, name = before, after
	}
	if !isName(name) || namespace != "" && !isName(namespace) {
		return
	}
	if namespace == "" {
		namespace = w.home()
	}
	c := Consumer{
		Target: w.target, Secret: finding.Object{APIVersion: "v1", Kind: kindSecret, Namespace: namespace, Name: name},
		Key: key, By: w.by, Pointer: source.Pointer(at...),
	}
	if !slices.Contains(w.out, c) {
		w.out = append(w.out, c)
	}
}

// home is the namespace in which an object looks for a Secret. cert-manager looks
// in its own for a ClusterIssuer (--cluster-resource-namespace).
func (w *consumerWalk) home() string {
	if w.by.Kind == "ClusterIssuer" {
		return "cert-manager"
	}
	return w.by.Namespace
}

// namingAnnotation fits annotations whose value is the name of a Secret, with or
// without a namespace: auth-secret, auth-tls-secret and proxy-ssl-secret of ingress
// controllers (nginx, traefik, haproxy, contour), and the certificates that
// haproxy.org names otherwise. What makes a controller do something because of a
// Secret, and does not give it the value, is none (auth-secret-type, Reloader).
var namingAnnotation = regexp.MustCompile(`(?i)/(?:[a-z0-9.-]*-)?secret(?:-name|-ref)?$|^haproxy\.org/(?:server|client)-(?:ca|crt)$|^nginx\.com/jwt-key$`)

// annotations reads what the metadata of the object names. The namespace of a
// StorageClass's Secrets stands beside their names (CSI).
func (w *consumerWalk) annotations() {
	metadata, _ := w.object.Value["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	for _, key := range sortedKeys(annotations) {
		if namingAnnotation.MatchString(key) {
			w.add(nil, asText(annotations[key]), "", []string{"metadata", "annotations", key})
		}
	}
	parameters, _ := w.object.Value["parameters"].(map[string]any)
	for _, key := range sortedKeys(parameters) {
		if role, ok := strings.CutSuffix(key, "-secret-name"); ok {
			ref := map[string]any{"namespace": parameters[role+"-secret-namespace"]}
			w.add(ref, asText(parameters[key]), "", []string{"parameters", key})
		}
	}
}

func asText(value any) string {
	text, _ := value.(string)
	return text
}
