package secrets

import (
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// Consumer is one way in which an object of a target gets at a Secret. Key is
// the key that it names, empty where it gets all. Pointer is where in By the
// Secret is named.
type Consumer struct {
	Target  string
	Secret  finding.Object
	Key     string
	By      finding.Object
	Pointer string
}

// Access is what a target says about who reads which Secrets: the Secrets that
// it has, the objects that name one, and the roles, bindings and accounts by which
// a program asks the API server for them.
type Access struct {
	Target    string
	Secrets   []finding.Object // its own, and those that a controller makes of its objects
	Consumers []Consumer       // in the order of the objects

	roles    []role
	bindings []binding
	runs     []run
}

// AccessOf reads the access of a rendered target.
func AccessOf(r *render.Rendered) *Access {
	a := &Access{Target: r.Target.Path}
	for _, o := range r.Objects {
		if secret, ok := secretOf(o); ok {
			a.Secrets = append(a.Secrets, secret)
		}
		if o.APIVersion == "v1" && (o.Kind == kindSecret || o.Kind == "ConfigMap") {
			continue // read nothing
		}
		w := &consumerWalk{target: r.Target.Path, object: o, by: o.Object}
		w.walk(o.Value, nil)
		w.annotations()
		a.Consumers = append(a.Consumers, w.out...)
		a.runs = append(a.runs, w.runs...)
		a.authorization(o)
	}
	return a
}

const kindSecret = "Secret"

// secretOf is the Secret that an object is, or that a controller makes of it
// under a name which the object tells: SealedSecrets and External Secrets.
func secretOf(o *render.Object) (finding.Object, bool) {
	secret := finding.Object{APIVersion: "v1", Kind: kindSecret, Namespace: o.Namespace, Name: o.Name}
	group, _, _ := strings.Cut(o.APIVersion, "/")
	switch {
	case o.Kind == kindSecret && o.APIVersion == "v1", o.Kind == "SealedSecret" && group == "bitnami.com":
		return secret, true
	case o.Kind == "ExternalSecret" && group == "external-secrets.io":
		if name := textAt(o.Value, "spec", "target", "name"); name != "" {
			secret.Name = name
		}
		return secret, true
	}
	return finding.Object{}, false
}

// textAt is the string at a path of mappings, "" where there is none.
func textAt(node any, path ...string) string {
	for _, key := range path {
		m, _ := node.(map[string]any)
		node = m[key]
	}
	text, _ := node.(string)
	return text
}

// across is an object across states: a new version of an API is no new reader.
func across(by finding.Object) finding.Object {
	by.APIVersion, _, _ = strings.Cut(by.APIVersion, "/")
	return by
}

// An address names a Secret across states, and across the targets of a cluster.
type address struct{ namespace, name string }

func addressOf(secret finding.Object) address {
	return address{secret.Namespace, hashSuffix.ReplaceAllString(secret.Name, "")}
}

// hashSuffix is what kustomize appends to names of generated objects: ten
// characters of an alphabet without vowels and look-alikes (api/hasher).
var hashSuffix = regexp.MustCompile(`-[bcdfghkmt2456789]{10}$`)
