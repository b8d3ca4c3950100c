// Package render turns a target into its objects. It finds the targets of a
// repository, builds each with kustomize in memory, and knows for every field
// of the result which place in the repository set it.
//
// It is the only package that knows kustomize.
package render

import (
	"path"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// Kind is the kind of a target.
type Kind string

// The kinds of targets.
const (
	Kustomize Kind = "kustomize" // a leaf overlay
	Directory Kind = "directory" // plain manifests that no kustomization owns
	Flux      Kind = "flux"      // a Flux Kustomization that changes what it builds
	ArgoCD    Kind = "argocd"    // an Argo CD Application, likewise
)

// Target is one thing that is deployed as a unit. Path is its directory,
// relative to the repository root; of an object that delivers a directory it is
// the object's file, "#" and its name. File is its kustomization file, empty for
// a directory. Why says in a few words why it is a target. Delivery is nil but
// for Flux and ArgoCD.
type Target struct {
	Path     string
	Kind     Kind
	File     string
	Why      string
	Delivery *Delivery
}

// Lists reports whether a new file at a path could be part of the target
// although nothing refers to it.
func (t Target) Lists(name string) bool {
	if t.Delivery != nil {
		return t.Delivery.Whole && within(t.Delivery.Dir, name)
	}
	return t.Kind == Directory && path.Dir(name) == t.Path
}

// Skipped is a directory or a file that looks deployable and is in none of our
// targets.
type Skipped struct {
	Path   string
	Reason string
}

// Discovery is what a repository offers to deploy, sorted by path.
type Discovery struct {
	Targets  []Target
	Skipped  []Skipped
	Findings []finding.Finding // dead components, deprecated fields, dangling references outside any target
}

// Clone returns a copy whose lists can be changed.
func (d *Discovery) Clone() *Discovery {
	return &Discovery{Targets: slices.Clone(d.Targets), Skipped: slices.Clone(d.Skipped), Findings: slices.Clone(d.Findings)}
}

// DiscoverOptions narrows discovery. The zero value takes the whole tree.
type DiscoverOptions struct {
	Scope   string   // only targets at or below this directory; "" is the root
	Include []string // doublestar patterns over target paths; empty takes all
	Exclude []string
	Library *Library // shared with others; nil takes one of its own
	Notes   *Notes   // of earlier discoveries; may be nil
}

// Rendered is one built target. A target that could not be built has no
// Objects, a Reason, and says in Findings what is wrong and where.
type Rendered struct {
	Target   Target
	Objects  []*Object
	Reason   string
	Findings []finding.Finding
	Reads    Reads

	root  *layer        // the leaf overlay; nil for a directory
	files []string      // of a directory
	added *delivered    // nil where no object delivers the target
	trace func() *trace // where the objects come from, computed once; nil where there are none

	original func(finding.Span) finding.Span // from the text that the tree gives to the repository's
}

// Reads is the exact record of what a build asked its tree: files that it read,
// paths that it found to be directories, and paths that it looked for and did
// not find. All sorted, no duplicates.
type Reads struct {
	Files   []string
	Dirs    []string
	Missing []string
}
