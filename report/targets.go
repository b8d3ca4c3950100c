package report

import (
	"fmt"
	"path"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// targets joins target names: "prod, staging and 18 more".
func (p *printer) targets(paths []string) string {
	names := make([]string, 0, len(paths))
	for _, t := range paths {
		if short := strings.TrimPrefix(t, p.prefix); short != "" {
			t = short
		}
		names = append(names, t)
	}
	if len(names) <= maxTargets {
		return strings.Join(names, ", ")
	}
	shown := maxTargets - 1
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// commonDir returns the directory above all targets, with a slash at its end.
func commonDir(targets []finding.Target) string {
	if len(targets) == 0 {
		return ""
	}
	dir := path.Dir(targets[0].Path) + "/"
	for _, t := range targets[1:] {
		for dir != "./" && dir != "//" && !strings.HasPrefix(t.Path, dir) {
			dir = path.Dir(strings.TrimSuffix(dir, "/")) + "/"
		}
	}
	if dir == "./" || dir == "//" {
		return ""
	}
	return dir
}

// unplacedAt names where a finding without a place belongs: its first target.
func unplacedAt(f finding.Finding) string {
	if len(f.Targets) == 0 {
		return "repository"
	}
	return f.Targets[0]
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
