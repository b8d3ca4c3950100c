package render

import "github.com/sallyport/sallyport/finding"

// The rules of this package.
const (
	ruleRenderError     = "render-error"
	ruleLoadRestriction = "load-restriction"
	ruleYAMLUnsafe      = "yaml-unsafe"
	rulePathEscape      = "path-escape"
	ruleRemoteReference = "remote-reference"
	ruleDeprecated      = "kustomize-deprecated"
	ruleComponentUnused = "component-unused"
)

// severityOf returns the default severity of a rule of this package.
func severityOf(rule string) finding.Severity {
	switch rule {
	case ruleLoadRestriction, ruleDeprecated, ruleComponentUnused:
		return finding.Warning
	}
	return finding.Error
}
