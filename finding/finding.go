// Package finding is the vocabulary of results: what a check says about one
// place in a repository, and the report that gathers what all checks said.
//
// It holds no opinions and does no I/O. Severities, waivers and the order of a
// report are decided by the driver; how a report looks is decided by its
// writers. Nothing in a Finding may quote the value of a Secret.
package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a finding fails a run.
type Severity uint8

// The severities, from lowest to highest. The zero value is Warning's lower
// neighbour and means "not set".
const (
	Warning Severity = iota + 1
	Error
)

// String returns "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return "unset"
}

// MarshalText writes the severity as its name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts "warning" and "error".
func (s *Severity) UnmarshalText(text []byte) error {
	switch string(text) {
	case "warning":
		*s = Warning
	case "error":
		*s = Error
	default:
		return fmt.Errorf("severity %q is neither error nor warning", text)
	}
	return nil
}

// Position is a place in a file. Line and Column count from 1, columns in runes.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Span is a stretch of one file. File is relative to the repository root, with
// forward slashes. End is exclusive. A Span whose Start is zero names a whole
// file; the zero Span means that no place is known.
type Span struct {
	File  string   `json:"file,omitempty"`
	Start Position `json:"start,omitzero"`
	End   Position `json:"end,omitzero"`
}

// IsZero reports whether no place is known.
func (s Span) IsZero() bool { return s == Span{} }

// String returns file:line:column, file where only the file is known, and ""
// for the zero Span.
func (s Span) String() string {
	if s.Start.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s:%d:%d", s.File, s.Start.Line, s.Start.Column)
}

// Object names one Kubernetes object.
type Object struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
}

// String returns "Kind namespace/name", or "Kind name" without a namespace.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Related is a second place that helps to understand a finding, such as the
// base line under a patched field.
type Related struct {
	Message  string `json:"message"`
	Location Span   `json:"location"`
}

// Waiver says who accepted a finding, why, and until when (a date,
// YYYY-MM-DD; the waiver holds through that day in UTC).
type Waiver struct {
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	Expires string `json:"expires"`
}

// Finding is one thing that a person should change, at one place.
//
// Message is one sentence that names the problem; Help says the next step.
// Pointer is an RFC 6901 JSON pointer into Object. Where Location is zero,
// Unplaced says why no place is known. Commit is set where Location is in the
// content of that commit, which may differ from the snapshot's or be gone from it.
type Finding struct {
	Rule        string    `json:"rule"`
	Severity    Severity  `json:"severity"`
	Message     string    `json:"message"`
	Help        string    `json:"help,omitempty"`
	Object      *Object   `json:"object,omitempty"`
	Pointer     string    `json:"pointer,omitempty"`
	Location    Span      `json:"location,omitzero"`
	Unplaced    string    `json:"unplaced,omitempty"`
	Commit      string    `json:"commit,omitempty"`
	Related     []Related `json:"related,omitempty"`
	Targets     []string  `json:"targets,omitempty"`
	Fingerprint string    `json:"fingerprint"`
	Waiver      *Waiver   `json:"waiver,omitempty"`
}

// Compare orders findings by place, then rule, object, pointer and message.
func Compare(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.Location.File, b.Location.File),
		cmp.Compare(a.Location.Start.Line, b.Location.Start.Line),
		cmp.Compare(a.Location.Start.Column, b.Location.Start.Column),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.object(), b.object()),
		cmp.Compare(a.Pointer, b.Pointer),
		cmp.Compare(a.Message, b.Message),
		slices.Compare(a.Targets, b.Targets),
	)
}

func (f Finding) object() string {
	if f.Object == nil {
		return ""
	}
	return f.Object.APIVersion + "|" + f.Object.Kind + "|" + f.Object.Namespace + "|" + f.Object.Name
}

// key is what makes two findings the same finding. Where a place is known, the
// object is left out: one line of a base that is wrong in three environments
// (under three namespaces, perhaps three names) is one thing to change.
func (f Finding) key() string {
	if !f.Location.IsZero() {
		return strings.Join([]string{f.Rule, f.Location.String(), f.Message}, "\x00")
	}
	return strings.Join([]string{f.Rule, f.object(), f.Pointer, f.Message, strings.Join(f.Targets, ",")}, "\x00")
}

// fingerprint names the finding across runs: it holds no line, so that it
// survives edits elsewhere in the file, and no value.
func (f Finding) fingerprint() string {
	name := f.object()
	if name == "" && f.Location.IsZero() {
		name = strings.Join(f.Targets, ",")
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Rule, f.Location.File, name, f.Pointer, f.Message}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Merge sorts findings, joins equal ones into one that lists all their targets,
// and sets every fingerprint. Findings that differ only in their place within
// one file get fingerprints numbered in order.
func Merge(in []Finding) []Finding {
	in = slices.Clone(in)
	slices.SortStableFunc(in, Compare)
	var out []Finding
	at := map[string]int{}
	for _, f := range in {
		key := f.key()
		if i, ok := at[key]; ok {
			out[i].Targets = append(out[i].Targets, f.Targets...)
			out[i].Severity = max(out[i].Severity, f.Severity)
			out[i].Related = append(out[i].Related, f.Related...)
			if out[i].Object == nil {
				out[i].Object, out[i].Pointer = f.Object, f.Pointer
			}
			continue
		}
		at[key] = len(out)
		f.Targets, f.Related = slices.Clone(f.Targets), slices.Clone(f.Related)
		out = append(out, f)
	}
	seen := map[string]int{}
	for i := range out {
		out[i].Targets = sortedSet(out[i].Targets)
		slices.SortFunc(out[i].Related, compareRelated)
		out[i].Related = slices.Compact(out[i].Related)
		print := out[i].fingerprint()
		seen[print]++
		if n := seen[print]; n > 1 {
			print = fmt.Sprintf("%s-%d", print, n)
		}
		out[i].Fingerprint = print
	}
	return out
}

func compareRelated(a, b Related) int {
	return cmp.Or(
		cmp.Compare(a.Location.File, b.Location.File),
		cmp.Compare(a.Location.Start.Line, b.Location.Start.Line),
		cmp.Compare(a.Location.Start.Column, b.Location.Start.Column),
		cmp.Compare(a.Message, b.Message),
	)
}

func sortedSet(in []string) []string {
	slices.Sort(in)
	return slices.Compact(in)
}
