package decrypt

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

const redacted = "c4nary \"p&ss\"<wörd>/+?=ÿ\x01"

// Every form of a value goes, from any byte on.
func TestRedactForms(t *testing.T) {
	r := NewRedactor(NewPlaintext(redacted), NewPlaintext(b64("c4nary-in-data")), NewPlaintext(pemKey))
	marshalled, _ := json.Marshal(redacted)
	twice, _ := json.Marshal(string(marshalled))
	for name, text := range map[string]string{
		"raw": redacted, "json": string(marshalled), "json twice": string(twice), "quoted": strconv.Quote(redacted),
		"ascii": strconv.QuoteToASCII(redacted), "query": url.QueryEscape(redacted), "path": url.PathEscape(redacted),
		"hex": hexOf(redacted), "HEX": strings.ToUpper(hexOf(redacted)), "base64": b64(redacted),
		"base64 of data": b64("c4nary-in-data"), "data decoded": "c4nary-in-data",
		"line": "c4naryPrSdfkjwWERlkjSDFlkjwe", "pem": pemKey, "pem in json": jsonString(pemKey),
		"cut off": redacted[:minPart], "base64 cut off": b64(redacted)[:minPart],
	} {
		got := r.Redact("before: " + text + " :after")
		if !strings.HasPrefix(got, "before: ") || !strings.HasSuffix(got, " :after") || !strings.Contains(got, dots) {
			t.Errorf("%s: got %q", name, got)
		}
		if len(got) > len("before:  :after")+len(dots)+6 { // quotes and escaped quotes stay
			t.Errorf("%s: too much stays: %q", name, got)
		}
	}
	for shift := range 6 {
		for name, encoding := range map[string]*base64.Encoding{"std": base64.StdEncoding, "url": base64.URLEncoding, "raw": base64.RawStdEncoding, "raw url": base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte(strings.Repeat("z", shift) + redacted + "tail"))
			got := r.Redact(text)
			rest, err := base64.RawStdEncoding.DecodeString(strings.Split(got, dots)[0][:shift*8/6/4*4])
			if before, _, _ := strings.Cut(got, dots); len(before) > shift*8/6 { // the next character holds bits of the value
				t.Errorf("%s, shifted by %d: %q stays in front", name, shift, before)
			}
			if !strings.Contains(got, dots) || err != nil || strings.Trim(string(rest), "z") != "" {
				t.Errorf("%s, shifted by %d: got %q of %q", name, shift, got, text)
			}
		}
	}
}

// Overlapping and touching values leave nothing between them.
func TestRedactOverlap(t *testing.T) {
	r := NewRedactor(NewPlaintext("abcdef"), NewPlaintext("defghi"), NewPlaintext("abc"), NewPlaintext("abcdefgh"), NewPlaintext("7"))
	for text, want := range map[string]string{
		"xabcdefghiy":         "x" + dots + "y",
		"abcdefdefghi abcdef": dots + " " + dots,
		"line 7 of 17, 7":     "line " + dots + " of 17, " + dots,
		"port 70":             "port 70", "": "", "abc": dots, "abcd": "abcd", "ab": "ab",
	} {
		if got := r.Redact(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := (*Redactor)(nil).Redact("x"); got != "x" {
		t.Errorf("nil: got %q", got)
	}
}

// What a server says about a Secret of a target is scrubbed by its result.
func TestRedactServerError(t *testing.T) {
	r := newRepository(t)
	r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary-1, pin: '4711'}\ndata: {b: YzRuYXJ5LWluLWRhdGE=}\n"))
	r.seal("v.yaml", "list: [c4nary-listed, 271828]\n")
	r.write("kustomization.yaml", "resources: [s.yaml]\nsecretGenerator: [{name: g, files: [v.yaml]}]\n")
	out := r.decrypt()
	text := fmt.Sprintf("failed: .stringData.a: expected string, got &value.valueUnstructured{Value:%q}, 4711, %s, %s, c4nary-listed, 271828",
		"c4nary-1", "YzRuYXJ5LWluLWRhdGE=", b64(data(t, out, "g")["v.yaml"]))
	got := out.Redact(text)
	want := "failed: .stringData.a: expected string, got &value.valueUnstructured{Value:\"" + dots + "\"}" + strings.Repeat(", "+dots, 5)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if again := out.Redact(text); again != got {
		t.Error("the same text gives another result")
	}
}

// Whatever the value and the text around it, no form of it survives, and the
// order of the values does not matter.
func FuzzRedact(f *testing.F) {
	f.Add("c4nary", "other", "a", "b")
	f.Add(redacted, "c4", "\xff", "é")
	f.Add("aaaa", "aa", "a", "aaa")
	f.Fuzz(func(t *testing.T, value, other, before, after string) {
		r := NewRedactor(NewPlaintext(value), NewPlaintext(other))
		back := NewRedactor(NewPlaintext(other), NewPlaintext(value))
		for _, form := range forms(value) {
			text := before + form.text + after
			got := r.Redact(text)
			for _, piece := range strings.Split(got, dots) {
				if len(form.text) >= stem && strings.Contains(piece, form.text) {
					t.Errorf("%q survives in %q", form.text, got)
				}
			}
			if again := back.Redact(text); again != got {
				t.Errorf("%q and %q", got, again)
			}
		}
	})
}
