package render

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mergeKeys are the lists of the built-in kinds that a strategic-merge patch
// merges item by item, and the fields that may be the key of their items
// (patchMergeKey in the API's OpenAPI schema). It replaces all other lists.
var mergeKeys = map[string][]string{
	"containers": {"name"}, "initContainers": {"name"}, "ephemeralContainers": {"name"}, "env": {"name"},
	"volumes": {"name"}, "imagePullSecrets": {"name"}, "secrets": {"name"}, "resourceClaims": {"name"},
	"ports": {"containerPort", "port"}, "volumeMounts": {"mountPath"}, "volumeDevices": {"devicePath"},
	"hostAliases": {"ip"}, "topologySpreadConstraints": {"topologyKey"}, "ownerReferences": {"uid"},
	"conditions": {"type"}, "webhooks": {"name"}, "matchConditions": {"name"}, "schedulingGates": {"name"},
}

// isBuiltIn reports whether kustomize knows the schema of an API group. In
// objects of other groups it replaces lists.
func isBuiltIn(group string) bool {
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
}

// mergeDocument applies the document of a strategic-merge patch.
func (s *slot) mergeDocument(root *yaml.Node, builtIn bool) bool {
	patch := decoded(root)
	if patch == nil || s.fields == nil {
		return false
	}
	s.merge(patch, builtIn)
	return true
}

// merge applies a strategic-merge patch, as kustomize does. Lists are merged
// where the object's kind is built in.
func (s *slot) merge(patch *slot, builtIn bool) {
	if directive, _ := patch.text("$patch"); directive == "replace" {
		clear(s.fields)
	}
	for name, member := range patch.fields {
		old := s.fields[name]
		switch directive, _ := member.text("$patch"); {
		case name == "$patch":
		case directive == "delete", !member.list && member.fields == nil && member.value == nil:
			delete(s.fields, name)
		case old != nil && old.fields != nil && member.fields != nil:
			old.merge(member, builtIn)
		case old != nil && old.list && member.list && builtIn && member.key(name) != "":
			old.mergeItems(member, member.key(name), builtIn)
		default:
			s.fields[name] = member
		}
	}
}

// key is the member by which the items of a patch's list are merged, "" for a
// list that is replaced.
func (s *slot) key(field string) string {
	for _, key := range mergeKeys[field] {
		for _, item := range s.items {
			if item.fields[key] != nil {
				return key
			}
		}
	}
	return ""
}

// mergeItems merges a list: kustomize puts the items of the patch first, those
// that were there too.
func (s *slot) mergeItems(patch *slot, key string, builtIn bool) {
	var first []*slot
	rest := slices.Clone(s.items)
	for _, item := range patch.items {
		directive, _ := item.text("$patch")
		if directive == "replace" {
			rest = nil
			continue
		}
		node := item
		if i := slices.IndexFunc(rest, func(old *slot) bool { return sameKey(old, item, key) }); i >= 0 {
			node = rest[i]
			rest = slices.Delete(rest, i, i+1)
			node.nodes = append(node.nodes, item.nodes...)
			node.merge(item, builtIn)
		}
		if directive != "delete" {
			first = append(first, node)
		}
	}
	s.items = append(first, rest...)
}

// sameKey compares two items; a port is in one protocol, TCP where it names
// none.
func sameKey(a, b *slot, key string) bool {
	if a.fields[key] == nil || b.fields[key] == nil || a.fields[key].value != b.fields[key].value {
		return false
	}
	protocol, ok := a.text("protocol")
	other, also := b.text("protocol")
	return !ok || !also || protocol == other
}
