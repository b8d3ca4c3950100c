package encrypt

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// FuzzSealText seals any text under stringData. What is sealed, sops' library
// opens, with the same values; what is refused is refused without quoting it.
// TestSealKeepsLayout holds the seeds to the stock binary.
//
//	go test ./secrets/encrypt -run '^$' -fuzz FuzzSealText -fuzztime 5m
func FuzzSealText(f *testing.F) {
	for _, c := range layouts {
		if _, body, ok := strings.Cut(c.text, "stringData:"); ok {
			f.Add("stringData:" + body)
		}
	}
	for _, body := range []string{
		"stringData:\n  a: >2-\n     x\n\n      y\n # z\n", "stringData: {? a : b, c: 'd\n  e'}\n", "data:\n  - a # x\n  # y\n  - b\n",
		"stringData:\n  a: |\n\n\n  b: |-2\n    x\n", "stringData:\n  a: \"x\\\n    y\"\n  b: x # y\n   # z\n", "stringData:\n  a: |+\n\n   \n\n",
		"stringData:\n  a: !!binary aGk=\n", "stringData:\n  a: &a\n    b: c\n  d: *a\n", "stringData:\n  a: x\u2028y\n  b: \"x\u0085y\"\n",
		"stringData:\n\ta: b\n", "stringData: {a: b, # c\n  d: e}\n", "stringData:\n  'a': - b\n  c: -\n", "stringData:\n  a: b\n--- # x\nkind: Secret\nstringData: {a: b}\n",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		text := head + body
		r := newRepository(t, map[string]string{"s.yaml": text})
		files, err := r.prepare(Options{}, "s.yaml")
		if err != nil {
			return
		}
		if err := Write(r.dir, files); err != nil {
			t.Fatal(err)
		}
		opened := r.open("s.yaml")
		if got, want := secretsIn(t, opened), secretsIn(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q\nwant %q\nsealed %s", got, want, r.read("s.yaml"))
		}
		sameOutline(t, text, r.read("s.yaml"))
	})
}

// sameOutline holds that every line of a sealed text which takes no ciphertext is
// a line of the original, in its order.
func sameOutline(t *testing.T, text, sealed string) {
	t.Helper()
	rest := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	for line := range strings.SplitSeq(outline(sealed), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || strings.Contains(line, "ENC") || strings.Contains(line, `"sops":`) {
			continue
		}
		for len(rest) > 0 && rest[0] != line {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			t.Errorf("line %q is not where it was:\n%s", line, sealed)
			return
		}
	}
}

// FuzzSealValues seals Secrets that are made of a seed, with odd values in every
// style that YAML has for them, and files of the other formats.
func FuzzSealValues(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := &generator{rand.New(rand.NewPCG(seed, 0))}
		text, want := g.manifest()
		env, wantEnv := g.env()
		object, wantObject := g.object()
		raw := g.value()
		files := map[string]string{"s.yaml": text, "a.env": env, "a.json": object, "a.bin": raw + "."}
		r := newRepository(t, files)
		r.seal("s.yaml", "a.env", "a.json", "a.bin")
		if got := secretsIn(t, r.open("s.yaml")); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q\nwant %q\nof %s", got, want, text)
		}
		if got := r.open("a.env"); got != wantEnv {
			t.Errorf("got %q\nwant %q", got, wantEnv)
		}
		var got any
		if err := json.Unmarshal([]byte(r.open("a.json")), &got); err != nil || !reflect.DeepEqual(got, wantObject) {
			t.Errorf("got %q\nwant %q", got, wantObject)
		}
		if got := r.open("a.bin"); got != raw+"." {
			t.Errorf("got %q\nwant %q", got, raw+".")
		}
		sameOutline(t, text, r.read("s.yaml"))
	})
}

// A generator makes texts.
type generator struct{ *rand.Rand }

// one picks a string.
func (g *generator) one(of ...string) string { return of[g.IntN(len(of))] }

