package validate

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// The beginning of a token that stands for an encrypted value, as it is and in
// base64, as far as what follows does not change it.
const (
	sealedToken       = "sopsTok0"
	sealedTokenBase64 = "c29wc1Rvaz"
)

// sealedSecret is an encrypted Secret that nothing in its own target names.
type sealedSecret struct {
	name   uint64 // hash
	placed finding.Finding
}

// foundByName are Secrets that a program looks for under a fixed name.
var foundByName = []string{
	"alertmanager-main", "argocd-image-updater-secret", "argocd-notifications-secret", "argocd-secret", "pull-secret",
}

// sealedSecrets returns the encrypted Secrets of a target that none of words
// names.
func (x *References) sealedSecrets(r *render.Rendered, words wordSet) (out []sealedSecret) {
	for _, o := range r.Objects {
		if o.Kind != kindSecret || o.APIVersion != "v1" || words.has(x.hash(o.Name)) || !isSealed(o) {
			continue
		}
		if x.stock.finders.on(o) || x.stock.spreaders.on(o) || slices.Contains(foundByName, o.Name) || templated(o.Name) ||
			o.Value["type"] == "bootstrap.kubernetes.io/token" {
			continue
		}
		out = append(out, sealedSecret{x.hash(o.Name), r.At(o, "/metadata/name", finding.Finding{
			Rule: ruleUnused, Severity: finding.Warning,
			Message: fmt.Sprintf("nothing in the repository names the encrypted Secret %q", o.Name),
			Help:    "remove it if nothing needs it, and withdraw what it grants: the history keeps it",
		})})
	}
	return out
}

// unused lists the encrypted Secrets that no object of any target names.
func (x *References) unused() (out []sealedSecret) {
	for _, s := range x.sealed {
		if !x.words.has(s.name) {
			out = append(out, s)
		}
	}
	return out
}

// isSealed reports whether a Secret holds encrypted values.
func isSealed(o *render.Object) bool {
	for _, field := range []string{"data", "stringData"} {
		m, _ := o.Value[field].(map[string]any)
		for _, value := range m {
			text, _ := value.(string)
			if strings.HasPrefix(text, sealedToken) || strings.HasPrefix(text, sealedTokenBase64) {
				return true
			}
		}
	}
	return false
}

// unread looks for names in the YAML files and templates that no rendered target
// is made of: Helm charts, values, targets that do not render. It returns the
// first such file for each name that one has. Hidden files are left out: they
// configure tools, this one among them.
func (x *References) unread(missing []pending, unused []sealedSecret) map[uint64]string {
	names := wordSet{}
	for _, p := range missing {
		names[x.hash(p.name)] = struct{}{}
	}
	for _, s := range unused {
		names[s.name] = struct{}{}
	}
	found := map[uint64]string{}
	if len(names) == 0 {
		return found
	}
	for file, words := range x.files {
		for name := range names {
			if !x.read[file] && words.has(name) && found[name] == "" {
				found[name] = file
			}
		}
	}
	return found
}

func speaksOfNames(file string) bool {
	return !strings.HasPrefix(path.Base(file), ".") && (source.IsYAML(file) || path.Ext(file) == ".tpl")
}
