package report

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// maxDescription is how many characters GitHub keeps of a rule's short and full
// description (SARIF support for code scanning, "reportingDescriptor object").
// It also keeps 20 tags of a rule; these rules have two at the most.
const maxDescription = 1024

// sarifRules documents the rules of the findings, sorted by name, and returns
// the index of each.
func sarifRules(list []finding.Finding, documented []finding.Rule) ([]sarifRule, map[string]int) {
	known, used := map[string]finding.Rule{}, map[string]finding.Rule{}
	for _, rule := range documented {
		known[rule.Name] = rule
	}
	for _, f := range list {
		rule, ok := known[f.Rule]
		if !ok {
			rule = finding.Rule{Name: f.Rule, Severity: f.Severity}
		}
		used[f.Rule] = rule
	}
	rules, index := []sarifRule{}, map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		index[name] = len(rules)
		rules = append(rules, newSARIFRule(used[name]))
	}
	return rules, index
}

// newSARIFRule fills every text, since GitHub requires all of them.
func newSARIFRule(rule finding.Rule) sarifRule {
	title, doc := rule.Title, strings.TrimSpace(rule.Doc)
	if title == "" {
		title = rule.Name
	}
	if doc == "" {
		doc = title
	}
	tags := []string{"kubernetes"}
	if strings.HasPrefix(rule.Name, "secret-") {
		tags = append(tags, "security")
	}
	return sarifRule{
		ID:                   rule.Name,
		ShortDescription:     sarifMessage{Text: clip(title, maxDescription)},
		FullDescription:      sarifMessage{Text: clip(doc, maxDescription)},
		Help:                 sarifMessage{Text: helpText(rule, doc), Markdown: helpMarkdown(rule, doc)},
		DefaultConfiguration: sarifConfiguration{Level: levelOf(rule.Severity)},
		Properties:           sarifRuleProperties{Tags: tags, ProblemSeverity: levelOf(rule.Severity)},
	}
}

func helpText(rule finding.Rule, doc string) string {
	parts := []string{doc}
	if rule.Fix != "" {
		parts = append(parts, "Fix: "+rule.Fix)
	}
	parts = append(parts, "More: sallyport explain "+rule.Name)
	return strings.Join(parts, "\n\n")
}

// helpMarkdown is the rule's page: what it means, the next step, and both
// examples.
func helpMarkdown(rule finding.Rule, doc string) string {
	parts := []string{doc}
	if rule.Fix != "" {
		parts = append(parts, "**Fix:** "+rule.Fix)
	}
	parts = append(parts, exampleMarkdown("Bad", rule.Bad)...)
	parts = append(parts, exampleMarkdown("Good", rule.Good)...)
	parts = append(parts, "More: "+code("sallyport explain "+rule.Name))
	return strings.Join(parts, "\n\n")
}

func exampleMarkdown(label string, example finding.Example) []string {
	var parts []string
	for _, file := range slices.Sorted(maps.Keys(example)) {
		content := strings.TrimRight(example[file], "\n")
		fence := strings.Repeat("`", max(3, longestRun(content, '`')+1))
		language := strings.TrimPrefix(path.Ext(file), ".")
		if !slices.Contains([]string{"yaml", "yml", "json", "rego"}, language) {
			language = ""
		}
		parts = append(parts,
			fmt.Sprintf("**%s:** %s", label, code(file)),
			fence+language+"\n"+content+"\n"+fence)
	}
	return parts
}
