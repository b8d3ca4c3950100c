// Package drift says in which fields a cluster differs from what was applied,
// and who changed them.
//
// The server does the comparing: a dry-run of the apply shows the object as it
// would be, the fields of our manager say what is ours, and the fields of the
// others say who was there. Nothing here holds or prints a value, since a live
// field may hold what somebody typed by hand: fields are paths, and two looks at
// the same drift are recognised by a keyed hash.
package drift

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
)

// What is how an object or a field differs.
type What string

// The differences. Added is a field that others own and Git says nothing about:
// worth knowing, and no drift.
const (
	Missing What = "missing"
	Changed What = "changed"
	Removed What = "removed"
	Added   What = "added"
)

// Manager is somebody who writes fields, as the server recorded it.
type Manager struct {
	Name      string    `json:"name"`      // such as kubectl-edit
	Operation string    `json:"operation"` // Apply or Update
	Time      time.Time `json:"time"`      // of its last write to the object
}

// Field is one field that differs. Path is written as the server writes it in
// conflicts: .spec.template.spec.containers[name="app"].image.
type Field struct {
	Path string    `json:"path"`
	What What      `json:"what"`
	By   []Manager `json:"by,omitempty"` // who owns it now; nobody where it was removed
}

// Object is one object that differs: Missing, Changed, or only Added to.
type Object struct {
	ID     cluster.ID `json:"id"`
	What   What       `json:"what"`
	Fields []Field    `json:"fields,omitempty"`
	More   int        `json:"more,omitempty"` // fields that differ beside those
	// Fingerprint is a keyed hash of what is there instead. It is the same as
	// long as nothing changes, and says nothing about values.
	Fingerprint string `json:"fingerprint"`
	// Held says why it is not put back; "" where it is.
	Held string `json:"held,omitempty"`
}

func (o Object) String() string {
	lines := []string{fmt.Sprintf("%s is %s", o.ID, o.What)}
	if o.What == Added {
		lines[0] = fmt.Sprintf("%s has fields of others", o.ID)
	}
	for _, f := range o.Fields {
		line := f.Path + " " + string(f.What)
		for i, m := range f.By {
			line += map[bool]string{true: " by ", false: ", "}[i == 0] + m.Name + " (" + m.Operation
			if !m.Time.IsZero() { // as after kubectl scale: the server notes no time for subresources
				line += ", " + m.Time.UTC().Format(time.RFC3339)
			}
			line += ")"
		}
		lines = append(lines, line)
	}
	if o.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more fields", o.More))
	}
	return strings.Join(lines, "\n  ")
}

// Options say what to leave out.
type Options struct {
	Key []byte // of the hash: random, kept in memory
	// Ignored reports whether a path of an object belongs to others on purpose.
	Ignored func(id cluster.ID, path fieldpath.Path) bool
	// Redact takes values out of a text; nil takes out none. Names of managers and
	// keys of lists are what somebody wrote into the cluster, such as a value that
	// was meant to stay in a Secret.
	Redact func(string) string
}

// Compare lists what differs, in the order of applying. The run must have been
// through Preflight. What it says is fit to be printed: redacted, bounded, and
// without characters that do something else than show.
func Compare(run *apply.Run, opts Options) []Object {
	var all []Object
	for _, c := range run.Changes() {
		if o, differs := compare(c, opts); differs {
			all = append(all, opts.fit(o))
		}
	}
	return all
}

func compare(c apply.Change, opts Options) (Object, bool) {
	o := Object{ID: c.ID, What: Changed}
	if c.State == apply.Held {
		o.Held = c.Reason
	}
	switch {
	case c.Live == nil && (c.State == apply.New || c.State == apply.Held && c.Final != nil):
		o.What = Missing
	case c.State == apply.Replaced:
		o.Fields = nil // what may not be changed in place is not compared field by field
	case c.Live == nil || c.Final == nil:
		return o, false
	default:
		o.Fields = fields(c, opts)
		if !slices.ContainsFunc(o.Fields, func(f Field) bool { return f.What != Added }) {
			o.What = Added
		}
		if len(o.Fields) == 0 {
			return o, false
		}
	}
	o.Fingerprint = fingerprint(o, c.Live, opts.Key)
	return o, true
}

// managed are the metadata that the server alone writes.
var managed = []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"}

// fields lists ours that are not as they should be, then those of others.
func fields(c apply.Change, opts Options) []Field {
	ours := owned(c.Final, func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == cluster.Manager && e.Operation == metav1.ManagedFieldsOperationApply
	})
	others := owners(c.Live)
	var out []Field
	ours.Leaves().Iterate(func(p fieldpath.Path) {
		want, _ := resolve(c.Final.Object, p)
		got, there := resolve(c.Live.Object, p)
		if equality.Semantic.DeepEqual(want, got) || opts.ignored(c.ID, p) {
			return
		}
		f := Field{Path: p.String(), What: Changed, By: others.of(p)}
		if !there {
			f.What = Removed
		}
		out = append(out, f)
	})
	seen := map[string]bool{}
	for _, o := range others {
		o.fields.Leaves().Iterate(func(p fieldpath.Path) {
			if path := p.String(); !seen[path] && !o.system && !ours.Has(p) && !opts.ignored(c.ID, p) {
				seen[path] = true
				out = append(out, Field{Path: path, What: Added, By: others.of(p)})
			}
		})
	}
	slices.SortStableFunc(out, func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func (o Options) ignored(id cluster.ID, p fieldpath.Path) bool {
	return o.Ignored != nil && o.Ignored(id, p)
}

// fingerprint tells one drift from the next.
func fingerprint(o Object, live *unstructured.Unstructured, key []byte) string {
	mac := hmac.New(sha256.New, key)
	enc := json.NewEncoder(mac)
	_ = enc.Encode([]string{o.ID.String(), string(o.What)}) // a hash takes everything
	for _, f := range o.Fields {
		_ = enc.Encode([]string{f.Path, string(f.What)})
	}
	if live != nil {
		content := runtime.DeepCopyJSON(live.Object)
		delete(content, "status")
		if metadata, ok := content["metadata"].(map[string]any); ok {
			for _, name := range managed {
				delete(metadata, name)
			}
		}
		_ = enc.Encode(content)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// owner is a manager that is not ours, with its fields.
type owner struct {
	Manager
	fields *fieldpath.Set
	system bool // part of Kubernetes itself, whose additions surprise nobody
}

type ownerList []owner

// owners are those that wrote to the object itself, not to its status.
func owners(u *unstructured.Unstructured) ownerList {
	var list ownerList
	for _, e := range u.GetManagedFields() {
		if e.Manager == cluster.Manager || e.Subresource == "status" || e.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if set.FromJSON(bytes.NewReader(e.FieldsV1.Raw)) != nil {
			continue
		}
		o := owner{Manager: Manager{Name: e.Manager, Operation: string(e.Operation)}, fields: set, system: strings.HasPrefix(e.Manager, "kube-") || e.Manager == "kubelet"}
		if e.Time != nil {
			o.Time = e.Time.Time
		}
		list = append(list, o)
	}
	return list
}

func (l ownerList) of(p fieldpath.Path) []Manager {
	var by []Manager
	for _, o := range l {
		if o.fields.Has(p) {
			by = append(by, o.Manager)
		}
	}
	return by
}
