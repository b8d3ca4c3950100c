package render

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/source"
)

// argoGroup is the API group of Argo CD's objects.
const argoGroup = "argoproj.io/"

func isApplication(o *Object) bool {
	return o.Kind == "Application" && strings.HasPrefix(o.APIVersion, argoGroup)
}

func isApplicationSet(o *Object) bool {
	return o.Kind == "ApplicationSet" && strings.HasPrefix(o.APIVersion, argoGroup)
}

// argoOrders reads the sources of an Argo CD Application.
func argoOrders(c *claim) []order {
	if isApplicationSet(c.object) {
		return []order{{claim: c, kind: ArgoCD, at: "/spec/generators", reason: "an ApplicationSet: which Applications it makes is only known in the cluster"}}
	}
	spec := mappingIn(c.object.Value, "spec")
	if sources := listIn(spec, "sources"); len(sources) > 0 {
		var out []order
		for i, item := range sources {
			from, _ := item.(map[string]any)
			out = append(out, argoOrder(c, from, specItem("sources", i), i))
		}
		return out
	}
	return []order{argoOrder(c, mappingIn(spec, "source"), "/spec/source", 0)}
}

func argoOrder(c *claim, from map[string]any, pointer string, index int) order {
	o := order{
		claim: c, kind: ArgoCD, index: index, at: pointer, path: textIn(from, "path"),
		source: sourceName{url: textIn(from, "repoURL")},
	}
	for _, tool := range []string{"chart", "helm", "plugin"} {
		if from[tool] != nil {
			o.reason = "it is built with " + strings.Replace(tool, "chart", "a Helm chart", 1) + ", which is not done here"
		}
	}
	if o.path == "" && o.reason == "" {
		o.reason = "it names no path: its source is only referred to"
	}
	o.write = func(d *draft, o order, s *survey) string { return argoDelivery(d, o, s, from) }
	return o
}

// argoDelivery writes what Argo CD adds to a path. A namespace of the
// destination is that of objects without one.
func argoDelivery(d *draft, o order, s *survey, from map[string]any) string {
	k := s.found[d.Dir]
	if _, chart := s.tree.Lookup(path.Join(d.Dir, "Chart.yaml")); chart && k == nil {
		return "it is built with helm, which is not done here"
	}
	if from["directory"] != nil || k == nil {
		options := mappingIn(from, "directory")
		d.Plain = &Plain{Recurse: options["recurse"] == true, Include: textIn(options, "include"), Exclude: textIn(options, "exclude")}
	} else {
		d.argoKustomize(mappingIn(from, "kustomize"), o.at+"/kustomize", s)
	}
	destination := mappingIn(mappingIn(o.object.Value, "spec"), "destination")
	if namespace := textIn(destination, "namespace"); namespace != "" && d.fields["namespace"] == nil && s.wantsNamespace(d) {
		d.rest["namespace"] = namespace
		d.place("/namespace", namespace, "/spec/destination/namespace")
	}
	return ""
}

// argoKustomize is what Argo CD does with `kustomize edit` before it builds.
func (d *draft) argoKustomize(options map[string]any, from string, s *survey) {
	for _, field := range []string{"namePrefix", "nameSuffix", "namespace"} {
		if text := textIn(options, field); text != "" && text != s.fieldOf(d.Dir, field) {
			d.add(field, text, from+source.Pointer(field))
		}
	}
	for _, field := range []string{"commonLabels", "commonAnnotations"} {
		values := mappingIn(options, field)
		switch {
		case len(values) == 0:
		case field == "commonLabels" && options["labelWithoutSelector"] == true:
			d.append("labels", map[string]any{"pairs": values, "includeTemplates": options["labelIncludeTemplates"] == true}, from+source.Pointer(field))
		default:
			d.add(field, values, from+source.Pointer(field))
		}
	}
	for _, field := range []string{"patches", "components"} {
		for i, item := range listIn(options, field) {
			d.append(field, item, from+source.Pointer(field, strconv.Itoa(i)))
		}
	}
	for i, item := range listIn(options, "replicas") {
		d.append("replicas", only(item, "name", "count"), from+source.Pointer("replicas", strconv.Itoa(i)))
	}
	for i, item := range listIn(options, "images") {
		text, _ := item.(string)
		d.append("images", argoImage(text), from+source.Pointer("images", strconv.Itoa(i)))
	}
}

// argoImage is an image in the short form of `kustomize edit set image`.
func argoImage(text string) map[string]any {
	name, reference, renamed := strings.Cut(text, "=")
	if !renamed {
		reference = text
	}
	repository, rest := splitImage(reference)
	tag, digest, _ := strings.Cut(rest, "@")
	out := map[string]any{"name": repository}
	if renamed {
		out["name"], out["newName"] = name, repository
	}
	if tag = strings.TrimPrefix(tag, ":"); tag != "" {
		out["newTag"] = tag
	}
	if digest != "" {
		out["digest"] = digest
	}
	return out
}

// wantsNamespace reports whether the directory may hold a Secret whose namespace
// is that of the destination. Of all other objects the default namespace is
// nothing that anybody judges, and nearly every Application has one.
func (s *survey) wantsNamespace(d *draft) bool {
	if d.Plain == nil && s.fieldOf(d.Dir, "namespace") != "" {
		return false
	}
	t := Target{Path: d.Dir, Kind: Kustomize}
	if d.Plain != nil {
		t = Target{Path: d.Dir, Kind: ArgoCD, Delivery: d.Delivery}
	}
	reads, _ := s.builder.Reads(t)
	for _, file := range reads.Files {
		if data, err := s.tree.ReadFile(file); err == nil && (bytes.Contains(data, []byte("Secret")) || bytes.Contains(data, []byte("secret"))) {
			return true
		}
	}
	return false
}
