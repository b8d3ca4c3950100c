package validate

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// build makes the value that a path of the table of uses describes, with leaf at
// its end. Of alternatives it takes the i-th, or the last.
func build(path string, i int, leaf any) any {
	if path == "" {
		return leaf
	}
	head, rest, _ := strings.Cut(path, "/")
	value := build(rest, i, leaf)
	alternatives := strings.Split(head, "|")
	key := strings.ReplaceAll(alternatives[min(i, len(alternatives)-1)], "~1", "/")
	switch {
	case key == "*":
		return []any{value}
	case key == "**":
		return map[string]any{"any": []any{map[string]any{"depth": value}}}
	}
	return map[string]any{strings.ReplaceAll(key, "*", "x"): value}
}

// usesOf lists the table as newUseTable reads it: kind, path and form.
func usesOf() (all []use) {
	for _, root := range strings.Fields(podSpecs) {
		kind, path, _ := strings.Cut(root, ":")
		if kind == "*" {
			kind = "Rollout.argoproj.io"
		}
		for _, u := range podUses() {
			all = append(all, use{kind, path + "/" + u.path, u.form})
		}
	}
	return slices.Concat(all, kubernetesUses(), gitopsUses(), operatorUses())
}

// TestEveryUse writes each line of the table of uses as an object: the name must
// be missed where nothing has it, found where something has, and the keys that
// it lacks must be named.
func TestEveryUse(t *testing.T) {
	for _, u := range usesOf() {
		for _, kind := range strings.Fields(u.kinds) {
			for i := range strings.Count(u.path, "|") + 1 {
				checkUse(t, u, kind, i)
			}
		}
	}
}

func checkUse(t *testing.T, u use, kind string, i int) {
	t.Helper()
	to := u.form.to
	leaf := map[string]any{u.form.name: "wanted"}
	if u.form.kind != "" {
		if to == "" {
			to = kindService
		}
		leaf[u.form.kind] = to
	}
	if u.form.key != "" {
		leaf[u.form.key] = "key"
	}
	if u.form.items != "" {
		leaf[u.form.items] = []any{map[string]any{"key": "key"}}
	}
	user := build(u.path, i, leaf).(map[string]any)
	if u.form.name == "" {
		user = build(u.path, i, "wanted").(map[string]any)
	}
	kind, group, _ := strings.Cut(kind, ".")
	user["apiVersion"], user["kind"] = strings.TrimPrefix(group+"/v1", "/"), kind
	user["metadata"] = map[string]any{"name": "user"}

	verdict := func(data string) []finding.Finding {
		have := object(map[string]any{"apiVersion": "v1", "kind": to, "metadata": map[string]any{"name": "wanted"}})
		have.Value["data"] = map[string]any{data: ""}
		r := &render.Rendered{Objects: []*render.Object{object(user), have}}
		if data == "" {
			r.Objects = r.Objects[:1]
		}
		return references(t, ReferenceOptions{}, r)
	}
	if found := verdict(""); u.form.manner == expected && len(found) != 1 {
		t.Errorf("%s %s (%d): a missing name gives %v", kind, u.path, i, found)
	}
	usesKeys := u.form.key != "" || u.form.items != "" || u.form.keys != nil
	if found := verdict("other"); (len(found) > 0) != usesKeys {
		t.Errorf("%s %s (%d): a missing key gives %v", kind, u.path, i, found)
	}
	if found := verdict("key"); u.form.keys == nil && len(found) != 0 {
		t.Errorf("%s %s (%d): what is there gives %v", kind, u.path, i, found)
	}
}

// TestEveryMaker holds that what each line of the table of makers makes is taken
// for there.
func TestEveryMaker(t *testing.T) {
	for _, m := range makers() {
		for _, kinds := range strings.Fields(m.kinds) {
			kind, group, _ := strings.Cut(kinds, ".")
			value := map[string]any{"apiVersion": group + "/v1", "kind": kind, "metadata": map[string]any{"name": "thing"}}
			fill(value, m.name, "thing")
			fill(value, m.only, "thing")
			name := m.name
			if before, rest, ok := strings.Cut(name, "{"); ok {
				_, after, _ := strings.Cut(rest, "}")
				name = before + "thing" + after
			}
			inv := newInventory()
			newStock().take(&inv, object(value), "")
			name = strings.ReplaceAll(name, "*", "some")
			for _, makes := range strings.Fields(m.makes) {
				if len(inv.find(makes, name, "")) == 0 && !inv.mayBeMade(makes, name, "") {
					t.Errorf("%s does not make %s %s", kinds, makes, name)
				}
			}
		}
	}
}

// fill puts a value at the first path of a maker's text.
func fill(value map[string]any, text, leaf string) {
	_, rest, ok := strings.Cut(text, "{")
	if !ok {
		return
	}
	paths, _, _ := strings.Cut(rest, "}")
	path, _, _ := strings.Cut(paths, "|")
	if strings.HasPrefix(path, "metadata/") {
		return
	}
	head, rest, _ := strings.Cut(path, "/")
	under, _ := value[head].(map[string]any)
	if under == nil {
		under = map[string]any{}
	}
	for key, child := range build(rest, 0, leaf).(map[string]any) {
		under[key] = child
	}
	value[head] = under
}
