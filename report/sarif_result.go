package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

func newSARIFResult(f finding.Finding, opts Options) sarifResult {
	out := sarifResult{
		RuleID:    f.Rule,
		Level:     levelOf(f.Severity),
		Message:   sarifMessage{Text: resultText(f)},
		Locations: []sarifLocation{primaryLocation(f, opts)},
		Properties: sarifResultProperties{
			Severity: f.Severity.String(),
			Pointer:  f.Pointer,
			Unplaced: f.Unplaced,
			Targets:  f.Targets[:min(len(f.Targets), maxSARIFTargets)],
		},
	}
	for i, rel := range f.Related[:min(len(f.Related), maxLocations-1)] {
		out.RelatedLocations = append(out.RelatedLocations, relatedLocation(i+1, rel, out.Locations[0]))
	}
	if f.Waiver != nil {
		// GitHub does not read suppressions and fails its check on the level
		// alone: a waived error must not fail what the exit code lets pass.
		out.Level = "note"
		out.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: justification(*f.Waiver)}}
	}
	return out
}

// resultText begins with the message, whose first sentence GitHub shows as the
// title of an alert; the object, the targets and the next step follow.
func resultText(f finding.Finding) string {
	parts := []string{sarifText(cmp.Or(f.Message, f.Rule, "finding"))}
	for _, s := range []string{subject(f), f.Unplaced, f.Help} {
		if s != "" {
			parts = append(parts, sarifText(s))
		}
	}
	return strings.Join(parts, "\n\n")
}

func justification(w finding.Waiver) string {
	return sarifText(fmt.Sprintf("%s (%s, until %s)", w.Reason, w.Owner, w.Expires))
}

func primaryLocation(f finding.Finding, opts Options) sarifLocation {
	out := sarifLocation{PhysicalLocation: physical(anchor(f, opts))}
	if f.Object != nil {
		out.LogicalLocations = []sarifLogicalLocation{{
			Name:               f.Object.Name,
			FullyQualifiedName: qualifiedName(*f.Object),
			Kind:               "resource",
		}}
	}
	return out
}

// relatedLocation has no other file than its own: where none is known, the
// message stays, beside the place of the finding.
func relatedLocation(id int, rel finding.Related, primary sarifLocation) sarifLocation {
	out := sarifLocation{ID: id, PhysicalLocation: primary.PhysicalLocation}
	if rel.Location.File != "" {
		out.PhysicalLocation = physical(rel.Location)
	}
	if rel.Message != "" {
		out.Message = &sarifMessage{Text: sarifText(rel.Message)}
	}
	return out
}

// qualifiedName writes an object as waivers do: Kind/namespace/name.
func qualifiedName(o finding.Object) string {
	var parts []string
	for _, s := range []string{o.Kind, o.Namespace, o.Name} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "/")
}

func physical(s finding.Span) *sarifPhysical {
	return &sarifPhysical{
		ArtifactLocation: sarifArtifact{URI: percent(s.File), URIBaseID: sourceRoot},
		Region:           region(s),
	}
}

// region leaves out what is not known: without an end it is the rest of the
// first line, without a column the whole line.
func region(s finding.Span) *sarifRegion {
	if s.Start.Line < 1 {
		return nil
	}
	out := &sarifRegion{StartLine: s.Start.Line, StartColumn: max(s.Start.Column, 0)}
	later := s.End.Line > s.Start.Line
	if s.End.Column > 0 && (later || s.End.Line == s.Start.Line && s.End.Column > s.Start.Column) {
		out.EndLine, out.EndColumn = s.End.Line, s.End.Column
	}
	return out
}
