package render

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// pluginKeys are the fields through which kustomize's builtin generators and
// transformers name files, and what they do with them.
var pluginKeys = map[string]role{
	"files":          roleData,
	"envs":           roleEnv,
	"env":            roleEnv,
	"path":           rolePatch,
	"paths":          rolePatch,
	"targetFilePath": roleData,
}

// pluginFile looks into a file of generators, transformers or validators.
func (w *planner) pluginFile(k *kustomization, ref *reference) {
	data, err := w.tree.ReadFile(ref.Path)
	if err != nil {
		return // inspect has said so
	}
	file, err := source.Parse(ref.Path, data)
	if err != nil {
		w.fail(unparsable(ref.Path, err))
		return
	}
	w.plugin(k, ref, file, false)
}

// pluginText looks into a generator, transformer or validator that is written
// into the kustomization.
func (w *planner) pluginText(k *kustomization, ref *reference) {
	file, err := source.Parse(k.Path, []byte(ref.Text))
	if err != nil {
		return // kustomize says so, at the entry
	}
	w.plugin(k, ref, file, true)
}

// plugin follows what the builtin plugins of a file refer to. kustomize
// resolves their paths against the directory of the kustomization.
func (w *planner) plugin(k *kustomization, via *reference, file *source.File, inline bool) {
	w.plugins = true
	for _, doc := range file.Docs {
		visitScalars(doc.Root, "", func(key string, n *yaml.Node) {
			ref := reference{Field: key, Text: n.Value, Node: n, Span: via.Span}
			if !inline {
				ref.Span = file.Span(n)
			}
			w.pluginScalar(k, &ref)
		})
	}
}

// minUnsafe is shorter than any YAML that could do harm.
const minUnsafe = 32

// pluginScalar checks one value of a plugin. Any of them may be text that the
// plugin parses (a patch, for one), and some name files.
func (w *planner) pluginScalar(k *kustomization, ref *reference) {
	if len(ref.Text) >= minUnsafe {
		if f := w.unsafeText(ref); f != nil {
			w.fail(f)
			return
		}
	}
	role, ok := pluginKeys[ref.Field]
	if !ok {
		return
	}
	ref.Role = role
	if ref.Field == "files" {
		ref.Key, ref.Text = dataKey(ref.Text)
	}
	if isContent(ref.Text) {
		return
	}
	ref.Remote = isRemote(ref.Text, role)
	ref.Path = resolve(k.Dir, ref.Text)
	w.pluginReference(k, ref)
}

// pluginReference checks what a plugin names. A key such as path can mean
// something else in a plugin (a field of an object), so a path that leads
// nowhere is kustomize's to judge.
func (w *planner) pluginReference(k *kustomization, ref *reference) {
	if ref.Remote || !strings.HasPrefix(ref.Path, "..") && w.tree.at(ref.Path) == aFile {
		w.follow(k, ref, nil)
	}
}

// visitScalars calls visit for every scalar below n with the key of the mapping
// that it is, or whose list it is, the value of.
func visitScalars(n *yaml.Node, key string, visit func(key string, n *yaml.Node)) {
	switch n = deref(n); n.Kind {
	case yaml.ScalarNode:
		visit(key, n)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			visitScalars(item, key, visit)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			visitScalars(n.Content[i+1], n.Content[i].Value, visit)
		}
	}
}
