package main

import (
	"os"
	"strings"
	"testing"
)

// The page names every input and output that there is.
func TestCIDocs(t *testing.T) {
	data, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	a := loadAction(t)
	var names []string
	for name := range a.Inputs {
		names = append(names, name)
	}
	for name := range a.Outputs {
		names = append(names, name)
	}
	for name := range loadTemplate(t, nil).Inputs {
		names = append(names, name)
	}
	for _, name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/ci.md does not say what %s is", name)
		}
	}
	if !strings.Contains(page, checkoutAction) {
		t.Errorf("docs/ci.md and init disagree on %s", checkoutAction)
	}
}
