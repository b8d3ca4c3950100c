package validate

import (
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/render"
)

// stock takes stock of objects: what they are, and what is made of them.
type stock struct {
	makers                      map[groupKind][]maker
	fillers, spreaders, finders marks
}

func newStock() *stock {
	s := &stock{
		makers:  map[groupKind][]maker{},
		fillers: newMarks(fillers), spreaders: newMarks(spreaders), finders: newMarks(finders),
	}
	for _, m := range makers() {
		for _, kind := range strings.Fields(m.kinds) {
			key := parseGroupKind(kind)
			s.makers[key] = append(s.makers[key], m)
		}
	}
	return s
}

// take records an object of a target, and what is made of it.
func (s *stock) take(inv *inventory, o *render.Object, target string) {
	if o.Kind == "" || o.Name == "" {
		return
	}
	here := groupKindOf(o)
	add := func(kind, name, namespace string, keys []string) {
		if name == "" || templated(name) {
			return
		}
		if strings.ContainsAny(name, "*?[") {
			inv.patterns[namePattern{kind, namespace, name}] = true
			return
		}
		slices.Sort(keys)
		inv.add(kindName{kind, name}, known{namespace, slices.Compact(keys), len(keys) == 0, target, o})
	}
	if groups, ok := referable[o.Kind]; ok && slices.Contains(groups, here.group) {
		keys := s.ownKeys(o)
		add(o.Kind, o.Name, o.Namespace, keys)
		if s.spreaders.on(o) {
			add(o.Kind, o.Name, anyNamespace, keys)
		}
	}
	for _, m := range s.makers[here] {
		m.make(o, add)
	}
	if name, ok := at(o.Value, []string{"spec", "writeConnectionSecretToRef", "name"}).(string); ok { // Crossplane
		add(kindSecret, name, anyNamespace, nil)
	}
	annotated(o, add)
}

// make records what the controller of a maker makes of an object.
func (m maker) make(o *render.Object, add func(kind, name, namespace string, keys []string)) {
	if m.only != "" && len(expand(m.only, o.Value)) == 0 {
		return
	}
	var keys []string
	if m.keys != nil {
		keys = m.keys(o.Value)
	}
	namespace := o.Namespace
	if clusterScoped[groupKindOf(o)] {
		namespace = anyNamespace
	}
	if m.namespace != "" {
		if told := expand(m.namespace, o.Value); len(told) > 0 {
			namespace = told[0]
		}
	}
	for _, name := range expand(m.name, o.Value) {
		for _, kind := range strings.Fields(m.makes) {
			add(kind, name, namespace, slices.Clone(keys))
		}
	}
}

// annotated records the Secrets that annotations ask for: the serving
// certificate of an OpenShift Service, and the certificates of an Ingress or a
// Gateway that cert-manager looks after.
func annotated(o *render.Object, add func(kind, name, namespace string, keys []string)) {
	for key, value := range annotations(o) {
		switch {
		case strings.HasSuffix(key, ".openshift.io/serving-cert-secret-name"):
			name, _ := value.(string)
			add(kindSecret, name, o.Namespace, []string{"tls.crt", "tls.key"})
		case strings.HasPrefix(key, "cert-manager.io/") && strings.HasSuffix(key, "issuer"), key == "kubernetes.io/tls-acme":
			for _, name := range expand("{spec/tls/*/secretName|spec/listeners/*/tls/certificateRefs/*/name}", o.Value) {
				add(kindSecret, name, o.Namespace, []string{"ca.crt", "tls.crt", "tls.key"})
			}
		}
	}
}

func annotations(o *render.Object) map[string]any {
	a, _ := at(o.Value, []string{"metadata", "annotations"}).(map[string]any)
	return a
}

// fillers are the annotations and labels by which a controller is asked to put
// keys into an object; spreaders ask one to copy it into other namespaces; by
// finders a program finds a Secret without its name.
const (
	fillers = "replicator.v1.mittwald.de/replicate-from reflector.v1.k8s.emberstack.com/reflects " +
		"secret-generator.v1.mittwald.de/* service.beta.openshift.io/inject-cabundle " +
		"service.alpha.openshift.io/inject-cabundle config.openshift.io/inject-trusted-cabundle"
	spreaders = "replicator.v1.mittwald.de/replicate-to* reflector.v1.k8s.emberstack.com/reflection-auto-* " +
		"kubed.appscode.com/sync config.syncer.appscode.com/sync"
	finders = "argocd.argoproj.io/secret-type"
)

// marks are patterns of annotations and labels: those of the part behind the
// slash, by the part before it.
type marks map[string][]string

func newMarks(patterns string) marks {
	m := marks{}
	for _, pattern := range strings.Fields(patterns) {
		domain, name, _ := strings.Cut(pattern, "/")
		m[domain] = append(m[domain], name)
	}
	return m
}

// on reports whether an object has one of the marks.
func (m marks) on(o *render.Object) bool {
	labels, _ := at(o.Value, []string{"metadata", "labels"}).(map[string]any)
	return m.among(annotations(o)) || m.among(labels)
}

func (m marks) among(keys map[string]any) bool {
	for key := range keys {
		domain, name, _ := strings.Cut(key, "/")
		for _, pattern := range m[domain] {
			if ok, _ := path.Match(pattern, name); ok {
				return true
			}
		}
	}
	return false
}

// ownKeys lists the keys of a Secret or ConfigMap; nil where there are none, or
// where a controller adds some. An empty one in Git is there to be filled.
func (s *stock) ownKeys(o *render.Object) []string {
	if o.Kind != kindSecret && o.Kind != kindConfigMap {
		return nil
	}
	if o.Value["type"] == "kubernetes.io/service-account-token" || s.fillers.on(o) {
		return nil
	}
	var keys []string
	for _, field := range []string{"data", "stringData", "binaryData"} {
		keys = append(keys, keysOf(o.Value[field])...)
	}
	return keys
}
