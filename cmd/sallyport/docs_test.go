package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
)

// TestDocs holds that the pages made from the code are fresh; make docs writes
// them.
func TestDocs(t *testing.T) {
	rules, err := gate.Rules(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := world(nil)
	for name, want := range map[string][]byte{
		"rules.md":              rulesPage(rules),
		"commands.md":           commandsPage(newRoot(s)),
		"configuration.md":      []byte("# Configuration\n\nMade from the code; `make docs` writes it anew.\n\n" + gate.ConfigDoc()),
		"sallyport.schema.json": gate.ConfigSchema(),
	} {
		file := filepath.Join("../../docs", name)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("docs/%s is not what the code says: run make docs (%v)", name, err)
		}
	}
}

func rulesPage(rules []finding.Rule) []byte {
	var b bytes.Buffer
	b.WriteString("# Rules\n\nMade from the code; `make docs` writes it anew. `sallyport explain RULE` prints the same.\n\n| rule | severity | meaning |\n| --- | --- | --- |\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", r.Name, r.Name, r.Severity, r.Title)
	}
	for _, r := range rules {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n%s\n", r.Name, strings.TrimSuffix(r.Title, "."), strings.TrimSpace(r.Doc))
		if r.Fix != "" {
			fmt.Fprintf(&b, "\nWhat to do: %s.\n", strings.TrimSuffix(r.Fix, "."))
		}
		examplePage(&b, "Bad", r.Bad)
		examplePage(&b, "Good", r.Good)
	}
	return b.Bytes()
}

func examplePage(b *bytes.Buffer, title string, files finding.Example) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := strings.TrimRight(files[name], "\n")
		if len(text) > 3000 {
			text = text[:3000] + "\n…"
		}
		fmt.Fprintf(b, "\n%s, `%s`:\n\n````\n%s\n````\n", title, name, text)
	}
}

func commandsPage(root *cobra.Command) []byte {
	var b bytes.Buffer
	b.WriteString("# Commands\n\nMade from the code; `make docs` writes it anew.\n")
	var page func(cmd *cobra.Command)
	page = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" {
			return
		}
		if cmd.Runnable() && cmd != root {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", cmd.CommandPath(), strings.TrimSpace(cmd.Long))
			fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.TrimSpace(cmd.UseLine()))
			if cmd.Example != "" {
				fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.Trim(cmd.Example, "\n"))
			}
			b.WriteString(flagsTable(cmd))
		}
		for _, sub := range cmd.Commands() {
			page(sub)
		}
	}
	page(root)
	return b.Bytes()
}

func flagsTable(cmd *cobra.Command) string {
	var b strings.Builder
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		flag := "--" + f.Name
		if f.Shorthand != "" {
			flag = "-" + f.Shorthand + ", " + flag
		}
		if name != "" {
			flag += " " + name
		}
		if b.Len() == 0 {
			b.WriteString("\n| flag | meaning |\n| --- | --- |\n")
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", flag, strings.ReplaceAll(usage, "|", "\\|"))
	})
	return b.String()
}
