package render

import (
	"slices"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

func TestRuleExamples(t *testing.T) {
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			of := func(f finding.Finding) bool { return f.Rule == rule.Name }
			bad := everything(t, memory(rule.Bad))
			if i := slices.IndexFunc(bad, of); i < 0 {
				t.Errorf("the bad example gives no finding of the rule: %q", lines(bad))
			} else if bad[i].Location.IsZero() || bad[i].Severity != rule.Severity {
				t.Errorf("no place or wrong severity: %+v", bad[i])
			}
			if good := everything(t, memory(rule.Good)); len(good) > 0 {
				t.Errorf("the good example gives findings: %q", lines(good))
			}
		})
	}
}
