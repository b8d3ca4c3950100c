package policy

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// The files beside a bundled rule that show it at work.
const (
	badExample  = "bad.yaml"
	goodExample = "good.yaml"
)

// documentation returns one Rule for each rule name. Where several verdicts
// share a name, the first one that has a title speaks for them.
func documentation(verdicts []verdict, bundled fs.FS) []finding.Rule {
	byName := map[string]finding.Rule{}
	for _, v := range verdicts {
		known, ok := byName[v.id()]
		if ok && (v.meta.title == "" || known.Title != v.id()) {
			known.Severity = max(known.Severity, v.severity())
			byName[v.id()] = known
			continue
		}
		byName[v.id()] = document(v, bundled)
	}
	rules := make([]finding.Rule, 0, len(byName))
	for _, rule := range byName {
		rules = append(rules, rule)
	}
	slices.SortFunc(rules, func(a, b finding.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return rules
}

func document(v verdict, bundled fs.FS) finding.Rule {
	doc := v.meta.description
	for _, link := range v.meta.links {
		doc = strings.TrimSpace(doc + "\n\nSee <" + link + ">.")
	}
	rule := finding.Rule{
		Name:     v.id(),
		Severity: v.severity(),
		Title:    cmp.Or(v.meta.title, v.id()),
		Doc:      doc,
		Fix:      v.meta.help,
	}
	if v.bundled {
		rule.Bad = example(bundled, v.dir, badExample)
		rule.Good = example(bundled, v.dir, goodExample)
	}
	return rule
}

// example returns a repository with one manifest, nil if there is no such file.
func example(bundled fs.FS, dir, name string) finding.Example {
	data, err := fs.ReadFile(bundled, path.Join(dir, name))
	if err != nil {
		return nil
	}
	return finding.Example{"manifest.yaml": string(data)}
}
