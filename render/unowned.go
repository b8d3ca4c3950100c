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
// not listed there is not deployed), or when it belongs to a Helm chart.
func (s *survey) directories(ctx context.Context) error {
	claimed := s.claimed()
	seen := map[string]bool{}
	for _, entry := range s.tree.Files() {
		dir := path.Dir(entry.Path)
		if seen[dir] || claimed[dir] || !s.inScope(dir) || hidden(dir) || entry.Mode > repo.Executable || !s.isManifestFile(entry.Path) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("discover: %w", err)
		}
		seen[dir] = true
		if reason := s.belongs(dir); reason != "" {
			s.skipped = append(s.skipped, Skipped{Path: dir, Reason: reason})
			continue
		}
		s.add(Target{Path: dir, Kind: Directory, Why: "plain manifests that no kustomization refers to"})
	}
	return nil
}

// claimed lists the directories that hold a kustomization, or a file that one
// refers to.
func (s *survey) claimed() map[string]bool {
	out := map[string]bool{}
	for _, dir := range s.dirs {
		out[dir] = true
	}
	for file := range s.files {
		if _, ok := s.tree.Lookup(file); ok {
			out[path.Dir(file)] = true
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

// isManifestFile reports whether a file holds an object for a cluster. A file
// that looks like one and cannot be read counts: the build says what is wrong.
func (s *survey) isManifestFile(name string) bool {
	if !source.IsYAML(name) {
		return false
	}
	data, err := s.tree.ReadFile(name)
	if err != nil || !looksLikeManifest(data) {
		return false
	}
	file, err := source.Parse(name, data)
	if err != nil {
		return true
	}
	for _, doc := range file.Docs {
		if isManifest(doc.Root) {
			return true
		}
	}
	return false
}