// value is what a secret may be.
func (g *generator) value() string {
	var out strings.Builder
	for range g.IntN(12) {
		out.WriteString(g.one("a", "Zz9", " ", "  ", "\n", "\n\n", "\t", "'", `"`, `\`, `\n`, ": ", " #", "- ", "? ", "{", "}", "[", "]", ",", "&", "*", "!", "|", ">",
			"%", "@", "`", "~", "null", "true", "0", "1e3", "é", "🔑", "\u2028", "ENC[", "---\n", "...", "=", "<<", "\u00a0", "x y", "${A}", "$"))
	}
	if g.IntN(20) == 0 {
		out.WriteString(strings.Repeat(g.one("x", "é ", "long\n"), 1+g.IntN(5000)))
	}
	return out.String()
}

// manifest makes one to three Secrets, and what their values are.
func (g *generator) manifest() (text string, want []any) {
	var out strings.Builder
	for i := range 1 + g.IntN(3) {
		if i > 0 {
			out.WriteString(g.one("---\n", "\n---\n", "--- # next\n", "...\n---\n"))
		}
		out.WriteString(g.one("", "# top of it\n", "\n") + head)
		decoded, plain := map[string]any{}, map[string]any{}
		out.WriteString("data:\n")
		for k := range 1 + g.IntN(3) {
			value := base64.StdEncoding.EncodeToString([]byte(g.value()))
			decoded[fmt.Sprintf("k%d", k)] = value
			out.WriteString(g.entry(fmt.Sprintf("k%d", k), value))
		}
		out.WriteString("stringData:" + g.one("", " # strings") + "\n")
		for k := range 1 + g.IntN(4) {
			value := g.value()
			plain[fmt.Sprintf("key %d", k)] = value
			out.WriteString(g.entry(fmt.Sprintf("key %d", k), value))
		}
		out.WriteString(g.one("", "type: Opaque\n", "\n", "# end of it\n"))
		want = append(want, any(decoded), any(plain))
	}
	return out.String(), want
}

// entry writes a key in a style that can hold the value, which YAML itself
// judges.
func (g *generator) entry(key, value string) string {
	for range 4 {
		text := g.one("", "  # a note here\n", "  # old: thing\n", "\n") + "  " + g.one(key, `"`+key+`"`) + ":" + g.style(value) + "\n"
		var got map[string]any
		if yaml.Unmarshal([]byte("m:\n"+text+"  last: x\n"), &got) == nil {
			if m, ok := got["m"].(map[string]any); ok && m[key] == any(value) && len(m) == 2 {
				return text
			}
		}
	}
	quoted, _ := json.Marshal(value)
	return "  " + key + ": " + string(quoted) + "\n"
}

func (g *generator) style(value string) string {
	indented := func(by string) string { return strings.ReplaceAll(value, "\n", "\n"+by) }
	switch g.IntN(6) {
	case 0:
		return " " + value + g.one("", " # note it well", "  #x=y")
	case 1:
		return "  '" + strings.ReplaceAll(value, "'", "''") + "'" + g.one("", " # note it well")
	case 2:
		return " |" + g.one("", "-", "+", "2", "2-") + g.one("", " # note it well") + "\n    " + indented("    ")
	case 3:
		return " >" + g.one("", "-", "+") + "\n      " + indented("      ")
	case 4:
		return "\n     " + value
	}
	quoted, _ := json.Marshal(value)
	return " " + string(quoted)
}

// env makes a file of variables, and what sops prints of it.
func (g *generator) env() (text, want string) {
	var out, kept strings.Builder
	for k := range 1 + g.IntN(4) {
		value := strings.NewReplacer("\n", "", "\r", "").Replace(g.value())
		line := fmt.Sprintf("K%d=%s\n", k, value)
		if g.IntN(3) == 0 {
			line = "# note " + value + "\n" + line
		}
		out.WriteString(line + g.one("", "\n"))
		kept.WriteString(line)
	}
	out.WriteString("LAST=x" + g.one("", "\n"))
	return out.String(), kept.String() + "LAST=x\n"
}

// object makes JSON, and its value.
func (g *generator) object() (text string, want any) {
	value := map[string]any{"a": g.value(), "b": []any{g.value(), 1.5, 3.0, true, nil, map[string]any{}}, "c": map[string]any{g.value(): "x", "d": g.value()}}
	compact, _ := json.Marshal(value)
	if g.IntN(2) == 0 {
		compact, _ = json.MarshalIndent(value, "", g.one("  ", "\t", "    "))
	}
	return string(compact) + g.one("", "\n"), value
}
