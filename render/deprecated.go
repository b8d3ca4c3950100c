package render

import "go.yaml.in/yaml/v3"

// replacements are the fields that kustomize gave up, and what to write now.
var replacements = []struct{ field, help string }{
	{"bases", "list the directories under resources"},
	{"imageTags", "use images"},
	{"patchesStrategicMerge", "use patches, with the file under path: or the text under patch:"},
	{"patchesJson6902", "use patches, which takes the same target and path"},
	{"vars", "use replacements"},
	{"commonLabels", "use labels, with includeSelectors: true to keep the selectors as they are"},
	{"helmChartInflationGenerator", "use helmCharts"},
}

// deprecated reports the deprecated fields of a kustomization, at their keys.
func (k *kustomization) deprecated() []*fault {
	var out []*fault
	for _, r := range replacements {
		if key, _ := k.fieldPair(r.field); key != nil {
			out = append(out, k.deprecation(key, r.field, r.help))
		}
	}
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		list := deref(k.field(field))
		if list == nil || list.Kind != yaml.SequenceNode {
			continue
		}
		for _, item := range list.Content {
			if key, _ := pair(item, "env"); key != nil {
				out = append(out, k.deprecation(key, "env of "+field, "use envs, a list"))
			}
		}
	}
	return out
}

func (k *kustomization) deprecation(key *yaml.Node, field, help string) *fault {
	return &fault{Rule: ruleDeprecated, Message: "kustomize has deprecated " + field, Help: help, Span: k.File.Span(key)}
}
