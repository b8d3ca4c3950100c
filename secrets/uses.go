package secrets

import (
	"bytes"
	"context"
	"path"
	"runtime"
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

// Mentions are the files that one kustomization names in a way that matters to the
// seal. It is plain data and can be kept.
type Mentions struct {
	Files []Mention

	kustomization string
	others        bool // it depends on other files too, those under generators
}

// Mention is one of them. Role is one of env, config, file, generator and patch.
type Mention struct {
	Path, Role string
	Span       finding.Span
	Secret     finding.Object // of a patch
}

// findMentions reads every kustomization that is not known, and the files under
// its generators field.
func findMentions(ctx context.Context, tree repo.Tree, known func(string) *Mentions) ([]*Mentions, error) {
	var out []*Mentions
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, e := range tree.Files() {
		if !isKustomization(e.Path) || e.Mode > repo.Executable {
			continue
		}
		m := &Mentions{kustomization: e.Path}
		out = append(out, m)
		if kept := known(e.Path); kept != nil {
			m.Files = kept.Files
			continue
		}
		group.Go(func() error {
			m.read(tree)
			return ctx.Err()
		})
	}
	return out, group.Wait()
}

func usesOf(mentions []*Mentions) map[string]use {
	uses := map[string]use{}
	for _, m := range mentions {
		for _, f := range m.Files {
			uses[f.Path] = f.join(uses[f.Path])
		}
	}
	return uses
}

func (m Mention) join(u use) use {
	switch m.Role {
	case "env":
		u.env = append(u.env, m.Span)
	case "config":
		u.config = append(u.config, m.Span)
	case "file":
		u.file = append(u.file, m.Span)
	case "patch":
		u.patch = &m.Secret
	}
	u.generator = u.generator || m.Role != "patch"
	return u
}

// read takes what the kustomization says about other files. A file that cannot be
// read or parsed says nothing: building it fails with a better message.
func (m *Mentions) read(tree repo.Tree) {
	data, err := tree.ReadFile(m.kustomization)
	if err != nil || !bytes.Contains(data, []byte("enerator")) && !bytes.Contains(data, []byte("Secret")) {
		return
	}
	f, err := source.Parse(m.kustomization, data)
	if err != nil {
		return
	}
	for _, doc := range f.Docs {
		m.Files = append(m.Files, generatorUses(f, doc.Root)...)
		m.Files = append(m.Files, patchUses(f, doc.Root)...)
		for _, entry := range items(get(doc.Root, "generators")) {
			m.others = true
			m.Files = append(m.Files, generatorFile(tree, path.Join(path.Dir(m.kustomization), entry.Value))...)
		}
	}
}

// generatorFile reads a file that a generators field names, or a kustomization
// in a directory that it names, which is found on its own.
func generatorFile(tree repo.Tree, name string) []Mention {
	data, err := tree.ReadFile(name)
	if err != nil {
		return nil
	}
	f, err := source.Parse(name, data)
	if err != nil {
		return nil
	}
	var out []Mention
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

func generatorUses(f *source.File, root *yaml.Node) []Mention {
	var out []Mention
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
func generatorRefs(f *source.File, entry *yaml.Node, secret bool) []Mention {
	var out []Mention
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
		out = append(out, Mention{Path: path.Join(path.Dir(f.Path), text), Role: role, Span: f.Span(n)})
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
func patchUses(f *source.File, root *yaml.Node) []Mention {
	var out []Mention
	for _, field := range []string{"patches", "patchesJson6902"} {
		for _, entry := range items(get(root, field)) {
			object, ok := secretTarget(entry)
			if name := getText(entry, "path"); ok && name != "" {
				out = append(out, Mention{Path: path.Join(path.Dir(f.Path), name), Role: "patch", Secret: object})
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
