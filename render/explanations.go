package render

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// id matches the way in which kustomize writes the identity of a resource:
// Kind.version.group/name.namespace.
const id = `([A-Za-z0-9]+)\.[^/\s"]*/([^\s";:]*)\.(\[noNs\]|[a-z0-9-]+)`

// explanations are the errors of kustomize 5.8 that a kustomization can cause,
// most specific first. They were collected from the sources of its api module.
func explanations() []explanation {
	return []explanation{
		{match(`unable to load external plugin '([^']*)'`), (*cause).externalPlugin},
		{match(`must specify --enable-helm`), sentence("a generator inflates a Helm chart, which kustomize does only with --enable-helm", "render the chart into the repository")},
		{match(`may not add resource with an already registered id: ` + id), (*cause).duplicate},
		{match(`no resource matches strategic merge patch "?` + id), (*cause).unmatchedPatch},
		{match(`failed to find unique target for patch ` + id), (*cause).unmatchedPatch},
		{match(`(add|remove|replace|test|copy|move) operation does not apply(?:[^/\n]*(/[^\s":]*))?`), (*cause).jsonPatch},
		{match(`error in (\w+) for path: '(/[^']*)'`), (*cause).jsonPatch},
		{match(`testing (?:path|value) (/[^\s":]*)`), (*cause).jsonPatchTest},
		{match(`unable to parse SM or JSON patch from \[(path|patch): "([^"]*)`), (*cause).patchFormat},
		{match(`must specify a target for (?:JSON )?patch`), (*cause).untargeted},
		{match(`illegally qualifies as both an SM and JSON patch: \[(path|patch): "([^"]*)`), (*cause).patchFormat},
		{match("Multiple Strategic-Merge Patches in one `patches` entry"), (*cause).manyPatches},
		{match(`must specify one of patch and path|patch and path can't be set at the same time`), field("an entry of patches needs either path or patch, not both and not neither", "patches")},
		{match(`must specify the target name`), field("an entry of patchesJson6902 needs a target with a name", "patchesJson6902")},
		{match(`missing (metadata\.name|kind) in object|missing Resource metadata`), (*cause).nameless},
		{match(`expected array in (\S+)/items`), sentence("the items of a list are no list", "")},
		{match(`(?s)merging from generator.*ResId\{.*?Kind:"(\w+)".*?Name:"([^"]*)".*?(exists; behavior must be merge or replace|does not exist; cannot merge or replace)`), (*cause).generatorBehaviour},
		{match("configmap (\\S+) illegally repeats the key `([^`]*)`"), (*cause).repeatedKey},
		{match(`a configmap must have a name|a secret must have a name`), sentence("a generator has no name", "set name in each entry of configMapGenerator and secretGenerator")},
		{match(`invalid literal source`), (*cause).literal},
		{match(`missing (?:key name|file path) for|key name or file path contains '='`), sentence("a file of a generator is not path or key=path", "")},
		{match(`has invalid utf8 bytes`), sentence("an env file of a generator is not UTF-8", "")},
		{match("fieldPath `([^`]*)` is missing for replacement source"), (*cause).replacementSource},
		{match(`nothing selected by`), field("the source of a replacement selects no object", "replacements")},
		{match(`multiple matches for selector`), field("the source of a replacement selects more than one object", "replacements")},
		{match(`unable to find field "?([A-Za-z0-9_.\[\]=/*-]+)"? in replacement target`), (*cause).replacementTarget},
		{match(`replacement|options\.index|delimiter option|structured data`), field("a replacement cannot be made", "replacements")},
		{match(`var '([^']*)' cannot be mapped|found \d+ resId matches for var`), field("a var names a field that no object has", "vars")},
		{match(`namespace transformation produces ID conflict`), field("the namespace would make two objects equal", "namespace")},
		{match(`resource with name (\S+) does not match a config with the following GVK`), field("an entry of replicas names no workload of the target", "replicas")},
		{match(`multiple possible referral|Too many possible referral`), sentence("a reference by name could mean more than one object", "give the objects different names, or set their namespaces")},
		{match(`invalid schema file|OpenAPI version is not built in|builtin version and custom schema`), field("the openapi field names no usable schema", "openapi")},
		{match(`unable to parse open API definition from '([^']*)'`), (*cause).crd},
		{match(`sortOptions`), field("sortOptions is not valid", "sortOptions")},
		{match(`conflicting fieldspecs`), field("the configurations contradict each other", "configurations")},
		{match(`(?i)git (?:init|fetch|remote)|HTTP Error|status code|dial tcp|no such host|hit \d+s timeout`), (*cause).unreachable},
		{match(`network is not allowed`), sentence("a generator or transformer names something on the network", "vendor it into the repository, or allow the network")},
		{match(`control characters are not allowed`), sentence("an object holds a control character, which kustomize cannot print", "remove it, or keep the value in binaryData")},
		{match(`unsupported type: map\[interface`), (*cause).unprintable},
		{match(`(?i)wrong node kind`), sentence("a patch or transformer expects another shape of an object than it has", "compare the patch with the object: a mapping, list or single value stands where another was expected")},
	}
}

