package render

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// notForClusters are the API groups of files that look like Kubernetes objects
// and configure a program instead. A name that ends in a slash is a prefix.
var notForClusters = []string{
	"skaffold/", "backstage.io/", "kustomize.config.k8s.io/", "kind.x-k8s.io/", "k3d.io/", "eksctl.io/", "kuttl.dev/",
	"test.gatekeeper.sh/", "chainsaw.kyverno.io/", "cli.kyverno.io/", "ctlptl.dev/", "kpt.dev/", "sallyport.dev/", "builtin",
	"audit.k8s.io/", "apiserver.config.k8s.io/", "kubeadm.k8s.io/", "kubelet.config.k8s.io/", "client.authentication.k8s.io/",
}

// head is what tells an object from other YAML.
type head struct {
	version, kind   string
	metadata, items bool // a mapping, and a list
}

// headOf reads the head of a document, {} of one that is no mapping.
func headOf(root *yaml.Node) head {
	if root.Kind != yaml.MappingNode {
		return head{}
	}
	if !plainKeys(root) {
		return decodedHead(root)
	}
	_, metadata, _ := source.Find(root, "/metadata")
	_, items, _ := source.Find(root, "/items")
	return head{
		version: scalarAt(root, "/apiVersion"), kind: scalarAt(root, "/kind"),
		metadata: metadata != nil && metadata.Kind == yaml.MappingNode,
		items:    items != nil && items.Kind == yaml.SequenceNode,
	}
}

// plainKeys reports whether the keys of a mapping are what their text says: no
// merge, alias or tag changes them.
func plainKeys(mapping *yaml.Node) bool {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if key := mapping.Content[i]; key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			return false
		}
	}
	return true
}

// decodedHead is headOf for a mapping whose keys must be decoded to be known.
func decodedHead(root *yaml.Node) head {
	value, err := source.Decode(root)
	fields, ok := value.(map[string]any)
	if err != nil || !ok {
		return head{version: scalarAt(root, "/apiVersion"), kind: scalarAt(root, "/kind")}
	}
	var h head
	h.version, _ = fields["apiVersion"].(string)
	h.kind, _ = fields["kind"].(string)
	_, h.metadata = fields["metadata"].(map[string]any)
	_, h.items = fields["items"].([]any)
	return h
}

// typed reports whether apiVersion and kind are there.
func (h head) typed() bool { return h.version != "" && h.kind != "" }

// foreign reports whether the document configures a program.
func (h head) foreign() bool {
	for _, group := range notForClusters {
		if strings.HasPrefix(h.version, group) {
			return true
		}
	}
	return false
}

// isManifest reports whether a document is an object for a cluster: a mapping
// with apiVersion and kind, and with metadata or items.
func isManifest(root *yaml.Node) bool {
	h := headOf(root)
	return h.typed() && !h.foreign() && (h.metadata || h.items)
}

// misspelt finds the key of a document that is apiVersion or kind in another
// case, where the rest is an object: nil where nothing is misspelt.
func misspelt(root *yaml.Node) (key *yaml.Node, want string) {
	if root.Kind != yaml.MappingNode {
		return nil, ""
	}
	_, metadata := pair(root, "metadata")
	_, spec := pair(root, "spec")
	if !isMapping(metadata) && !isMapping(spec) {
		return nil, ""
	}
	for _, name := range []string{"apiVersion", "kind"} {
		found, value := pair(root, name)
		if found == nil || deref(value).Kind != yaml.ScalarNode {
			return nil, ""
		}
		if found.Value != name && key == nil {
			key, want = found, name
		}
	}
	return key, want
}

func isMapping(n *yaml.Node) bool { n = deref(n); return n != nil && n.Kind == yaml.MappingNode }

func scalarAt(root *yaml.Node, pointer string) string {
	_, node, ok := source.Find(root, pointer)
	if !ok || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}

// A key follows white space, a bracket, a quote or a comma; white space includes
// the byte order mark and the line breaks of YAML 1.1.
var manifestKeys = regexp.MustCompile(`(?i)(?:^|[\s{,"'\x{feff}\x{85}\x{2028}\x{2029}])(apiVersion|kind)["']?\s*:`)

// hiddenKeys matches the ways to write a key so that its text does not show it:
// escapes in double quotes, an explicit "? ", a tag, an alias.
var hiddenKeys = regexp.MustCompile(`\\[^\n]*"\s*:|(?:^|[\s{,\[])[?!]|\*[^\s:]+\s*:`)

// showsManifest reports whether the text of a file has both keys of an object.
func showsManifest(data []byte) bool {
	var version, kind bool
	for _, m := range manifestKeys.FindAllSubmatch(data, -1) {
		if len(m[1]) == len("kind") {
			kind = true
		} else {
			version = true
		}
	}
	return version && kind
}

// looksLikeManifest tells by the text, before any parser sees it, whether a
// file can hold an object. It errs on the side of yes.
func looksLikeManifest(data []byte) bool {
	return showsManifest(data) || bytes.IndexByte(data, 0) >= 0 || hiddenKeys.Match(data)
}

var templateLine = regexp.MustCompile(`(?m)^\s*(-\s*)?\{\{`)

// templateAt finds the first line that begins with a template action, counted
// from 1; 0 where none does. An action inside a string is left alone: Argo
// Workflows uses those. It tells something only of a file that is not YAML.
func templateAt(data []byte) int {
	at := templateLine.FindIndex(data)
	if at == nil {
		return 0
	}
	return 1 + bytes.Count(data[:at[1]], []byte("\n"))
}
