package validate

import (
	"slices"
	"strings"
)

// The kinds that references lead to.
const (
	kindSecret         = "Secret"
	kindConfigMap      = "ConfigMap"
	kindServiceAccount = "ServiceAccount"
	kindService        = "Service"
	kindClaim          = "PersistentVolumeClaim"
)

// use is one way in which objects name another object: the kinds that have it
// ("Kind.group", separated by spaces; "*" is every kind), where in the object
// it is, and how it is written there. One line adds a kind.
type use struct {
	kinds string
	path  string
	form  form
}

// labelled is the form of a use, with the path that names the way.
func (u use) labelled() form {
	u.form.way = u.path
	return u.form
}

// form is how a reference is written at its place.
type form struct {
	to        string   // kind of what it names
	kind      string   // field that holds that kind; To where the field is empty
	name      string   // field that holds the name; "" where the place itself is the name
	key       string   // field that holds the key
	fallback  string   // the key where that field is empty
	items     string   // field with a list of {key: …}
	keys      []string // keys that it needs always
	namespace string   // field that holds the namespace; "=ns" is always ns
	manner    manner
	way       string // path of the use, which names it
}

// manner says what is expected of a name that the target does not define.
type manner uint8

const (
	// expected: somebody has to define it in the repository, make it, or declare
	// it external.
	expected manner = iota
	// likely: it is probably outside the repository, because the program behind
	// the object makes it, or because it is the key that decrypts the repository.
	// Only missing keys and near misses are judged.
	likely
)

func named(to string) form           { return form{to: to, name: "name"} }
func keyed(to string) form           { return form{to: to, name: "name", key: "key"} }
func field(to, name string) form     { return form{to: to, name: name} }
func text(to string) form            { return form{to: to} }
func (f form) from(ns string) form   { f.namespace = ns; return f }
func (f form) as(m manner) form      { f.manner = m; return f }
func (f form) with(k ...string) form { f.keys = k; return f }

// podSpecs are the places of pod specs. Whatever else has spec.template.spec is
// taken for a workload too: Deployments, Jobs, Argo Rollouts, Knative Services.
const podSpecs = "Pod:spec CronJob.batch:spec/jobTemplate/spec/template/spec PodTemplate:template/spec *:spec/template/spec Task.tekton.dev:spec"

// containers are the lists of containers in a pod spec; the last two are
// Tekton's.
const containers = "containers|initContainers|ephemeralContainers|steps|sidecars"

// podUses are the references of a pod spec, relative to it. Missing
// imagePullSecrets do not keep a pod from starting where the image is public.
func podUses() []use {
	volume := func(to, name string) form { return form{to: to, name: name, items: "items"} }
	return []use{
		{"", containers + "/*/env/*/valueFrom/secretKeyRef", keyed(kindSecret)},
		{"", containers + "/*/env/*/valueFrom/configMapKeyRef", keyed(kindConfigMap)},
		{"", containers + "/*/envFrom/*/secretRef", named(kindSecret)},
		{"", containers + "/*/envFrom/*/configMapRef", named(kindConfigMap)},
		{"", "volumes/*/secret", volume(kindSecret, "secretName")},
		{"", "volumes/*/configMap", volume(kindConfigMap, "name")},
		{"", "volumes/*/projected/sources/*/secret", volume(kindSecret, "name")},
		{"", "volumes/*/projected/sources/*/configMap", volume(kindConfigMap, "name")},
		{"", "volumes/*/persistentVolumeClaim", field(kindClaim, "claimName")},
		{"", "volumes/*/csi/nodePublishSecretRef", named(kindSecret)},
		{"", "volumes/*/azureFile", field(kindSecret, "secretName")},
		{"", "volumes/*/cephfs|cinder|flexVolume|iscsi|rbd|scaleIO|storageos/secretRef", named(kindSecret)},
		{"", "imagePullSecrets/*", named(kindSecret)},
		{"", "serviceAccountName", text(kindServiceAccount)},
	}
}

// kubernetesUses are the references of the other built-in kinds.
func kubernetesUses() []use {
	storageClass := func(role string) form {
		return field(kindSecret, "csi.storage.k8s.io/"+role+"-secret-name").from("csi.storage.k8s.io/" + role + "-secret-namespace").as(likely)
	}
	return []use{
		{"ServiceAccount", "imagePullSecrets|secrets/*", named(kindSecret)},
		{"Ingress.networking.k8s.io Ingress.extensions", "spec/tls/*/secretName", text(kindSecret).with("tls.crt", "tls.key")},
		{"Ingress.networking.k8s.io", "spec/rules/*/http/paths/*/backend/service", named(kindService).as(likely)},
		{"Ingress.networking.k8s.io", "spec/defaultBackend/service", named(kindService).as(likely)},
		{"HorizontalPodAutoscaler.autoscaling", "spec/scaleTargetRef", form{kind: "kind", name: "name"}.as(likely)},
		{"PersistentVolume", "spec/csi/*SecretRef", named(kindSecret).from("namespace")},
		{"PersistentVolume", "spec/cephfs|cinder|flexVolume|iscsi|rbd|scaleIO/secretRef", named(kindSecret).from("namespace")},
		{"PersistentVolume", "spec/azureFile", field(kindSecret, "secretName").from("secretNamespace")},
		{"StorageClass.storage.k8s.io", "parameters", storageClass("provisioner")},
		{"StorageClass.storage.k8s.io", "parameters", storageClass("controller-expand")},
		{"StorageClass.storage.k8s.io", "parameters", storageClass("controller-publish")},
		{"StorageClass.storage.k8s.io", "parameters", storageClass("node-stage")},
		{"StorageClass.storage.k8s.io", "parameters", storageClass("node-publish")},
	}
}

// groupKind is a kind of any version.
type groupKind struct{ group, kind string }

func parseGroupKind(s string) groupKind {
	kind, group, _ := strings.Cut(s, ".")
	return groupKind{group, kind}
}

// useTable is the compiled table of uses.
type useTable struct {
	kinds     map[groupKind]*step
	every     *step // of all kinds
	arguments *step // the command lines of containers, of all kinds
}

func newUseTable() *useTable {
	t := &useTable{kinds: map[groupKind]*step{}, every: &step{}, arguments: &step{}}
	for _, root := range strings.Fields(podSpecs) {
		kind, path, _ := strings.Cut(root, ":")
		for _, u := range podUses() {
			t.add(kind, path+"/"+u.path, u.labelled())
		}
		t.arguments.add(path+"/"+containers+"/*/args|command/*", form{})
	}
	for _, u := range slices.Concat(kubernetesUses(), gitopsUses(), operatorUses()) {
		for _, kind := range strings.Fields(u.kinds) {
			t.add(kind, u.path, u.labelled())
		}
	}
	return t
}

func (t *useTable) add(kind, path string, f form) {
	root := t.every
	if kind != "*" {
		key := parseGroupKind(kind)
		if t.kinds[key] == nil {
			t.kinds[key] = &step{}
		}
		root = t.kinds[key]
	}
	root.add(path, f)
}

// referable are the kinds that references can lead to, with their groups.
var referable = map[string][]string{
	kindSecret:         {""},
	kindConfigMap:      {""},
	kindServiceAccount: {""},
	kindService:        {""},
	kindClaim:          {""},
	"Deployment":       {"apps"},
	"StatefulSet":      {"apps"},
	"ReplicaSet":       {"apps"},
	"DeploymentConfig": {"apps.openshift.io"},
}
