package validate

import (
	"slices"
	"testing"
)

func TestParseReleases(t *testing.T) {
	known := []string{"1.29", "1.30", "1.37"}
	for _, test := range []struct {
		in   []string
		want []release
	}{
		{nil, []release{{"1.37", "1.37.0"}}},
		{[]string{"v1.30", "1.29.4", "1.30.1"}, []release{{"1.29", "1.29.4"}, {"1.30", "1.30.0"}}},
	} {
		got, err := parseReleases(test.in, known)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("parseReleases(%v) = %v, %v", test.in, got, err)
		}
	}
	for _, bad := range []string{"1.28", "latest", "", "1.30.x", "1.30.1.1", "1"} {
		if got, err := parseReleases([]string{bad}, known); err == nil {
			t.Errorf("parseReleases(%q) = %v, want an error", bad, got)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"1.9", "1.10", -1}, {"1.35", "1.35", 0}, {"1.36", "1.35", 1}, {"1", "1.1", -1}} {
		if got := compareVersions(test.a, test.b); got != test.want {
			t.Errorf("compareVersions(%s, %s) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
