package main

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/report"
)

// writeTargetsDot writes the graph for Graphviz: targets are boxes, an arrow
// leads from a kustomization to what it takes in.
func writeTargetsDot(s *streams, l *gate.Listing) error {
	var b strings.Builder
	b.WriteString("digraph targets {\n  rankdir=LR\n")
	for _, t := range l.Targets {
		fmt.Fprintf(&b, "  %s [shape=box]\n", dotName(t.Path))
	}
	for _, e := range edges(l) {
		fmt.Fprintf(&b, "  %s -> %s\n", dotName(e.From), dotName(e.To))
	}
	b.WriteString("}\n")
	return s.print(b.String())
}

func dotName(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(report.Sanitize(path)) + `"`
}

// writeTargetsMermaid writes the same graph for Markdown pages that draw
// Mermaid.
func writeTargetsMermaid(s *streams, l *gate.Listing) error {
	ids := map[string]string{}
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	node := func(path, open, end string) string {
		id, ok := ids[path]
		if !ok {
			id = fmt.Sprintf("n%d", len(ids))
			ids[path] = id
			fmt.Fprintf(&b, "  %s%s\"%s\"%s\n", id, open, mermaidText(path), end)
		}
		return id
	}
	for _, t := range l.Targets {
		node(t.Path, "[", "]")
	}
	for _, e := range edges(l) {
		from, to := node(e.From, "(", ")"), node(e.To, "(", ")")
		fmt.Fprintf(&b, "  %s --> %s\n", from, to)
	}
	return s.print(b.String())
}

// mermaidText writes what could end a label or become markup as an entity.
func mermaidText(path string) string {
	return strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;").Replace(report.Sanitize(path))
}

// edges joins the graphs of all targets, each pair once.
func edges(l *gate.Listing) []render.Edge {
	var out []render.Edge
	seen := map[render.Edge]bool{}
	for _, target := range l.Edges {
		for _, e := range target {
			if !seen[e] {
				seen[e] = true
				out = append(out, e)
			}
		}
	}
	return out
}

func (s *streams) print(text string) error {
	if _, err := s.out.Write([]byte(text)); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}
