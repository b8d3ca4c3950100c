package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sallyport/sallyport/finding"
)

// jsonReport is a report whose lists are never null and whose keys are always
// there; only waiver and unplaced appear where they apply.
type jsonReport struct {
	APIVersion string               `json:"apiVersion"`
	Kind       string               `json:"kind"`
	Tool       finding.Tool         `json:"tool"`
	Snapshot   finding.Snapshot     `json:"snapshot"`
	Summary    finding.Summary      `json:"summary"`
	Targets    []jsonTarget         `json:"targets"`
	Findings   []jsonFinding        `json:"findings"`
	NotChecked []finding.NotChecked `json:"notChecked"`
	Shard      *finding.Shard       `json:"shard,omitempty"`
}

type jsonTarget struct {
	Path    string         `json:"path"`
	Kind    string         `json:"kind"`
	Status  finding.Status `json:"status"`
	Objects int            `json:"objects"`
	Digest  string         `json:"digest"`
	Reason  string         `json:"reason"`
}

type jsonFinding struct {
	Rule        string            `json:"rule"`
	Severity    finding.Severity  `json:"severity"`
	Message     string            `json:"message"`
	Help        string            `json:"help"`
	Object      finding.Object    `json:"object"`
	Pointer     string            `json:"pointer"`
	Location    finding.Span      `json:"location"`
	Unplaced    string            `json:"unplaced,omitempty"`
	Commit      string            `json:"commit,omitempty"`
	Related     []finding.Related `json:"related"`
	Targets     []string          `json:"targets"`
	Fingerprint string            `json:"fingerprint"`
	Waiver      *finding.Waiver   `json:"waiver,omitempty"`
}

// writeJSON writes the machine's report: two spaces of indentation, HTML
// characters as themselves, invisible characters escaped.
func writeJSON(w *bufio.Writer, r *finding.Report, _ Options) error {
	out := jsonReport{
		APIVersion: finding.APIVersion,
		Kind:       finding.Kind,
		Tool:       r.Tool,
		Snapshot:   r.Snapshot,
		Summary:    r.Summary,
		Targets:    make([]jsonTarget, 0, len(r.Targets)),
		Findings:   make([]jsonFinding, 0, len(r.Findings)),
		NotChecked: notNil(r.NotChecked),
		Shard:      r.Shard,
	}
	out.Summary.Checks = notNil(r.Summary.Checks)
	for _, t := range r.Targets {
		out.Targets = append(out.Targets, jsonTarget(t))
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, newJSONFinding(f))
	}
	return encodeJSON(w, out)
}

func newJSONFinding(f finding.Finding) jsonFinding {
	out := jsonFinding{
		Rule:        f.Rule,
		Severity:    f.Severity,
		Message:     f.Message,
		Help:        f.Help,
		Pointer:     f.Pointer,
		Location:    f.Location,
		Unplaced:    f.Unplaced,
		Commit:      f.Commit,
		Related:     notNil(f.Related),
		Targets:     notNil(f.Targets),
		Fingerprint: f.Fingerprint,
		Waiver:      f.Waiver,
	}
	if f.Object != nil {
		out.Object = *f.Object
	}
	return out
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// WriteJSON writes any document the way the JSON report is written.
func WriteJSON(w io.Writer, v any) error {
	out := bufio.NewWriter(w)
	if err := encodeJSON(out, v); err != nil {
		return err
	}
	return out.Flush()
}

// encodeJSON writes v. encoding/json escapes C0 only; the rest of what hides
// from the eye can occur in strings alone, so it is escaped in the output.
func encodeJSON(w *bufio.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	for data := b.Bytes(); len(data) > 0; {
		r, size := utf8.DecodeRune(data)
		if r != '\n' && hidden(r) {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(w, `\u%04x`, unit)
			}
		} else {
			w.Write(data[:size])
		}
		data = data[size:]
	}
	return nil
}
