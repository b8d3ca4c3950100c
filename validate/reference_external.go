package validate

import (
	"fmt"
	"path"
	"strings"
)

// external is one pattern of objects that are made outside the repository.
type external struct{ kind, namespace, name string }

// parseExternal reads patterns of Kind/namespace/name and Kind/name; the latter
// means every namespace.
func parseExternal(patterns []string) ([]external, error) {
	var out []external
	for _, pattern := range patterns {
		parts := strings.Split(pattern, "/")
		if len(parts) == 2 {
			parts = []string{parts[0], "*", parts[1]}
		}
		if len(parts) != 3 {
			return nil, fmt.Errorf("external object %q: not Kind/namespace/name", pattern)
		}
		for _, part := range parts {
			if _, err := path.Match(part, ""); err != nil || part == "" {
				return nil, fmt.Errorf("external object %q: bad pattern %q", pattern, part)
			}
		}
		out = append(out, external{parts[0], parts[1], parts[2]})
	}
	return out, nil
}

// isExternal reports whether the configuration says that somebody else makes
// the object. A namespace that is not told can be any.
func (x *References) isExternal(ref reference) bool {
	for _, e := range x.external {
		kind, _ := path.Match(e.kind, ref.kind)
		namespace, _ := path.Match(e.namespace, ref.namespace)
		name, _ := path.Match(e.name, ref.name)
		if kind && (namespace || ref.namespace == "") && name {
			return true
		}
	}
	return false
}

// wellKnown reports whether a cluster has the object by itself.
func wellKnown(ref reference) bool {
	switch ref.kind {
	case kindConfigMap:
		switch ref.name {
		case "kube-root-ca.crt", "openshift-service-ca.crt": // in every namespace
			return true
		case "extension-apiserver-authentication", "kubeadm-config", "cluster-info", "coredns":
			return ref.namespace == "kube-system" || ref.namespace == "kube-public"
		}
	case kindServiceAccount:
		switch ref.name {
		case "default", "builder", "deployer", "pipeline": // the last three are OpenShift's
			return true
		}
	case kindSecret: // flux bootstrap makes its deploy key
		return ref.name == "flux-system" && ref.namespace == "flux-system"
	case kindService:
		return ref.name == "kubernetes" && ref.namespace == "default"
	}
	return false
}
