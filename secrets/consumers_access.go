package secrets

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// every stands for all Secrets of a namespace, and for all namespaces. No object
// can have that name.
const every = "*"

// A roleID names a Role or a ClusterRole; the latter has no namespace.
type roleID struct{ kind, namespace, name string }

// A role may read Secrets: those of names, or every one.
type role struct {
	roleID
	names  []string
	by     finding.Object
	joined bool // its rules are added to those of other roles
}

// An account is whom the API server knows a program as: "ServiceAccount",
// namespace and name, or "Group" and "User" with a name.
type account struct{ kind, namespace, name string }

// A binding gives a role to accounts, in a namespace or in every one.
type binding struct {
	by        finding.Object
	role      roleID
	namespace string
	to        []account
}

// A run is an object that runs a program as an account.
type run struct {
	by      finding.Object
	account account
	pointer string
}

// builtinRoles are the roles of every cluster that may read Secrets
// (Kubernetes, "User-facing roles": view may not).
var builtinRoles = []string{"cluster-admin", "admin", "edit"}

// authorization reads a Role or a binding.
func (a *Access) authorization(o *render.Object) {
	group, _, _ := strings.Cut(o.APIVersion, "/")
	switch {
	case group != "rbac.authorization.k8s.io" && group != "authorization.openshift.io":
	case o.Kind == "Role" || o.Kind == "ClusterRole":
		if names := readable(o.Value["rules"]); len(names) > 0 {
			a.roles = append(a.roles, role{roleOf(o.Kind, o.Namespace, o.Name), names, o.Object, isJoined(o)})
		}
	case o.Kind == "RoleBinding" || o.Kind == "ClusterRoleBinding":
		a.bindings = append(a.bindings, bindingOf(o))
	}
}

func roleOf(kind, namespace, name string) roleID {
	if kind == "ClusterRole" {
		namespace = ""
	}
	return roleID{kind, namespace, name}
}

// readable lists the Secrets that rules let read: every one, or those named. Who
// may watch or list is sent the values too, whatever names a rule has for get.
func readable(rules any) []string {
	var names []string
	list, _ := rules.([]any)
	for _, rule := range list {
		m, _ := rule.(map[string]any)
		if !holds(m["apiGroups"], "", every) || !holds(m["resources"], "secrets", every) || !holds(m["verbs"], "get", "list", "watch", every) {
			continue
		}
		named, _ := m["resourceNames"].([]any)
		if len(named) == 0 {
			return []string{every}
		}
		for _, name := range named {
			names = append(names, asText(name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// holds reports whether a list has one of the texts.
func holds(list any, texts ...string) bool {
	items, _ := list.([]any)
	return slices.ContainsFunc(items, func(item any) bool {
		text, ok := item.(string)
		return ok && slices.Contains(texts, text)
	})
}

// isJoined reports whether the rules of a ClusterRole become part of others by
// its labels. Who has admin or edit may read Secrets anyway.
func isJoined(o *render.Object) bool {
	metadata, _ := o.Value["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	for key := range labels {
		to, ok := strings.CutPrefix(key, "rbac.authorization.k8s.io/aggregate-to-")
		if ok && to != "admin" && to != "edit" {
			return o.Kind == "ClusterRole"
		}
	}
	return false
}

func bindingOf(o *render.Object) binding {
	b := binding{by: o.Object, namespace: o.Namespace}
	if o.Kind == "ClusterRoleBinding" {
		b.namespace = every
	}
	b.role = roleOf(textAt(o.Value, "roleRef", "kind"), o.Namespace, textAt(o.Value, "roleRef", "name"))
	subjects, _ := o.Value["subjects"].([]any)
	for _, subject := range subjects {
		to := account{textAt(subject, "kind"), textAt(subject, "namespace"), textAt(subject, "name")}
		switch {
		case to.kind != "ServiceAccount":
			to.namespace = ""
		case to.namespace == "":
			to.namespace = o.Namespace
		}
		b.to = append(b.to, to)
	}
	slices.SortFunc(b.to, func(a, b account) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
	return b
}

// account notes as whom a mapping runs a program: a pod spec, or any object that
// names a ServiceAccount, such as a Flux Kustomization.
func (w *consumerWalk) account(in map[string]any, at []string) {
	name, pointer := asText(in["serviceAccountName"]), with(at, "serviceAccountName")
	if _, pod := in["containers"].([]any); pod && name == "" {
		if name = asText(in["serviceAccount"]); name != "" {
			pointer = with(at, "serviceAccount")
		} else {
			name, pointer = "default", with(at, "containers")
		}
	}
	if name != "" {
		w.runs = append(w.runs, run{w.by, account{"ServiceAccount", w.by.Namespace, name}, source.Pointer(pointer...)})
	}
}

// holders are the names under which bindings can mean an account among others.
// What everybody may do who is known to the cluster (system:authenticated,
// system:serviceaccounts), nobody begins to do by running as an account.
func (a account) holders() []account {
	return []account{
		a, {"Group", "", "system:serviceaccounts:" + a.namespace}, {"User", "", "system:serviceaccount:" + a.namespace + ":" + a.name},
	}
}

func (a account) String() string {
	if a.namespace == "" {
		return a.kind + " " + a.name
	}
	return a.kind + " " + a.namespace + "/" + a.name
}
