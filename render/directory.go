package render

import (
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// buildDirectory takes every document of every manifest among the files, in
// their order, lists expanded.
func (b *Builder) buildDirectory(tree *recorder, r *Rendered, files []string) {
	var faults []*fault
	r.files = slices.DeleteFunc(slices.Clone(files), func(name string) bool { return !source.IsYAML(name) })
	for _, name := range r.files {
		data, err := tree.ReadFile(name)
		if err != nil {
			faults = append(faults, unreadable(name, err))
			continue
		}
		if !looksLikeManifest(data) {
			continue
		}
		fatal, rest := b.check(name, data)
		if fatal != nil {
			faults = append(faults, fatal)
			continue
		}
		file, err := source.Parse(name, data)
		what := other
		if err != nil {
			what = unparsed(data, err)
		} else {
			what = parsedHolding(file)
		}
		switch {
		case what == templated:
			r.Findings = append(r.Findings, templateFault(name, data).placed(r.original).finding(r.Target.Path))
			continue
		case what == other:
			continue
		case err != nil:
			faults = append(faults, unparsable(name, err))
			continue
		}
		objects, bad := manifestObjects(file)
		faults = append(faults, bad...)
		for _, f := range rest {
			r.Findings = append(r.Findings, f.placed(r.original).finding(r.Target.Path))
		}
		r.Objects = append(r.Objects, objects...)
	}
	r.fail(faults...)
	r.Findings = finding.Merge(r.Findings)
}

// filesIn lists the files directly in a directory, sorted.
func filesIn(tree repo.Tree, dir string) []string {
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	files := tree.Files()
	start, _ := slices.BinarySearchFunc(files, prefix, func(e repo.Entry, p string) int { return strings.Compare(e.Path, p) })
	var out []string
	for _, entry := range files[start:] {
		if !strings.HasPrefix(entry.Path, prefix) {
			break
		}
		if path.Dir(entry.Path) == dir {
			out = append(out, entry.Path)
		}
	}
	return out
}
