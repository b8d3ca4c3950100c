// Package diff says what changes between two renders of a target, or between
// two targets, in a form that a reviewer reads.
//
// Objects are matched by group, kind, namespace and name, and those that
// kustomize names after their content by the name without its hash. Fields are
// compared whatever the order of maps and of lists whose items have a key. No
// value of a Secret, no token and no ciphertext is in a [Result]: of what is
// sealed it says which keys were added, removed and changed.
package diff

import (
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// Kind heads the JSON form of a [Result].
const Kind = "Diff"

// Result is everything that differs between two states. Its JSON form is stable.
type Result struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Tool       finding.Tool `json:"tool"`
	From       Side         `json:"from"`
	To         Side         `json:"to"`
	Summary    Summary      `json:"summary"`
	Targets    []Target     `json:"targets"` // affected by the change, sorted by path
	Changes    []Change     `json:"changes"` // what deletes data first, then removed, changed, added
}

// Side names one of the two states. Name is the revision as it was given or
// found, empty for a snapshot that is not named. Target is set where two targets
// of one snapshot are compared.
type Side struct {
	Kind     string `json:"kind"` // worktree, index or commit
	Revision string `json:"revision"`
	Name     string `json:"name,omitempty"`
	Target   string `json:"target,omitempty"`
}

// Between reports whether two targets of one snapshot are compared.
func (r *Result) Between() bool { return r.To.Target != "" }

// Differs reports whether anything differs, or may: a target that does not
// render cannot be called equal.
func (r *Result) Differs() bool {
	return len(r.Changes) > 0 || r.Summary.Unknown > 0 || r.Summary.Moved > 0
}

// Summary counts objects in every target: one change in 20 targets counts 20.
type Summary struct {
	Targets  int `json:"targets"`  // that either state has
	Affected int `json:"affected"` // that were rendered
	Differ   int `json:"differ"`
	Unknown  int `json:"unknown"` // that do not render in one of the states
	Moved    int `json:"moved"`
	Added    int `json:"added"`
	Removed  int `json:"removed"`
	Changed  int `json:"changed"`
	Loss     int `json:"loss"`  // removed objects whose deletion loses data
	Noise    int `json:"noise"` // fields left out as noise
}

// Status says how a target fared.
type Status string

// The statuses of a target.
const (
	TargetEqual   Status = "equal" // reads what has changed, and renders the same
	TargetChanged Status = "changed"
	TargetAdded   Status = "added"
	TargetRemoved Status = "removed"
	TargetMoved   Status = "moved"   // from another directory; its changes are those since
	TargetUnknown Status = "unknown" // does not render in one of the states
)

// Target is one target that the change affects. From is where a moved target
// was, or the other target of a comparison. Reason says why it does not render.
// Mapped says what differs between two targets throughout, and is left out.
type Target struct {
	Path      string    `json:"path"`
	From      string    `json:"from,omitempty"`
	Status    Status    `json:"status"`
	Added     int       `json:"added"`
	Removed   int       `json:"removed"`
	Changed   int       `json:"changed"`
	OldDigest string    `json:"oldDigest,omitempty"`
	NewDigest string    `json:"newDigest,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Mapped    []Mapping `json:"mapped,omitempty"`
}

// Mapping is a name that two targets write differently throughout.
type Mapping struct {
	What string `json:"what"` // namespace, name prefix, name suffix
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Action is what happened to an object or a field.
type Action string

// The actions.
const (
	Removed Action = "removed"
	Changed Action = "changed"
	Added   Action = "added"
)

// Change is what happens to one object, in every target where the same happens
// to it. Object is the object of the first instance; its namespace is left out
// where the instances differ in it.
type Change struct {
	Action    Action         `json:"action"`
	Object    finding.Object `json:"object"`
	Instances []Instance     `json:"instances"`
	Fields    []Field        `json:"fields,omitempty"`
	// Follows counts references that only follow the new names of generated
	// objects.
	Follows int `json:"follows,omitempty"`
	// Keys of an added or removed ConfigMap or Secret.
	Keys []string `json:"keys,omitempty"`
	// Loss says what is lost when a removed object is deleted.
	Loss string `json:"loss,omitempty"`
	// Kept says why a prune leaves a removed object alone.
	Kept string `json:"kept,omitempty"`
	// Location is where the object is written: before, if it is removed.
	Location finding.Span `json:"location,omitzero"`
	Noise    int          `json:"noise,omitempty"` // fields left out
	// Unified is a unified diff of the first instance's YAML, its secrets
	// masked; empty unless asked for.
	Unified string `json:"unified,omitempty"`
}

// Instance is one object that a change happens to. Was is its name before,
// where that differs. MovedTo is the target to which a removed object is added.
type Instance struct {
	Target  string         `json:"target"`
	Object  finding.Object `json:"object"`
	Was     string         `json:"was,omitempty"`
	MovedTo string         `json:"movedTo,omitempty"`
}

// Field is one field that differs. Path is for people: list items are named by
// their key, /spec/containers[web]/image. Pointer is RFC 6901, into the object
// as it is now, or was if the field is removed. Long texts are cut, and say so.
// Of several lines Hunks are set instead of Old and New; of what is sealed
// neither.
type Field struct {
	Path        string       `json:"path"`
	Pointer     string       `json:"pointer"`
	Action      Action       `json:"action"`
	Old         any          `json:"old,omitempty"`
	New         any          `json:"new,omitempty"`
	Hunks       []Hunk       `json:"hunks,omitempty"`
	Sealed      bool         `json:"sealed,omitempty"`
	Order       bool         `json:"order,omitempty"` // only the order of the items differs, and it matters
	Noise       bool         `json:"noise,omitempty"`
	Location    finding.Span `json:"location,omitzero"`    // where the new value is set, or what takes the field away
	OldLocation finding.Span `json:"oldLocation,omitzero"` // where the old value was set; not for every field
}

// Hunk is a stretch of a unified diff. Each line begins with a space, - or +.
type Hunk struct {
	OldStart int      `json:"oldStart"`
	OldLines int      `json:"oldLines"`
	NewStart int      `json:"newStart"`
	NewLines int      `json:"newLines"`
	Lines    []string `json:"lines"`
	Cut      int      `json:"cut,omitempty"` // lines left out at the end
}

// At names one field of an object.
type At struct {
	Object  finding.Object
	Pointer string
}

// State is one side of a target, after secrets.CheckRendered has masked it.
//
// Secrets holds every field with a secret or a part of one, wherever it is. The
// value tells whether two secrets are the same, in memory only; "" is unknown,
// and then their tokens are compared.
type State struct {
	*render.Rendered
	Digest  string
	Secrets map[At]string
}

// Pair is a target in two states. Nil is a state that does not have it. From is
// set where the old state is that of another target: one that was moved, or with
// Between one that is compared with it.
type Pair struct {
	Path     string
	From     string
	Between  bool
	Old, New *State
}

// Options of a comparison. The zero value hides the fields that
// [DefaultNoise] lists.
type Options struct {
	Ignore    []string // more patterns of labels and annotations that are noise
	ShowNoise bool
	Unified   bool // also make Change.Unified
}
