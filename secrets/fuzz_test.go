package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

var strictEnc = regexp.MustCompile(`^ENC\[AES256_GCM,data:[A-Za-z0-9+/]+={0,2},iv:[A-Za-z0-9+/]{43}=,tag:[A-Za-z0-9+/]{22}==,type:(str|int|float|bool|bytes|time|comment)\]$`)

// What parseEnc accepts has the one form that sops writes.
func FuzzParseEnc(f *testing.F) {
	f.Add(exampleEnc)
	f.Add(strings.Replace(exampleEnc, "AAAA", "AA\nA", 1))
	f.Add(exampleEnc + "]")
	f.Add("ENC[AES256_GCM,data:,iv:,tag:,type:str]")
	f.Add(strings.Replace(exampleEnc, "tag:AAAA", "tag:", 1))
	f.Add(strings.Replace(exampleEnc, "iv:AAAA", "iv:", 1))
	f.Fuzz(func(t *testing.T, text string) {
		c, reason := parseEnc(text)
		if reason != "" {
			return
		}
		if !strictEnc.MatchString(text) || len(c.iv) != ivSize || len(c.tag) != tagSize {
			t.Errorf("accepted %q", text)
		}
	})
}

// Sealing keeps the lines and the structure, and takes every secret value away.
func FuzzSeal(f *testing.F) {
	for _, seed := range []string{
		exampleSecret(exampleEnc, exampleBlock()),
		exampleSecret("hunter2", ""),
		exampleSecret("|\n    a\n\n    b\n  c: 'x\n\n    y'", ""),
		"kind: Secret\nstringData: {a: \"b\\\n  c\", d: [e, 5]}\n",
		"- {op: add, path: /stringData/a, value: secret}\n",
		"{\"kind\": \"Secret\", \"data\": {\"a\": \"c2VjcmV0\"}, \"sops\": {\"mac\": \"x\"}}",
		"apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  data: &x {a: b}\n- kind: Secret\n  data: *x\n",
		"# c\r\nkind: Secret\r\nstringData:\r\n  a: >-\r\n    b\r\n\r\n    c\r\n",
		"kind: Secret\nstringData:\n  ? a\n  : secret value\n  b: &y !!str\n    secret\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		before, err := source.Parse("s.yaml", []byte(text))
		if err != nil || strings.ContainsAny(text, "\u0085\u2028\u2029") {
			return
		}
		s := newSheet("s.yaml", []byte(text), use{})
		if s.refused != nil || len(s.edits) == 0 {
			return
		}
		if slices.ContainsFunc(s.edits, func(e edit) bool { return strings.HasSuffix(e.with, wholeMark) }) {
			return
		}
		if a, b := bytes.Count(s.sealed, []byte("\n")), strings.Count(text, "\n"); a != b {
			t.Fatalf("%d lines became %d:\n%s\n---\n%s", b, a, text, s.sealed)
		}
		after, err := source.Parse("s.yaml", s.sealed)
		if err != nil {
			t.Fatalf("%v:\n%s\n---\n%s", err, text, s.sealed)
		}
		if len(before.Docs) != len(after.Docs) && s.meta == nil {
			t.Fatalf("%d documents became %d", len(before.Docs), len(after.Docs))
		}
		for i := range min(len(before.Docs), len(after.Docs)) {
			if s.meta == nil {
				sameShape(t, before.Docs[i].Root, after.Docs[i].Root)
			}
		}
		if s.meta != nil {
			return
		}
		for _, e := range newSheet("s.yaml", slices.Clone(s.sealed), use{}).edits {
			left := strings.Trim(string(s.sealed[e.from:e.to]), `"'`)
			if plantedToken([]byte(left)) < 0 && !slices.Contains([]string{"1", "1.5", "true", placeholderTime}, left) {
				t.Fatalf("a value was left: %q\n%s\n---\n%s", left, text, s.sealed)
			}
		}
	})
}

// sameShape compares everything but scalars that were replaced.
func sameShape(t *testing.T, a, b *yaml.Node) {
	t.Helper()
	a, b = deref(a), deref(b)
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		t.Fatalf("line %d: the structure changed", a.Line)
	}
	if a.Kind == yaml.ScalarNode && a.Value != b.Value && plantedToken([]byte(b.Value)) < 0 && placeholder(kindOf(b)) != b.Value {
		t.Fatalf("line %d: a value changed from %q to %q", a.Line, a.Value, b.Value)
	}
	if a.Line != b.Line {
		t.Fatalf("line %d became line %d", a.Line, b.Line)
	}
	for i := range a.Content {
		if deref(a.Content[i]) == a || a.Content[i].Kind == yaml.AliasNode {
			continue
		}
		sameShape(t, a.Content[i], b.Content[i])
	}
}

// A token that is not whole is never taken for whole, whatever is done to it: cut,
// repeated, put in front of or behind something, in another case or encoding.
func FuzzTokenFlow(f *testing.F) {
	for how := range byte(len(encodings)) {
		f.Add("", "", 0, 64, 1, how)
		f.Add("x", "", 0, 64, 1, how)
		f.Add("", "", 3, 40, 2, how)
		f.Add("", "A=", 44, 64, 1, how)
	}
	f.Fuzz(func(t *testing.T, head, tail string, from, to, times int, how byte) {
		_, _, token := rendered("Secret", map[string]any{})
		if from < 0 || to > len(token) || from > to || times < 0 || times > 4 || int(how) >= len(encodings) {
			return
		}
		text := head + encodings[how](strings.Repeat(token[from:to], times)) + tail
		s, r, _ := rendered("Secret", map[string]any{"stringData": map[string]any{"k": text}})
		flows := s.Flows(r)
		whole := text == token || isBase64Of(text, token)
		if len(flows) > 0 && !whole {
			t.Errorf("%q passes for the token", text)
		}
		found := s.CheckRendered(r)
		if digits := to - max(from, len(sealedPrefix)); times > 0 && digits >= minPart && !whole && count(found, ruleLeak) == 0 {
			t.Errorf("%q is not seen as part of the token: %v", text, found)
		}
	})
}

// encodings are those in which parts of a token are found.
var encodings = []func(string) string{
	func(s string) string { return s },
	strings.ToUpper,
	strings.ToLower,
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return hex.EncodeToString([]byte(s)) },
	func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
}

func isBase64Of(text, token string) bool {
	decoded, ok := strictBase64(strings.ReplaceAll(text, "\n", ""))
	return ok && string(decoded) == token
}
