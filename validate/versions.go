package validate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// release is one Kubernetes version to check against. Minor ("1.35") selects
// the embedded definitions; full ("1.35.0") fills kubeconform's templates,
// whose directories carry a patch number.
type release struct {
	minor string
	full  string
}

// parseReleases reads versions such as 1.35, v1.35 and 1.35.2, sorts them and
// drops repetitions of a minor version. No version at all means the newest of
// known, which is sorted.
func parseReleases(in, known []string) ([]release, error) {
	if len(in) == 0 {
		newest := known[len(known)-1]
		return []release{{newest, newest + ".0"}}, nil
	}
	var out []release
	for _, text := range in {
		parts := strings.Split(strings.TrimPrefix(text, "v"), ".")
		minor := strings.Join(parts[:min(2, len(parts))], ".")
		if len(parts) > 3 || !slices.Contains(known, minor) {
			return nil, fmt.Errorf("kubernetes version %q: known are %s to %s", text, known[0], known[len(known)-1])
		}
		patch := "0"
		if len(parts) == 3 {
			patch = parts[2]
		}
		if _, err := strconv.ParseUint(patch, 10, 16); err != nil {
			return nil, fmt.Errorf("kubernetes version %q: the patch version is no number", text)
		}
		out = append(out, release{minor, minor + "." + patch})
	}
	slices.SortStableFunc(out, func(a, b release) int { return compareVersions(a.minor, b.minor) })
	return slices.CompactFunc(out, func(a, b release) bool { return a.minor == b.minor }), nil
}

// compareVersions orders "1.9" before "1.10". What is no number counts as 0.
func compareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if c := cmp.Compare(m, n); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}