func match(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

func sentence(message, help string) func(*cause, []string) *fault {
	return func(c *cause, _ []string) *fault { return c.fault(message, help) }
}

func field(message, name string) func(*cause, []string) *fault {
	return func(c *cause, _ []string) *fault { return c.atField(message, "", name) }
}

func (c *cause) externalPlugin(m []string) *fault {
	message := "the plugin " + m[1] + " is not run: only kustomize's builtin generators and transformers are"
	return c.at(message, "render what it makes into the repository", func(l *layer, ref *reference) bool {
		switch ref.Role {
		case roleGenerator, roleTransformer, roleValidator:
			return c.holds(l, ref, func(kind, _ string) bool { return kind == m[1] })
		}
		return false
	})
}

// duplicate places the error at the entry that brings the object a second time.
func (c *cause) duplicate(m []string) *fault {
	message := m[1] + " " + m[2] + " is in the target twice"
	help := "remove one of the two, or give them different names or namespaces"
	if file := regexp.MustCompile(`merging resources from '([^']*)': may not add`).FindStringSubmatch(c.text); file != nil {
		return c.at(message, help, func(_ *layer, ref *reference) bool { return ref.Role == roleResource && ref.Text == file[1] })
	}
	if c.layer.Via != nil && strings.Contains(c.text, "recursed merging from path '"+string(absolute(c.layer.Dir))+"'") {
		f := c.fault(message, help)
		f.Span = c.layer.Via.Span
		return f
	}
	return c.fault(message, help)
}

func (c *cause) unmatchedPatch(m []string) *fault {
	message := "no object matches this patch of " + m[1] + " " + m[2]
	if strings.Contains(c.text, "multiple matches for") {
		message = "more than one object matches this patch of " + m[1] + " " + m[2]
	}
	return c.at(message, "correct kind, name and namespace of the patch, or remove it", func(l *layer, ref *reference) bool {
		switch ref.Role {
		case rolePatch, roleStrategicPatch:
			return c.holds(l, ref, func(kind, name string) bool { return kind == m[1] && name == m[2] })
		}
		return false
	})
}

func (c *cause) jsonPatch(m []string) *fault {
	message := "a JSON patch does not apply: " + m[1]
	if m[2] != "" {
		message += " of " + m[2] + ", which the object does not have"
	}
	return c.atOperation(message, m[1], m[2])
}

func (c *cause) jsonPatchTest(m []string) *fault {
	return c.atOperation("a JSON patch does not apply: test of "+m[1]+" fails", "test", m[1])
}

func (c *cause) atOperation(message, op, pointer string) *fault {
	return c.at(message, "correct the path, or add what it names", func(l *layer, ref *reference) bool {
		return (ref.Role == rolePatch || ref.Role == roleJSONPatch) && c.hasOperation(l, ref, op, pointer)
	})
}

func (c *cause) patchFormat(m []string) *fault {
	return c.at("this is neither a strategic merge patch nor a JSON patch", "a strategic merge patch has apiVersion, kind and metadata.name; a JSON patch is a list of operations", func(l *layer, ref *reference) bool {
		if ref.Role != rolePatch {
			return false
		}
		if m[1] == "path" {
			return ref.Text == m[2]
		}
		return ref.Inline && !c.isPatch(l, ref)
	})
}

func (c *cause) untargeted([]string) *fault {
	return c.at("a JSON patch needs a target", "add target with kind and name", func(_ *layer, ref *reference) bool {
		_, target := pair(ref.Entry, "target")
		return (ref.Role == rolePatch || ref.Role == roleJSONPatch) && target == nil
	})
}

func (c *cause) manyPatches([]string) *fault {
	return c.at("one entry holds several patches and a target", "give each patch an entry of its own", func(l *layer, ref *reference) bool {
		_, target := pair(ref.Entry, "target")
		return ref.Role == rolePatch && target != nil && c.documents(l, ref) > 1
	})
}

func (c *cause) nameless(m []string) *fault {
	what := cmp.Or(m[1], "metadata")
	pointer := "/" + strings.ReplaceAll(what, ".", "/")
	var found *finding.Span
	f := c.at("an object has no "+what, "every object needs apiVersion, kind and metadata.name", func(l *layer, ref *reference) bool {
		found = c.lacking(l, ref, pointer)
		return found != nil
	})
	if found != nil {
		f.Related = []finding.Related{{Message: "taken in here", Location: f.Span}}
		f.Span = *found
	}
	return f
}

func (c *cause) generatorBehaviour(m []string) *fault {
	message := m[1] + " " + m[2] + " exists already"
	help := "set behavior: merge or behavior: replace, or choose another name"
	if strings.HasPrefix(m[3], "does not") {
		message, help = m[1]+" "+m[2]+" does not exist, so it cannot be merged or replaced", "remove behavior, or correct the name"
	}
	return c.atGenerator(message, help, m[2])
}

func (c *cause) repeatedKey(m []string) *fault {
	return c.atGenerator("the generator "+m[1]+" makes the key "+m[2]+" twice", "remove one of the two", m[1])
}

func (c *cause) replacementSource(m []string) *fault {
	return c.atField("the source of a replacement has no field "+m[1], "", "replacements")
}

func (c *cause) replacementTarget(m []string) *fault {
	return c.atField("a target of a replacement has no field "+m[1], "correct the path, or set options.create", "replacements")
}

func (c *cause) crd(m []string) *fault {
	return c.at("this is no OpenAPI definition", "crds takes OpenAPI definitions; list a CustomResourceDefinition under resources", func(_ *layer, ref *reference) bool {
		return ref.Role == roleCRD && ref.Text == m[1]
	})
}

func (c *cause) unreachable([]string) *fault {
	return c.at("a remote reference cannot be fetched", "check the address and the network, or vendor it into the repository", func(_ *layer, ref *reference) bool {
		return ref.Remote && strings.Contains(c.text, withoutCredentials(ref.Text))
	})
}
