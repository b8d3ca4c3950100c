package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// variants gives each definition of each release the name under which it is
// stored. Definitions that are equal, with all that they refer to, have one
// name in all releases: the OpenAPI name, "@" and the first release that has it.
type variants []map[string]string // by release, then by OpenAPI name

// findVariants refines classes of equal definitions until nothing changes: at
// first two definitions are equal if their own text is; then also what they
// refer to must have been equal in the round before. Definitions that refer to
// themselves need no special care.
func findVariants(releases []release) (variants, error) {
	classes, err := ownText(releases)
	if err != nil {
		return nil, err
	}
	for count := 0; ; {
		classes = refine(releases, classes)
		n := countClasses(classes)
		if n == count {
			return nameClasses(releases, classes), nil
		}
		count = n
	}
}

// ownText is the first round: a digest of each definition's text.
func ownText(releases []release) (variants, error) {
	classes := make(variants, len(releases))
	for i, r := range releases {
		classes[i] = map[string]string{}
		for name, d := range r.Definitions {
			text, err := encode(d)
			if err != nil {
				return nil, err
			}
			classes[i][name] = digest(name, string(text))
		}
	}
	return classes, nil
}

// refine is a further round: a digest of the definition's class and of the
// classes of what it refers to.
func refine(releases []release, classes variants) variants {
	next := make(variants, len(releases))
	for i, r := range releases {
		next[i] = map[string]string{}
		for name, d := range r.Definitions {
			parts := []string{classes[i][name]}
			for _, ref := range slices.Sorted(maps.Keys(references(d))) {
				parts = append(parts, classes[i][ref])
			}
			next[i][name] = digest(parts...)
		}
	}
	return next
}

func countClasses(classes variants) int {
	distinct := map[string]bool{}
	for _, byName := range classes {
		for _, class := range byName {
			distinct[class] = true
		}
	}
	return len(distinct)
}

func nameClasses(releases []release, classes variants) variants {
	first := map[string]string{} // class -> minor version
	named := make(variants, len(releases))
	for i, r := range releases {
		named[i] = map[string]string{}
		for name, class := range classes[i] {
			if _, seen := first[class]; !seen {
				first[class] = r.Minor
			}
			named[i][name] = name + "@" + first[class]
		}
	}
	return named
}

// references collects the definitions that a schema refers to.
func references(schema any) map[string]bool {
	refs := map[string]bool{}
	walk(schema, func(m map[string]any) {
		if ref, ok := m["$ref"].(string); ok {
			refs[ref] = true
		}
	})
	return refs
}

// walk calls visit for every schema below and including this one.
func walk(schema any, visit func(map[string]any)) {
	m, ok := schema.(map[string]any)
	if !ok {
		return
	}
	visit(m)
	for _, key := range []string{"items", "additionalProperties"} {
		walk(m[key], visit)
	}
	if properties, ok := m["properties"].(map[string]any); ok {
		for _, p := range properties {
			walk(p, visit)
		}
	}
}

// writeKubernetes writes kinds.txt and kubernetes.zst.
func writeKubernetes(dir string, releases []release) error {
	named, err := findVariants(releases)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "kinds.txt"), kindsText(releases, named)); err != nil {
		return err
	}
	lines, err := definitionLines(releases, named)
	if err != nil {
		return err
	}
	return writeCompressed(filepath.Join(dir, "kubernetes.zst"), lines)
}

// definitionLines is "name schema" for each definition that a kind needs,
// sorted by name.
func definitionLines(releases []release, named variants) ([]byte, error) {
	lines := map[string]string{}
	for i, r := range releases {
		needed := map[string]bool{}
		for _, k := range r.Kinds {
			reach(r, k.Definition, needed)
		}
		for name := range needed {
			walk(r.Definitions[name], func(m map[string]any) {
				if ref, ok := m["$ref"].(string); ok {
					m["$ref"] = named[i][ref]
				}
			})
			text, err := encode(r.Definitions[name])
			if err != nil {
				return nil, err
			}
			stored := named[i][name]
			if other, ok := lines[stored]; ok && other != string(text) {
				return nil, fmt.Errorf("two definitions are called %s", stored)
			}
			lines[stored] = string(text)
		}
	}
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&out, "%s %s\n", name, lines[name])
	}
	return out.Bytes(), nil
}

// reach adds a definition and all that it refers to.
func reach(r release, name string, needed map[string]bool) {
	if needed[name] {
		return
	}
	needed[name] = true
	for ref := range references(r.Definitions[name]) {
		reach(r, ref, needed)
	}
}

// kindsText is a table: a line of releases, then for each kind its definition
// and a column for each release: the variant, "-" where the release lacks the
// kind, "!" after it where the server serves the kind only if told to.
func kindsText(releases []release, named variants) []byte {
	var out bytes.Buffer
	out.WriteString("kind definition")
	kinds := map[string]string{}
	for _, r := range releases {
		out.WriteString(" " + r.Patch)
		for gvk, k := range r.Kinds {
			kinds[gvk] = k.Definition
		}
	}
	out.WriteString("\n")
	for _, gvk := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(&out, "%s %s", gvk, kinds[gvk])
		for i, r := range releases {
			out.WriteString(" " + column(r, named[i], gvk))
		}
		out.WriteString("\n")
	}
	return out.Bytes()
}

func column(r release, named map[string]string, gvk string) string {
	k, ok := r.Kinds[gvk]
	if !ok {
		return "-"
	}
	_, variant, _ := strings.Cut(named[k.Definition], "@")
	if k.OptIn {
		variant += "!"
	}
	return variant
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return string(h.Sum(nil))
}

// encode is compact JSON with sorted keys and without HTML escapes.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
