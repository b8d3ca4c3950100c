package render

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// role is what kustomize does with what a reference names.
type role uint8

const (
	roleResource       role = iota // a manifest or a directory: resources, bases
	roleComponent                  // a directory
	rolePatch                      // a file or text, strategic merge or JSON patch: patches
	roleStrategicPatch             // patchesStrategicMerge: a file or text
	roleJSONPatch                  // patchesJson6902: a file or text
	roleGenerator                  // a file, a directory or text, as the next two
	roleTransformer
	roleValidator
	roleConfiguration // transformer configuration
	roleCRD
	roleOpenAPI
	roleReplacement
	roleData  // files of a generator: never parsed
	roleEnv   // envs of a generator: lines, never YAML
	roleChart // helmCharts; never read
)

// reference is one thing outside the kustomization that it names, or a piece
// of text that stands in for it.
type reference struct {
	Role    role
	Field   string // the top-level field, as kustomize spells it
	Pointer string // RFC 6901, of Node in the kustomization
	Text    string // as written, without the "key=" of a generator file
	Key     string // of a generator file: its key in the data
	Inline  bool   // Text is content, not a path
	Remote  bool   // kustomize would fetch it
	Path    string // relative to the repository root; "" where Inline or Remote; may begin with ".."
	Node    *yaml.Node
	Entry   *yaml.Node // the list item that holds Node: a patch with its target, a generator
	Span    finding.Span
}

// listFields are the fields that hold a list of strings.
var listFields = map[string]role{
	"resources":             roleResource,
	"bases":                 roleResource,
	"components":            roleComponent,
	"crds":                  roleCRD,
	"patchesStrategicMerge": roleStrategicPatch,
	"generators":            roleGenerator,
	"transformers":          roleTransformer,
	"validators":            roleValidator,
	"configurations":        roleConfiguration,
}

// inlineFields may hold content in place of a path.
var inlineFields = []role{roleStrategicPatch, roleGenerator, roleTransformer, roleValidator}

// references lists everything that the kustomization refers to, in the order of
// the file.
func (k *kustomization) references() []reference {
	var out []reference
	for i := 0; i+1 < len(k.Root.Content); i += 2 {
		field, value := canonical(k.Root.Content[i].Value), deref(k.Root.Content[i+1])
		at := source.Pointer(k.Root.Content[i].Value)
		switch field {
		case "patches":
			out = append(out, k.pathOrText(rolePatch, field, at, value, "patch")...)
		case "patchesJson6902":
			out = append(out, k.pathOrText(roleJSONPatch, field, at, value, "patch")...)
		case "replacements":
			out = append(out, k.pathOrText(roleReplacement, field, at, value, "")...)
		case "configMapGenerator", "secretGenerator":
			out = append(out, k.generated(field, at, value)...)
		case "openapi":
			if key, node := pair(value, "path"); node != nil {
				out = append(out, k.reference(roleOpenAPI, field, at+source.Pointer(key.Value), value, node))
			}
		case "helmCharts", "helmChartInflationGenerator":
			out = append(out, k.charts(field, at, value)...)
		default:
			if role, ok := listFields[field]; ok {
				out = append(out, k.list(role, field, at, value)...)
			}
		}
	}
	return out
}

// canonical returns kustomize's spelling of a field.
func canonical(field string) string {
	for _, known := range referenceFields {
		if strings.EqualFold(known, field) {
			return known
		}
	}
	return field
}

var referenceFields = []string{
	"resources", "bases", "components", "crds", "patches", "patchesStrategicMerge", "patchesJson6902",
	"generators", "transformers", "validators", "configurations", "replacements", "configMapGenerator",
	"secretGenerator", "openapi", "helmCharts", "helmChartInflationGenerator",
}

func (k *kustomization) list(role role, field, at string, value *yaml.Node) []reference {
	if value.Kind != yaml.SequenceNode {
		return nil
	}
	var out []reference
	for i, node := range value.Content {
		ref := k.reference(role, field, at+source.Pointer(strconv.Itoa(i)), node, node)
		out = append(out, ref)
	}
	return out
}

