package render

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// directories finds the directories of plain manifests.
//
// A directory is a target of its own when it holds manifests and nothing else
// claims it. It is not when a kustomization uses some of its files (the rest
// are patches, or dead), when it holds or lies below a kustomization (what is
// not listed there is not deployed), when it belongs to a Helm chart, or when
// it is hidden. Whatever is left out so is listed among the skipped.
func (s *survey) directories(ctx context.Context) error {
	claimed := s.claimed()
	seen := map[string]bool{}
	for _, entry := range s.tree.Files() {
		dir := path.Dir(entry.Path)
		if seen[dir] || s.files[entry.Path] || !s.inScope(dir) || !source.IsYAML(entry.Path) || entry.Mode == repo.Submodule {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("discover: %w", err)
		}
		if entry.Mode == repo.Symlink {
			s.skip(entry.Path, "a symbolic link, which is not followed")
			continue
		}
		switch s.holds(entry.Path) {
		case templated:
			s.template(entry.Path)
		case manifests:
			if reason := claimed[dir]; reason != "" {
				s.skip(entry.Path, reason)
				continue
			}
			seen[dir] = true
			s.directory(dir)
		}
	}
	return nil
}

// directory takes a directory of manifests that nothing claims, or says why not.
func (s *survey) directory(dir string) {
	reason := s.belongs(dir)
	if reason != "" {
		s.skip(dir, reason)
		return
	}
	s.add(Target{Path: dir, Kind: Directory, Why: "plain manifests that no kustomization refers to"})
	// From here on the walk passes over the directory.
	for _, name := range filesIn(s.tree, dir) {
		if s.holds(name) == templated {
			s.template(name)
		}
	}
}

func (s *survey) skip(name, reason string) {
	s.skipped = append(s.skipped, Skipped{Path: name, Reason: reason})
}

// template skips a template, unless its directory is skipped as a whole.
func (s *survey) template(name string) {
	if s.belongs(path.Dir(name)) == "" || s.found[path.Dir(name)] != nil {
		s.skip(name, "a template and not YAML, so its objects are not known")
	}
}

// claimed lists the directories that hold a kustomization, or a file that one
// refers to, each with the reason why its other files are no target.
func (s *survey) claimed() map[string]string {
	out := map[string]string{}
	for file := range s.files {
		if _, ok := s.tree.Lookup(file); ok {
			out[path.Dir(file)] = "no kustomization lists it, and one lists other files of its directory"
		}
	}
	for _, dir := range s.dirs {
		out[dir] = "beside a kustomization, which does not list it"
		if s.broken[dir] {
			out[dir] = "beside a kustomization that cannot be read"
		}
	}
	return out
}

// hidden reports whether a path has a component that begins with a dot, as
// .github does: tools' own files.
func hidden(dir string) bool {
	return dir != "." && (strings.HasPrefix(dir, ".") || strings.Contains(dir, "/."))
}

// belongs says what a directory is part of, "" if of nothing.
func (s *survey) belongs(dir string) string {
	if hidden(dir) {
		return "in a hidden directory"
	}
	for up := dir; ; up = path.Dir(up) {
		if _, ok := s.tree.Lookup(path.Join(up, "Chart.yaml")); ok {
			return "part of the Helm chart " + up
		}
		if up == "." {
			return ""
		}
		if s.found[up] != nil || s.broken[up] {
			return "below the kustomization " + up + ", which does not refer to it"
		}
	}
}

// holds tells what a file is. One that cannot be read counts as a manifest, so
// that the build says why.
func (s *survey) holds(name string) holding {
	if !source.IsYAML(name) {
		return other
	}
	return holding(s.opts.Notes.learn(name, askedHolding, func(n *Note) bool {
		data, err := s.tree.ReadFile(name)
		if err != nil {
			n.Holding = uint8(manifests)
			return false
		}
		n.Holding = uint8(holds(name, data))
		return true
	}).Holding)
}
