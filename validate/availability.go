package validate

import (
	"slices"
	"strings"
)

// presence says whether a Kubernetes version serves a built-in kind.
type presence uint8

const (
	unknown presence = iota // no version that we know of has it
	served
	removed // earlier versions had it
	future  // later versions have it
)

// availability answers for built-in kinds. The server's own life-cycle data
// decides; for kinds it says nothing about, the versions whose definitions
// hold the kind do.
type availability struct {
	bundle *bundle
	groups map[string]bool
}

func newAvailability(b *bundle) availability {
	a := availability{bundle: b, groups: map[string]bool{}}
	for gvk := range b.kinds {
		a.groups[groupOf(gvk)] = true
	}
	for gvk := range b.lifecycles {
		a.groups[groupOf(gvk)] = true
	}
	return a
}

// groupOf returns the API group of "apps/v1/Deployment": "apps". The core group
// is "".
func groupOf(gvk string) string {
	apiVersion, _ := splitGVK(gvk)
	group, _, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// builtin reports whether the group of a kind is Kubernetes' own. The server
// refuses a CustomResourceDefinition whose group has no dot, so those are too.
func (a availability) builtin(gvk string) bool {
	group := groupOf(gvk)
	return a.groups[group] || !strings.Contains(group, ".")
}

// in says whether a minor version serves a kind and, if not, the version that
// removed or introduced it.
func (a availability) in(minor, gvk string) (presence, string) {
	life, _ := a.bundle.lifecycle(gvk)
	if life.Removed != "" && compareVersions(minor, life.Removed) >= 0 {
		return removed, life.Removed
	}
	if _, ok := a.bundle.kind(minor, gvk); ok {
		return served, ""
	}
	first, last := a.span(gvk)
	switch {
	case last != "" && compareVersions(last, minor) < 0:
		return removed, a.after(last)
	case first != "" && compareVersions(first, minor) > 0:
		return future, first
	case life.Introduced != "" && compareVersions(life.Introduced, minor) > 0:
		return future, life.Introduced
	}
	return unknown, ""
}

// span returns the first and the last embedded version that know a kind.
func (a availability) span(gvk string) (first, last string) {
	for _, minor := range a.bundle.versions() {
		if _, ok := a.bundle.kind(minor, gvk); ok {
			if first == "" {
				first = minor
			}
			last = minor
		}
	}
	return first, last
}

// after returns the version that follows an embedded one.
func (a availability) after(minor string) string {
	versions := a.bundle.versions()
	if i := slices.Index(versions, minor); i >= 0 && i+1 < len(versions) {
		return versions[i+1]
	}
	return ""
}

// meant guesses what somebody meant who wrote a kind that nobody knows: the
// same kind in another version of its group or in another built-in group, or
// a similar name in the same apiVersion. It returns "apps/v1/Deployment" or "".
func (a availability) meant(gvk string) string {
	apiVersion, kind := splitGVK(gvk)
	newest := a.bundle.versions()[len(a.bundle.versions())-1]
	var same, similar []string
	for candidate := range a.bundle.kinds {
		if _, ok := a.bundle.kind(newest, candidate); !ok || a.bundle.optIn(newest, candidate) {
			continue
		}
		v, k := splitGVK(candidate)
		if k == kind {
			same = append(same, candidate)
		}
		if v == apiVersion && !strings.HasSuffix(k, "List") {
			similar = append(similar, k)
		}
	}
	if len(same) > 0 {
		return slices.Min(same)
	}
	if k := nearest(kind, similar); k != "" {
		return apiVersion + "/" + k
	}
	return ""
}

// spoken writes "apps/v1/Deployment" as people say it: "apps/v1 Deployment".
func spoken(gvk string) string {
	apiVersion, kind := splitGVK(gvk)
	return apiVersion + " " + kind
}
