package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// complete corrects the life cycles by what the releases really hold, and finds
// the replacements that nobody wrote down.
func complete(all map[string]lifecycle, releases []release) error {
	observe(all, releases)
	newest := releases[len(releases)-1]
	for gvk, l := range all {
		if l.Deprecated == "" && l.Removed == "" {
			if !everHeld(releases, gvk) {
				delete(all, gvk) // options and reviews, which nobody deploys
			}
			continue
		}
		if _, ok := newest.Kinds[gvk]; ok && isGone(l, newest) {
			return fmt.Errorf("%s was removed in %s, but %s has it", gvk, l.Removed, newest.Patch)
		}
		l.Replacement = replacementOf(gvk, all, newest)
		all[gvk] = l
	}
	return nil
}

// observe notes the kinds that come or go within the releases.
func observe(all map[string]lifecycle, releases []release) {
	for i, r := range releases[1:] {
		before := releases[i]
		for gvk := range before.Kinds {
			if _, ok := r.Kinds[gvk]; !ok && !isList(gvk, before) {
				l := all[gvk]
				l.Removed = r.Minor
				all[gvk] = l
			}
		}
		for gvk := range r.Kinds {
			if _, known := all[gvk]; !known && before.Kinds[gvk].Definition == "" && !isList(gvk, r) {
				all[gvk] = lifecycle{Introduced: r.Minor}
			}
		}
	}
}

func isList(gvk string, r release) bool {
	_, ok := r.Kinds[strings.TrimSuffix(gvk, "List")]
	return ok && strings.HasSuffix(gvk, "List")
}

func everHeld(releases []release, gvk string) bool {
	return slices.ContainsFunc(releases, func(r release) bool {
		_, ok := r.Kinds[gvk]
		return ok
	})
}

// isGone reports whether a kind was removed in a release or before.
func isGone(l lifecycle, r release) bool {
	return l.Removed != "" && minorNumber(l.Removed) <= minorNumber(r.Minor)
}

func minorNumber(minor string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(minor, "1."))
	return n
}

// replacementOf follows replacements to one that the newest release has. Where
// none is written down, it is the most stable version of the same kind. It is
// empty if there is nothing to move to.
func replacementOf(gvk string, all map[string]lifecycle, newest release) string {
	for range all {
		next := all[gvk].Replacement
		if !strings.HasSuffix(gvk, "List") {
			next = strings.TrimSuffix(next, "List") // networking.k8s.io/v1beta1 IngressClass names the list
		}
		if next == "" {
			next = moreStable(gvk, newest)
		}
		if _, ok := newest.Kinds[next]; ok || next == "" {
			return next
		}
		gvk = next
	}
	return ""
}

// moreStable is the most stable version of a kind in its group that is more
// stable than the given one.
func moreStable(gvk string, newest release) string {
	group, version, kind := split(gvk)
	best := ""
	for _, candidate := range slices.Sorted(maps.Keys(newest.Kinds)) {
		g, v, k := split(candidate)
		if g == group && k == kind && compareVersions(v, version) > 0 {
			if _, bestVersion, _ := split(best); best == "" || compareVersions(v, bestVersion) > 0 {
				best = candidate
			}
		}
	}
	return best
}

// split takes "group/version/Kind" apart. The core group is empty.
func split(gvk string) (group, version, kind string) {
	parts := strings.Split(gvk, "/")
	if len(parts) == 2 {
		return "", parts[0], parts[1]
	}
	if len(parts) != 3 {
		return "", "", ""
	}
	return parts[0], parts[1], parts[2]
}

// compareVersions orders v1alpha1 < v1beta1 < v1beta2 < v1 < v2.
func compareVersions(a, b string) int {
	return cmp.Or(cmp.Compare(stability(a), stability(b)), cmp.Compare(a, b))
}

func stability(version string) int {
	switch {
	case strings.Contains(version, "alpha"):
		return 0
	case strings.Contains(version, "beta"):
		return 1
	default:
		return 2
	}
}
