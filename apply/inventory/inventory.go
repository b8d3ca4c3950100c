// Package inventory remembers which objects a set consists of.
//
// It is an ApplySet (KEP-3659): a parent ConfigMap whose label names the set,
// whose annotations say which kinds and namespaces to look in, and members that
// carry the set's label. The parent also lists every member's uid. The label
// alone would let anyone who may label an object have it pruned; the list alone
// would prune an object that somebody else created under the name of one of
// ours. [Inventory.Owns] wants both to agree.
//
// A run writes the superset of what was and what will be before its first
// change, and what is after its last. A run that dies in between leaves a list
// with too much in it, never one with too little.
package inventory

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sallyport/sallyport/apply/cluster"
)

// Labels and annotations of the ApplySet specification (KEP-3659).
const (
	LabelID     = "applyset.kubernetes.io/id"      // on the parent
	LabelPartOf = "applyset.kubernetes.io/part-of" // on members

	annotationTooling    = "applyset.kubernetes.io/tooling"
	annotationKinds      = "applyset.kubernetes.io/contains-group-kinds"
	annotationNamespaces = "applyset.kubernetes.io/additional-namespaces"
	annotationSource     = "sallyport.dev/source" // whose set it is; see Set.Source
)

// Prefix begins the name of every parent: the set "shop" is the ConfigMap
// "sallyport-shop".
const Prefix = "sallyport-"

// Pending stands for the uid of a member that was about to be created, or
// created anew, when the list was written.
const Pending types.UID = ""

// Set names a set.
type Set struct {
	Name      string // a DNS label, such as a target's name
	Namespace string // where the parent is: the runner's own namespace
	Version   string // of this program, for the tooling annotation, such as "0.1.0"
	Source    string // what the set is made of, such as a target's path; a parent of another source is refused; "" takes any
}

// Parent is the ConfigMap that holds the inventory.
func (s Set) Parent() cluster.ID {
	return cluster.ID{Kind: "ConfigMap", Namespace: s.Namespace, Name: Prefix + s.Name}
}

// ID is the value of the members' label.
func (s Set) ID() string { return idOf(s.Parent()) }

// SourceOf is what a parent says its set is made of; "" where it does not say.
func SourceOf(parent *unstructured.Unstructured) string {
	return parent.GetAnnotations()[annotationSource]
}

// Selector selects the members of the set.
func (s Set) Selector() string { return LabelPartOf + "=" + s.ID() }

// idOf is the ApplySet ID of a parent:
// applyset-<base64url(sha256("<name>.<namespace>.<kind>.<group>"))>-v1.
func idOf(parent cluster.ID) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{parent.Name, parent.Namespace, parent.Kind, parent.Group}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}

// Inventory is what the parent says.
type Inventory struct {
	Set      Set
	Members  map[cluster.ID]types.UID // uid, or Pending
	Revision string                   // the one that was last applied completely
	Applying string                   // the one that was begun since and not completed; "" where there is none

	version string // resourceVersion of the parent; empty where there is none
	written bool   // whether the parent's text equals this
}

// IDs lists the members in order.
func (i *Inventory) IDs() []cluster.ID {
	return slices.SortedFunc(maps.Keys(i.Members), cluster.ID.Compare)
}

// Owns says whether a live object is a member: it carries the set's label, is
// in the list, and is the very object that the list means. Where the uid is not
// known because a run died before it could write it, the label must have been
// set by this program's server-side apply.
func (i *Inventory) Owns(live *unstructured.Unstructured) bool {
	uid, listed := i.Members[cluster.IDOf(live)]
	if !listed || live.GetLabels()[LabelPartOf] != i.Set.ID() {
		return false
	}
	if uid == Pending {
		return labelled(live)
	}
	return uid == live.GetUID()
}

// labelled says whether this program's server-side apply set the label.
func labelled(live *unstructured.Unstructured) bool {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == cluster.Manager && entry.Operation == "Apply" && entry.Subresource == "" && entry.FieldsV1 != nil &&
			strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+LabelPartOf+`"`) {
			return true
		}
	}
	return false
}

// Check refuses an object that says itself which set it belongs to.
func Check(u *unstructured.Unstructured) error {
	for _, label := range []string{LabelPartOf, LabelID} {
		if _, has := u.GetLabels()[label]; has {
			return fmt.Errorf("label %s is set in the repository: remove it, sallyport sets it", label)
		}
	}
	return nil
}

// Shared gives an error where a live object is a member of another set.
func (s Set) Shared(live *unstructured.Unstructured) error {
	other := live.GetLabels()[LabelPartOf]
	if other == "" || other == s.ID() {
		return nil
	}
	return fmt.Errorf("belongs to another set, %s: remove it there first, and if it is left behind, remove its label %s (kubectl get configmaps -A -l %s=%s finds that set)",
		other, LabelPartOf, LabelID, other)
}
