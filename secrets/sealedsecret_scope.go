package secrets

import (
	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// A sealScope says what a sealed value is bound to: the OAEP label of its RSA
// block is namespace/name, the namespace, or empty. The annotations of the
// SealedSecret itself tell the controller which; those of its template do not.
type sealScope string

// The scopes as kubeseal names them.
const (
	scopeStrict    sealScope = "strict"
	scopeNamespace sealScope = "namespace-wide"
	scopeCluster   sealScope = "cluster-wide"
)

func (s sealScope) annotation() string { return "sealedsecrets.bitnami.com/" + string(s) }

// scopeOf follows SecretScope of sealed-secrets: "true" counts and nothing else,
// and cluster-wide comes first.
func scopeOf(annotation func(name string) string) sealScope {
	for _, scope := range []sealScope{scopeCluster, scopeNamespace} {
		if annotation(scope.annotation()) == "true" {
			return scope
		}
	}
	return scopeStrict
}

func scopeOfNode(metadata *yaml.Node) sealScope {
	annotations := get(metadata, "annotations")
	return scopeOf(func(name string) string { return getText(annotations, name) })
}

// scopes judges the annotations of a SealedSecret that say how it was sealed.
func (d *document) scopes(n *yaml.Node, object *finding.Object) {
	metadata := get(n, "metadata")
	annotations := get(metadata, "annotations")
	report := func(at *yaml.Node, scope sealScope, message string) {
		d.sheet.report(ruleMetadata, d.span(at), object,
			source.Pointer("metadata", "annotations", scope.annotation()), message,
			"keep the annotations that kubeseal wrote, or seal the Secret again with --scope")
	}
	wide := 0
	for _, scope := range []sealScope{scopeCluster, scopeNamespace} {
		v := get(annotations, scope.annotation())
		if v == nil {
			continue
		}
		switch deref(v).Value {
		case "true":
			if wide++; wide > 1 {
				report(v, scope, "the SealedSecret is annotated as "+string(scopeCluster)+" and as "+string(scope)+": the controller takes the first")
			}
		case "", "false":
		default:
			report(v, scope, "the annotation "+scope.annotation()+" is neither true nor false: the controller takes the SealedSecret for "+string(scopeOfNode(metadata)))
		}
	}
	template := get(get(get(n, "spec"), "template"), "metadata")
	if own, other := scopeOfNode(metadata), scopeOfNode(template); other != scopeStrict && other != own {
		at := get(get(template, "annotations"), other.annotation())
		d.sheet.report(ruleMetadata, d.span(at), object,
			source.Pointer("spec", "template", "metadata", "annotations", other.annotation()),
			"the template says "+string(other)+", but the SealedSecret itself, which the controller reads, says "+string(own),
			"put the annotation on the SealedSecret, as kubeseal does")
	}
}