// pathOrText reads a list of mappings that each have a path, or a text under
// the key named text.
func (k *kustomization) pathOrText(role role, field, at string, value *yaml.Node, text string) []reference {
	if value.Kind != yaml.SequenceNode {
		return nil
	}
	var out []reference
	for i, entry := range value.Content {
		at := at + source.Pointer(strconv.Itoa(i))
		if key, node := pair(entry, "path"); node != nil && deref(node).Value != "" {
			out = append(out, k.reference(role, field, at+source.Pointer(key.Value), entry, node))
		}
		if text == "" {
			continue
		}
		if key, node := pair(entry, text); node != nil && deref(node).Value != "" {
			ref := k.reference(role, field, at+source.Pointer(key.Value), entry, node)
			ref.Inline, ref.Remote, ref.Path = true, false, ""
			out = append(out, ref)
		}
	}
	return out
}

// generated reads the files and envs of configMapGenerator or secretGenerator.
func (k *kustomization) generated(field, at string, value *yaml.Node) []reference {
	if value.Kind != yaml.SequenceNode {
		return nil
	}
	var out []reference
	for i, entry := range value.Content {
		at := at + source.Pointer(strconv.Itoa(i))
		if key, files := pair(entry, "files"); files != nil && deref(files).Kind == yaml.SequenceNode {
			for j, node := range deref(files).Content {
				out = append(out, k.reference(roleData, field, at+source.Pointer(key.Value, strconv.Itoa(j)), entry, node))
			}
		}
		if key, envs := pair(entry, "envs"); envs != nil && deref(envs).Kind == yaml.SequenceNode {
			for j, node := range deref(envs).Content {
				out = append(out, k.reference(roleEnv, field, at+source.Pointer(key.Value, strconv.Itoa(j)), entry, node))
			}
		}
		if key, env := pair(entry, "env"); env != nil && deref(env).Value != "" {
			out = append(out, k.reference(roleEnv, field, at+source.Pointer(key.Value), entry, env))
		}
	}
	return out
}

func (k *kustomization) charts(field, at string, value *yaml.Node) []reference {
	if value.Kind != yaml.SequenceNode {
		return nil
	}
	var out []reference
	for i, entry := range value.Content {
		_, name := pair(entry, "name")
		if name == nil {
			_, name = pair(entry, "chartName")
		}
		if name == nil {
			name = entry
		}
		ref := k.reference(roleChart, field, at+source.Pointer(strconv.Itoa(i)), entry, name)
		ref.Path, ref.Remote = "", false
		out = append(out, ref)
	}
	return out
}

func (k *kustomization) reference(role role, field, pointer string, entry, node *yaml.Node) reference {
	ref := reference{
		Role: role, Field: field, Pointer: pointer, Text: deref(node).Value,
		Node: node, Entry: deref(entry), Span: k.File.Span(node),
	}
	if role == roleData {
		ref.Key, ref.Text = dataKey(ref.Text)
	}
	if slices.Contains(inlineFields, role) && isContent(ref.Text) {
		ref.Inline = true
		return ref
	}
	if ref.Remote = isRemote(ref.Text, role); ref.Remote {
		return ref
	}
	ref.Path = resolve(k.Dir, ref.Text)
	return ref
}

// dataKey splits "key=path"; a path alone is its own key.
func dataKey(text string) (key, file string) {
	if key, file, ok := strings.Cut(text, "="); ok {
		return key, file
	}
	return path.Base(text), text
}

// isContent tells YAML or JSON text from the name of a file. kustomize tries
// to parse the text as objects first; only a mapping passes.
func isContent(text string) bool {
	trimmed := strings.TrimSpace(text)
	return strings.Contains(trimmed, "\n") || strings.HasPrefix(trimmed, "{") || strings.Contains(trimmed, ": ")
}

// resolve joins a path to the directory of its kustomization. A path that is
// absolute, or climbs out of the repository, begins with "..".
func resolve(dir, text string) string {
	if path.IsAbs(text) {
		return ".." + path.Clean(text)
	}
	return path.Join(dir, text)
}
