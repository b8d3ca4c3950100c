package report

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// Reach says what one target is made of: the files that its build reads, and
// which kustomization takes in which, as directories.
type Reach struct {
	Target string
	Files  []string
	Edges  []Edge
}

// Edge says that the kustomization in directory From takes in the one in To.
type Edge struct{ From, To string }

const (
	// maxReachDirs and maxReachFiles bound the tree; what reaches the most
	// targets comes first.
	maxReachDirs  = 2_000
	nearDirs      = 20 // that are not folded into one line
	maxReachFiles = 50 // of one directory
)

// htmlGraph says which file reaches which target, as a tree and, where it is
// small, as a drawing.
type htmlGraph struct {
	Drawing   *htmlDrawing
	Near, Far []htmlDir // those that reach the most targets, and the others
	More      int       // directories left out
}

// htmlDir is a directory, the targets that any of its files reach, and its files.
type htmlDir struct {
	Path    string
	Reaches string
	Targets htmlTargets
	Files   []htmlReached
	More    int // files left out
	count   int
}

// htmlReached is one file. Targets is set where it reaches fewer than its
// directory does.
type htmlReached struct {
	Place   htmlPlace
	Targets htmlTargets
	Fewer   bool
}

// graph makes the tree from what each target reads.
func (h *htmlWriter) graph(r *finding.Report) *htmlGraph {
	if len(h.opts.Reach) == 0 {
		return nil
	}
	files := map[string][]string{}          // file -> targets
	dirs := map[string]map[string]bool{}    // directory -> targets
	filesOf := map[string]map[string]bool{} // directory -> files
	for _, reach := range h.opts.Reach {
		for _, file := range reach.Files {
			dir := path.Dir(file)
			if dirs[dir] == nil {
				dirs[dir], filesOf[dir] = map[string]bool{}, map[string]bool{}
			}
			dirs[dir][reach.Target], filesOf[dir][file] = true, true
			files[file] = append(files[file], reach.Target)
		}
	}
	g := &htmlGraph{Drawing: draft(h.opts.Reach, r)}
	var all []htmlDir
	for dir, targets := range dirs {
		all = append(all, htmlDir{Path: dir, count: len(targets)})
	}
	slices.SortFunc(all, func(a, b htmlDir) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.Path, b.Path)) })
	g.More = max(len(all)-maxReachDirs, 0)
	all = all[:len(all)-g.More]
	for i := range all {
		h.dir(&all[i], dirs, filesOf, files)
	}
	g.Near, g.Far = all[:min(len(all), nearDirs)], all[min(len(all), nearDirs):]
	return g
}

// dir fills in a directory.
func (h *htmlWriter) dir(d *htmlDir, dirs, filesOf map[string]map[string]bool, files map[string][]string) {
	all := slices.Sorted(maps.Keys(dirs[d.Path]))
	d.Targets, d.Reaches = h.targets(all), "reaches "+number(len(all), "target")
	names := slices.Sorted(maps.Keys(filesOf[d.Path]))
	d.More = max(len(names)-maxReachFiles, 0)
	for _, name := range names[:len(names)-d.More] {
		slices.Sort(files[name])
		targets := slices.Compact(files[name])
		file := htmlReached{Place: h.place(finding.Span{File: name}, "")}
		if file.Fewer = len(targets) < len(all); file.Fewer {
			file.Targets = h.targets(targets)
		}
		d.Files = append(d.Files, file)
	}
}
