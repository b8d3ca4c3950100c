package render

import "github.com/sallyport/sallyport/finding"

// The rules of this package.
const (
	ruleRenderError     = "render-error"
	ruleLoadRestriction = "load-restriction"
	ruleYAMLUnsafe      = "yaml-unsafe"
	rulePathEscape      = "path-escape"
	ruleRemoteReference = "remote-reference"
	ruleDeprecated      = "kustomize-deprecated"
	ruleComponentUnused = "component-unused"
)

// severityOf returns the default severity of a rule of this package.
func severityOf(rule string) finding.Severity {
	switch rule {
	case ruleLoadRestriction, ruleDeprecated, ruleComponentUnused:
		return finding.Warning
	}
	return finding.Error
}

// configMap is the object of the examples.
const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"

// Rules returns the documentation of this package's rules.
func Rules() []finding.Rule {
	rules := []finding.Rule{
		renderError(), loadRestriction(), yamlUnsafe(), pathEscape(), remoteReference(), deprecatedField(), componentUnused(),
	}
	for i := range rules {
		rules[i].Severity = severityOf(rules[i].Name)
	}
	return rules
}

func renderError() finding.Rule {
	return finding.Rule{
		Name:  ruleRenderError,
		Title: "The target cannot be rendered",
		Doc: "`kustomize build` of this overlay fails, or a manifest cannot be parsed, so nothing of the target can be " +
			"checked or deployed. Most often a path in a kustomization names a file or directory that does not exist (any more), " +
			"or a patch no longer matches an object. The place is the entry that cannot be followed.",
		Fix:  "Correct the entry that the finding points at. Delete the overlay if nothing deploys it.",
		Bad:  finding.Example{"app/kustomization.yaml": "resources:\n- settings.yaml\n- gone.yaml\n", "app/settings.yaml": configMap},
		Good: finding.Example{"app/kustomization.yaml": "resources:\n- settings.yaml\n", "app/settings.yaml": configMap},
	}
}

func loadRestriction() finding.Rule {
	return finding.Rule{
		Name:  ruleLoadRestriction,
		Title: "A kustomization reads a file outside its directory",
		Doc: "kustomize and Argo CD refuse a kustomization that reads files from outside its own directory; Flux builds it. " +
			"The target was built, confined to the repository, and its objects were checked.",
		Fix: "Nothing, if only Flux deploys this. Otherwise give the file's directory a kustomization and list the directory.",
		Bad: finding.Example{"app/kustomization.yaml": "resources:\n- ../shared/settings.yaml\n", "shared/settings.yaml": configMap},
		Good: finding.Example{
			"app/kustomization.yaml":    "resources:\n- ../shared\n",
			"shared/kustomization.yaml": "resources:\n- settings.yaml\n", "shared/settings.yaml": configMap,
		},
	}
}

func yamlUnsafe() finding.Rule {
	return finding.Rule{
		Name:  ruleYAMLUnsafe,
		Title: "A YAML file is dangerous or ambiguous to parse",
		Doc: "Aliases that multiply or contain themselves, extreme nesting or size, and text that is not UTF-8 can make kustomize " +
			"or sops use all memory, or crash. No parser is shown such a file. Duplicate keys are read differently by different " +
			"parsers, so that what was reviewed need not be what is applied.",
		Fix:  "Remove the duplicate key, or write the aliases out. Save the file as UTF-8.",
		Bad:  finding.Example{"app/kustomization.yaml": "resources:\n- settings.yaml\n", "app/settings.yaml": configMap + "data:\n  mode: strict\n  mode: lax\n"},
		Good: finding.Example{"app/kustomization.yaml": "resources:\n- settings.yaml\n", "app/settings.yaml": configMap + "data:\n  mode: strict\n"},
	}
}

func pathEscape() finding.Rule {
	return finding.Rule{
		Name:  rulePathEscape,
		Title: "A path leads out of the repository",
		Doc: "A target may read only files of its repository. Absolute paths, paths that climb above the root, symbolic links and " +
			"submodules are not followed, because what they name depends on the machine that builds.",
		Fix:  "Copy what is needed into the repository and refer to that.",
		Bad:  finding.Example{"app/kustomization.yaml": "resources:\n- ../../elsewhere/settings.yaml\n"},
		Good: finding.Example{"app/kustomization.yaml": "resources:\n- settings.yaml\n", "app/settings.yaml": configMap},
	}
}

func remoteReference() finding.Rule {
	return finding.Rule{
		Name:  ruleRemoteReference,
		Title: "A kustomization takes something from the network",
		Doc: "kustomize downloads URLs, and runs git for repositories, while it builds. What is deployed then depends on somebody " +
			"else's server, and a planted address makes the build machine fetch it. Nothing is fetched, so the target is not rendered.",
		Fix:  "Vendor the files into the repository, or run with --allow-network.",
		Bad:  finding.Example{"app/kustomization.yaml": "resources:\n- https://example.com/settings.yaml\n"},
		Good: finding.Example{"app/kustomization.yaml": "resources:\n- settings.yaml\n", "app/settings.yaml": configMap},
	}
}

func deprecatedField() finding.Rule {
	return finding.Rule{
		Name:  ruleDeprecated,
		Title: "A kustomization uses a deprecated field",
		Doc:   "kustomize still accepts the field and will drop it in a future version. `kustomize edit fix` rewrites most of them.",
		Fix:   "Use the field that the finding names.",
		Bad: finding.Example{
			"app/kustomization.yaml":  "bases:\n- ../base\n",
			"base/kustomization.yaml": "resources:\n- settings.yaml\n", "base/settings.yaml": configMap,
		},
		Good: finding.Example{
			"app/kustomization.yaml":  "resources:\n- ../base\n",
			"base/kustomization.yaml": "resources:\n- settings.yaml\n", "base/settings.yaml": configMap,
		},
	}
}

func componentUnused() finding.Rule {
	component := "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: blue-\n"
	return finding.Rule{
		Name:  ruleComponentUnused,
		Title: "No target uses a Component",
		Doc:   "A Component does nothing by itself: some kustomization must list it under components. None does, so it is dead.",
		Fix:   "List it under components of an overlay, or delete it.",
		Bad: finding.Example{
			"app/kustomization.yaml": "resources:\n- settings.yaml\n", "app/settings.yaml": configMap,
			"blue/kustomization.yaml": component,
		},
		Good: finding.Example{
			"app/kustomization.yaml": "resources:\n- settings.yaml\ncomponents:\n- ../blue\n", "app/settings.yaml": configMap,
			"blue/kustomization.yaml": component,
		},
	}
}
