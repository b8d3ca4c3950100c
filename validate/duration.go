package validate

import (
	"errors"
	"strings"
)

// errDuration says that a text is no duration. Messages do not show it.
var errDuration = errors.New("not a duration")

// checkISODuration accepts the durations of RFC 3339, appendix A: P1DT2H, P3W.
func checkISODuration(s string) error {
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" {
		return errDuration
	}
	if weeks, ok := strings.CutSuffix(s, "W"); ok {
		return inOrder(weeks+"W", "W")
	}
	date, clock, hasClock := strings.Cut(s, "T")
	if hasClock && clock == "" {
		return errDuration
	}
	if err := inOrder(date, "YMD"); err != nil {
		return err
	}
	return inOrder(clock, "HMS")
}

// inOrder accepts numbers that are each followed by a unit, the units in the
// order given and each at most once.
func inOrder(s, units string) error {
	for s != "" {
		rest := strings.TrimLeft(s, "0123456789")
		if len(rest) == len(s) || rest == "" {
			return errDuration
		}
		i := strings.IndexByte(units, rest[0])
		if i < 0 {
			return errDuration
		}
		s, units = rest[1:], units[i+1:]
	}
	return nil
}
