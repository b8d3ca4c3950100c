package render

import (
	"bytes"
	"maps"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// generate adds the objects of a layer's generators, and the changes of those
// that merge into an object that is there.
func (t *tracer) generate(l *layer, objects []*origin) []*origin {
	for _, field := range []struct{ name, kind string }{{"configMapGenerator", "ConfigMap"}, {"secretGenerator", "Secret"}} {
		list := deref(l.field(field.name))
		if list == nil || list.Kind != yaml.SequenceNode {
			continue
		}
		for _, entry := range list.Content {
			g := &generator{tracer: t, layer: l, kind: field.kind, entry: deref(entry)}
			objects = g.add(objects)
		}
	}
	for _, ref := range l.refs(roleGenerator) {
		t.plugins = true
		t.remote = t.remote || ref.Remote
	}
	return objects
}

// generator is one entry of configMapGenerator or secretGenerator.
type generator struct {
	*tracer
	layer *layer
	kind  string
	entry *yaml.Node
}

func (g *generator) add(objects []*origin) []*origin {
	name, namespace := valueOf(g.entry, "name"), valueOf(g.entry, "namespace")
	if behavior := valueOf(g.entry, "behavior"); behavior == "merge" || behavior == "replace" {
		for i := len(objects) - 1; i >= 0; i-- {
			if o := objects[i]; o.kind == g.kind && (o.names[0] == name || o.name() == name) &&
				(namespace == "" || effective(namespace) == effective(o.namespace())) {
				o.changes = append(o.changes, g.change(behavior == "replace"))
				return objects
			}
		}
	}
	o := &origin{
		version: "v1", kind: g.kind, names: []string{name}, namespaces: []string{namespace},
		labels: g.options("labels"), annotations: g.options("annotations"), generated: true,
		changes: []change{g.change(true)},
	}
	return append(objects, o)
}

// options gathers labels or annotations of the generated object.
func (g *generator) options(field string) map[string]string {
	out := map[string]string{}
	for _, options := range []*yaml.Node{g.layer.field("generatorOptions"), g.own()} {
		if _, values := pair(options, field); values != nil {
			maps.Copy(out, stringsAt(values, ""))
		}
	}
	return out
}

// own is the options of the entry itself.
func (g *generator) own() *yaml.Node {
	_, options := pair(g.entry, "options")
	return options
}

// change answers for the fields that the entry sets. An entry that makes an
// object answers for all of it.
func (g *generator) change(whole bool) change {
	f := g.layer.File
	return func(q *query, _ *setting) (setting, bool) {
		var s setting
		ok := true
		switch {
		case len(q.tokens) == 0 || q.is("data") || q.is("binaryData"):
			s = setting{span: f.Span(g.entry)}
			ok = whole || len(q.tokens) > 0
		case len(q.tokens) == 2 && (q.tokens[0] == "data" || q.tokens[0] == "binaryData"):
			s, ok = g.data(q.tokens[1])
		case q.is("metadata", "name") && whole:
			s, ok = g.member(g.entry, "name")
		case q.is("type"):
			s, ok = g.member(g.entry, "type")
		case len(q.tokens) == 3 && q.tokens[0] == "metadata":
			s, ok = g.option(q.tokens[1], q.tokens[2])
		default:
			return setting{}, false
		}
		s.whole = whole
		return s, ok
	}
}

func (g *generator) member(mapping *yaml.Node, name string) (setting, bool) {
	key, value := pair(mapping, name)
	if value == nil {
		return setting{}, false
	}
	return settingAt(g.layer.File, key, value), true
}

// option looks a label or annotation up, the entry's own before the global one.
func (g *generator) option(field, name string) (setting, bool) {
	for _, options := range []*yaml.Node{g.own(), g.layer.field("generatorOptions")} {
		if _, values := pair(options, field); values != nil {
			if key, value, ok := source.Find(deref(values), source.Pointer(name)); ok {
				return settingAt(g.layer.File, key, value), true
			}
		}
	}
	return setting{}, false
}

// data finds what gives a key of the object its value: a literal, a file, or a
// line of an env file.
func (g *generator) data(key string) (setting, bool) {
	if _, literals := pair(g.entry, "literals"); literals != nil {
		for _, item := range deref(literals).Content {
			if name, value, ok := strings.Cut(deref(item).Value, "="); ok && name == key {
				s := setting{span: g.layer.File.Span(item), value: unquoted(value)}
				s.known = g.kind == "ConfigMap"
				return s, true
			}
		}
	}
	for _, ref := range g.layer.refs(roleData, roleEnv) {
		switch {
		case ref.Entry != g.entry || ref.Remote:
		case ref.Role == roleData && ref.Key == key:
			return setting{span: beginning(ref.Path)}, true
		case ref.Role == roleEnv:
			if span, ok := g.envLine(ref.Path, key); ok {
				return setting{span: span}, true
			}
		}
	}
	return setting{}, false
}

// beginning is the place of a whole file: where its first line begins.
func beginning(file string) finding.Span {
	first := finding.Position{Line: 1, Column: 1}
	return finding.Span{File: file, Start: first, End: first}
}

// unquoted takes away the quotes that kustomize takes away from a literal.
func unquoted(value string) string {
	if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}

// envLine finds the last line of an env file that sets a key.
func (t *tracer) envLine(file, key string) (span finding.Span, ok bool) {
	data, err := t.tree.ReadFile(file)
	if err != nil {
		return finding.Span{}, false
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimRight(bytes.TrimPrefix(line, []byte("\ufeff")), "\r")
		text := bytes.TrimLeft(line, " \t")
		if name, _, _ := bytes.Cut(text, []byte("=")); string(name) != key {
			continue
		}
		indent := utf8.RuneCount(line) - utf8.RuneCount(text)
		span = finding.Span{
			File:  file,
			Start: finding.Position{Line: i + 1, Column: indent + 1},
			End:   finding.Position{Line: i + 1, Column: utf8.RuneCount(line) + 1},
		}
		ok = true
	}
	return span, ok
}
