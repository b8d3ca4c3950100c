package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// htmlExplain is a rule's documentation.
type htmlExplain struct {
	Doc       []htmlProse // paragraphs
	Fix       htmlProse
	Bad, Good []htmlFile
}

type htmlFile struct{ Name, Text string }

// htmlProse is text of which some parts are code.
type htmlProse []htmlWords

type htmlWords struct {
	Text string
	Code bool
}

// explain is what `sallyport explain RULE` says.
func explain(rule finding.Rule) *htmlExplain {
	e := &htmlExplain{Fix: htmlCode(rule.Fix), Bad: exampleFiles(rule.Bad), Good: exampleFiles(rule.Good)}
	for _, paragraph := range strings.Split(strings.ReplaceAll(rule.Doc, "\r\n", "\n"), "\n\n") {
		if strings.TrimSpace(paragraph) != "" {
			e.Doc = append(e.Doc, htmlCode(paragraph))
		}
	}
	return e
}

func exampleFiles(e finding.Example) []htmlFile {
	var out []htmlFile
	for _, name := range slices.Sorted(maps.Keys(e)) {
		out = append(out, htmlFile{name, clip(strings.Trim(e[name], "\n"), maxHTMLText)})
	}
	return out
}

// htmlCode splits Markdown's code spans from a text.
func htmlCode(s string) htmlProse {
	var out htmlProse
	parts := strings.Split(clip(s, maxHTMLText), "`")
	for i, part := range parts {
		code := i%2 == 1 && i < len(parts)-1
		if i%2 == 1 && !code {
			part = "`" + part // a backtick without its fellow
		}
		if part != "" {
			out = append(out, htmlWords{part, code})
		}
	}
	return out
}
