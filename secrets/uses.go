package secrets

import (
	"bytes"
	"context"
	"path"
	"runtime"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// A use says what the kustomizations of a repository make of a file.
type use struct {
	env       []finding.Span // secretGenerator envs that name it
	config    []finding.Span // configMapGenerator envs that name it
	file      []finding.Span // secretGenerator files that name it
	generator bool           // any generator takes its bytes
	patch     *finding.Object
}

func (u use) none() bool {
	return len(u.env) == 0 && len(u.file) == 0 && u.patch == nil && !u.generator
}

// isKustomization reports whether a file's name is one that kustomize looks for.
func isKustomization(name string) bool {
	switch path.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// findUses reads every kustomization and the files under its generators field.
func findUses(ctx context.Context, tree repo.Tree) (map[string]use, error) {
	var names []string
	for _, e := range tree.Files() {
		if isKustomization(e.Path) && (e.Mode == repo.File || e.Mode == repo.Executable) {
			names = append(names, e.Path)
		}
	}
	found := make([][]named, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() error {
			found[i] = usesIn(tree, name)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	uses := map[string]use{}
	for _, n := range slices.Concat(found...) {
		uses[n.path] = n.join(uses[n.path])
	}
	return uses, nil
}

// A named is one mention of a file in a kustomization.
type named struct {
	path string
	role string // env, config, file, generator, patch
	span finding.Span
	to   finding.Object
}

func (n named) join(u use) use {
	switch n.role {
	case "env":
		u.env = append(u.env, n.span)
	case "config":
		u.config = append(u.config, n.span)
	case "file":
		u.file = append(u.file, n.span)
	case "patch":
		u.patch = &n.to
	}
	u.generator = u.generator || n.role != "patch"
	return u
}

// usesIn returns what one kustomization says about other files. A file that
// cannot be read or parsed says nothing: building it fails with a better message.
func usesIn(tree repo.Tree, name string) []named {
	data, err := tree.ReadFile(name)
	if err != nil || !bytes.Contains(data, []byte("enerator")) && !bytes.Contains(data, []byte("Secret")) {
		return nil
	}
	f, err := source.Parse(name, data)
	if err != nil {
		return nil
	}
	var out []named
	for _, doc := range f.Docs {
		out = append(out, generatorUses(f, doc.Root)...)
		out = append(out, patchUses(f, doc.Root)...)
		for _, entry := range items(get(doc.Root, "generators")) {
			out = append(out, generatorFile(tree, path.Join(path.Dir(name), entry.Value))...)
		}
	}
	return out
}

// generatorFile reads a file that a generators field names, or a kustomization
// in a directory that it names, which is found on its own.
func generatorFile(tree repo.Tree, name string) []named {
	data, err := tree.ReadFile(name)
	if err != nil {
		return nil
	}
	f, err := source.Parse(name, data)
	if err != nil {
		return nil
	}
	var out []named
	for _, doc := range f.Docs {
		switch getText(doc.Root, "kind") {
		case "SecretGenerator":
			out = append(out, generatorRefs(f, doc.Root, true)...)
		case "ConfigMapGenerator":
			out = append(out, generatorRefs(f, doc.Root, false)...)
		}
	}
	return out
}

func generatorUses(f *source.File, root *yaml.Node) []named {
	var out []named
	for _, entry := range items(get(root, "secretGenerator")) {
		out = append(out, generatorRefs(f, entry, true)...)
	}
	for _, entry := range items(get(root, "configMapGenerator")) {
		out = append(out, generatorRefs(f, entry, false)...)
	}
	return out
}

// generatorRefs returns the files of one generator entry: files may carry a key
// ("key=path"), env is the old spelling of envs.
func generatorRefs(f *source.File, entry *yaml.Node, secret bool) []named {
	var out []named
	add := func(n *yaml.Node, role, text string) {
		if n.Kind != yaml.ScalarNode || text == "" || strings.Contains(text, "://") {
			return
		}
		switch {
		case !secret && role == "env":
			role = "config"
		case !secret:
			role = "generator"
		}
		out = append(out, named{path: path.Join(path.Dir(f.Path), text), role: role, span: f.Span(n)})
	}
	for _, n := range items(get(entry, "files")) {
		text := n.Value
		if _, after, ok := strings.Cut(text, "="); ok {
			text = after
		}
		add(n, "file", text)
	}
	for _, n := range items(get(entry, "envs")) {
		add(n, "env", n.Value)
	}
	if n := get(entry, "env"); n != nil {
		add(deref(n), "env", deref(n).Value)
	}
	return out
}

// patchUses returns the files that are patches for Secrets.
func patchUses(f *source.File, root *yaml.Node) []named {
	var out []named
	for _, field := range []string{"patches", "patchesJson6902"} {
		for _, entry := range items(get(root, field)) {
			object, ok := secretTarget(entry)
			if name := getText(entry, "path"); ok && name != "" {
				out = append(out, named{path: path.Join(path.Dir(f.Path), name), role: "patch", to: object})
			}
		}
	}
	return out
}

// secretTarget returns the Secret that a patch entry aims at.
func secretTarget(entry *yaml.Node) (finding.Object, bool) {
	target := get(entry, "target")
	if target == nil || getText(target, "kind") != "Secret" {
		return finding.Object{}, false
	}
	return finding.Object{
		APIVersion: "v1", Kind: "Secret",
		Namespace: getText(target, "namespace"), Name: getText(target, "name"),
	}, true
}

// items returns the elements of a list, aliases followed; none for anything else.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n = deref(n); n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		out[i] = deref(item)
	}
	return out
}
