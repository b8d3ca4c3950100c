package render

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// match pairs rendered objects with their origins. Each rule is tried on all
// objects before the next, weaker one, so that a sure match is never lost to a
// guess.
func (t *trace) match(objects []*Object, origins []*origin) {
	taken := map[*origin]bool{}
	for _, rule := range []func(*Object, *origin) bool{
		func(o *Object, from *origin) bool { return sameName(o, from) && o.Namespace == from.namespace() },
		sameName,
		func(o *Object, from *origin) bool { return renamed(o, from) && o.Namespace == from.namespace() },
		renamed,
	} {
		for _, o := range objects {
			if t.origins[o] != nil {
				continue
			}
			for _, from := range origins {
				if !taken[from] && o.Kind == from.kind && rule(o, from) {
					t.origins[o], taken[from] = from, true
					break
				}
			}
		}
	}
}

// hashLength is the length of the hash that kustomize adds to a generated name.
const hashLength = 10

// sameName compares group and name; a generated name ends in a hash.
func sameName(o *Object, from *origin) bool {
	group, _ := splitVersion(o.APIVersion)
	if group != from.group {
		return false
	}
	if o.Name == from.name() {
		return true
	}
	hash, ok := strings.CutPrefix(o.Name, from.name()+"-")
	return ok && from.generated && len(hash) == hashLength
}

// renamed recognises an object that a transformer or a patch gave a longer
// name, or another group.
func renamed(o *Object, from *origin) bool {
	return from.names[0] != "" && strings.Contains(o.Name, from.names[0])
}

// selector decides which objects a patch or a replacement is for.
type selector struct {
	regex *types.SelectorRegex
	types.Selector
}

// selectorAt reads a selector. It fails where kustomize would.
func selectorAt(n *yaml.Node) (*selector, bool) {
	s := &selector{Selector: types.Selector{
		ResId: resid.ResId{
			Gvk:       resid.Gvk{Group: valueOf(n, "group"), Version: valueOf(n, "version"), Kind: valueOf(n, "kind")},
			Name:      valueOf(n, "name"),
			Namespace: valueOf(n, "namespace"),
		},
		LabelSelector:      valueOf(n, "labelSelector"),
		AnnotationSelector: valueOf(n, "annotationSelector"),
	}}
	var err error
	s.regex, err = types.NewSelectorRegex(&s.Selector)
	return s, err == nil
}

// valueOf is the text of a scalar in a mapping, "" where there is none.
func valueOf(mapping *yaml.Node, name string) string {
	if _, n := pair(mapping, name); n != nil && deref(n).Kind == yaml.ScalarNode {
		return deref(n).Value
	}
	return ""
}

// selects follows kustomize: the first or the current name and namespace count.
func (s *selector) selects(o *origin) bool {
	return (s.regex.MatchNamespace(effective(o.namespaces[0])) || s.regex.MatchNamespace(effective(o.namespace()))) &&
		(s.regex.MatchName(o.names[0]) || s.regex.MatchName(o.name())) &&
		s.regex.MatchGvk(resid.Gvk{Group: o.group, Version: o.version, Kind: o.kind}) &&
		s.selectsLabels(o)
}

func (s *selector) selectsLabels(o *origin) bool {
	if s.LabelSelector == "" && s.AnnotationSelector == "" {
		return true
	}
	node := kyaml.NewMapRNode(nil)
	if node.SetLabels(o.labels) != nil || node.SetAnnotations(o.annotations) != nil {
		return false
	}
	labels, err := node.MatchesLabelSelector(s.LabelSelector)
	if err != nil || !labels {
		return false
	}
	annotations, err := node.MatchesAnnotationSelector(s.AnnotationSelector)
	return err == nil && annotations
}

func effective(namespace string) string {
	if namespace == "" {
		return "default"
	}
	return namespace
}

// patched lists the objects that a strategic-merge patch without a target is
// for: those that it names, in its namespace where it has one.
func patched(root *yaml.Node, objects []*origin) []*origin {
	group, _ := splitVersion(textAt(root, "/apiVersion"))
	kind, name, namespace := textAt(root, "/kind"), textAt(root, "/metadata/name"), textAt(root, "/metadata/namespace")
	var named, exact []*origin
	for _, o := range objects {
		if o.group != group || o.kind != kind || !slices.Contains(o.names, name) {
			continue
		}
		named = append(named, o)
		for _, own := range o.namespaces {
			if effective(own) == effective(namespace) {
				exact = append(exact, o)
				break
			}
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return named
}
