package render

import (
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

// isManifest reports whether a document is an object for a cluster: a mapping
// with apiVersion and kind, and with metadata or items.
func isManifest(root *yaml.Node) bool {
	if root.Kind != yaml.MappingNode {
		return false
	}
	version, kind := scalarAt(root, "/apiVersion"), scalarAt(root, "/kind")
	if version == "" || kind == "" {
		return false
	}
	for _, group := range notForClusters {
		if strings.HasPrefix(version, group) {
			return false
		}
	}
	_, metadata, _ := source.Find(root, "/metadata")
	_, items, _ := source.Find(root, "/items")
	return metadata != nil && metadata.Kind == yaml.MappingNode || items != nil && items.Kind == yaml.SequenceNode
}

func scalarAt(root *yaml.Node, pointer string) string {
	_, node, ok := source.Find(root, pointer)
	if !ok || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}

var manifestKeys = regexp.MustCompile(`(?:^|[\s{,"'])(apiVersion|kind)["']?\s*:`)

// looksLikeManifest tells by the text, before any parser sees it, whether a
// file can hold an object. Templates are left out: they are not YAML yet.
func looksLikeManifest(data []byte) bool {
	found := map[string]bool{}
	for _, m := range manifestKeys.FindAllSubmatch(data, -1) {
		found[string(m[1])] = true
	}
	return len(found) == 2 && !isTemplate(data)
}

var templateLine = regexp.MustCompile(`(?m)^\s*(-\s*)?\{\{`)

// isTemplate reports whether a line begins with a template action, which is no
// YAML. An action inside a string is left alone: Argo Workflows uses those.
func isTemplate(data []byte) bool { return templateLine.Match(data) }
