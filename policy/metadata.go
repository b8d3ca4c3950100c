package policy

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/sallyport/sallyport/finding"
)

// idShape is what a rule's id may look like: it appears in command lines,
// configuration, and every report format.
var idShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

// metadata is what the METADATA annotations of a rule say. The annotation
// nearest to the rule wins, key by key: rule, document, package, subpackages.
//
//	# METADATA
//	# title: Image has no fixed version
//	# description: What it means and why it matters.
//	# related_resources: [{ref: https://…}]
//	# custom:
//	#   id: image-latest
//	#   severity: warning
//	#   help: what to do next
//	#   delivered: false   what a Flux or Argo CD object sets itself is no finding
type metadata struct {
	id, title, description, help string
	severity                     finding.Severity
	optIn                        bool
	undelivered                  bool // says nothing about what a delivering object builds
	links                        []string
}

func readMetadata(chain ast.AnnotationsRefSet) (metadata, error) {
	var m metadata
	for _, ref := range chain {
		a := ref.Annotations
		if a == nil {
			continue
		}
		m.title = cmp.Or(m.title, a.Title)
		m.description = cmp.Or(m.description, strings.TrimSpace(a.Description))
		if len(m.links) == 0 {
			for _, r := range a.RelatedResources {
				m.links = append(m.links, r.Ref.String())
			}
		}
		if err := m.readCustom(a); err != nil {
			return metadata{}, err
		}
	}
	return m, nil
}

func (m *metadata) readCustom(a *ast.Annotations) error {
	if value, ok := a.Custom["id"]; ok && m.id == "" {
		id, _ := value.(string)
		if !idShape.MatchString(id) {
			return configErrorAt(a.Location, "custom.id is no rule name: letters, digits, '.', '_', '/' and '-'")
		}
		m.id = id
	}
	if value, ok := a.Custom["severity"]; ok && m.severity == 0 {
		text, _ := value.(string)
		if m.severity = severityOf(text); m.severity == 0 {
			return configErrorAt(a.Location, "custom.severity is neither error nor warning")
		}
	}
	if help, ok := a.Custom["help"].(string); ok {
		m.help = cmp.Or(m.help, strings.TrimSpace(help))
	}
	if optIn, ok := a.Custom["optin"].(bool); ok {
		m.optIn = m.optIn || optIn
	}
	if delivered, ok := a.Custom["delivered"].(bool); ok {
		m.undelivered = m.undelivered || !delivered
	}
	return nil
}

// severityOf also reads the words that other policy collections use, so that
// their METADATA loads as it is. It returns 0 for any other word.
func severityOf(word string) finding.Severity {
	switch strings.ToLower(word) {
	case "error", "critical", "high":
		return finding.Error
	case "warning", "warn", "medium", "low", "info":
		return finding.Warning
	}
	return 0
}
