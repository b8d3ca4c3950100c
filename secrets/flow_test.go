package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// rendered is a target of one object, made from a file with one encrypted value.
func rendered(kind string, value map[string]any) (*Sealed, *render.Rendered, string) {
	tree := memTree{"s.yaml": exampleSecret(exampleEnc, exampleBlock())}
	s := &Sealed{tree: tree, uses: map[string]use{}, hidden: map[string][]finding.Span{}}
	value["apiVersion"], value["kind"] = "v1", kind
	o := &render.Object{Object: finding.Object{APIVersion: "v1", Kind: kind, Name: "x"}, Value: value}
	r := &render.Rendered{Objects: []*render.Object{o}, Reads: render.Reads{Files: []string{"s.yaml"}}}
	return s, r, sealedToken("s.yaml", "0/stringData/password", exampleEnc)
}

func rulesOf(found []finding.Finding) string {
	var out []string
	for _, f := range found {
		out = append(out, f.Rule+" "+f.Pointer)
	}
	return strings.Join(out, ", ")
}

// A whole token in a permitted field passes; any other place, and any part in
// any common encoding, is a leak.
func TestTokenFlow(t *testing.T) {
	_, _, token := rendered("Secret", map[string]any{})
	b64 := base64.StdEncoding.EncodeToString([]byte(token))
	wrapped := b64[:70] + "\n" + b64[70:]
	for _, test := range []struct {
		name, kind string
		value      map[string]any
		want       string
	}{
		{"data", "Secret", map[string]any{"data": map[string]any{"k": token}}, ""},
		{"data in base64", "Secret", map[string]any{"data": map[string]any{"k": b64}}, ""},
		{"data in wrapped base64", "Secret", map[string]any{"data": map[string]any{"k": wrapped}}, ""},
		{"stringData", "Secret", map[string]any{"stringData": map[string]any{"k": token}}, ""},
		{"config map", "ConfigMap", map[string]any{"data": map[string]any{"k": token}}, "secret-leak /data/k"},
		{"annotation", "Secret", map[string]any{"metadata": map[string]any{"annotations": map[string]any{"k": token}}}, "secret-leak /metadata/annotations/k"},
		{"deeper", "Secret", map[string]any{"data": map[string]any{"k": []any{token}}}, "secret-leak /data/k/0"},
		{"key", "Secret", map[string]any{"data": map[string]any{token: "AAAA"}}, "secret-leak /data/" + token + ", secret-plaintext /data/" + token},
		{"with more", "Secret", map[string]any{"stringData": map[string]any{"k": "x" + token}}, "secret-leak /stringData/k"},
		{"twice", "Secret", map[string]any{"stringData": map[string]any{"k": token + token}}, "secret-leak /stringData/k"},
		{"upper case", "Secret", map[string]any{"stringData": map[string]any{"k": strings.ToUpper(token)}}, "secret-leak /stringData/k"},
		{"part", "Secret", map[string]any{"stringData": map[string]any{"k": token[20:33]}}, "secret-leak /stringData/k"},
		{"part in base64", "ConfigMap", map[string]any{"data": map[string]any{"k": "xy" + base64.StdEncoding.EncodeToString([]byte(token[9:40]))}}, "secret-leak /data/k"},
		{"twice in base64", "Secret", map[string]any{"data": map[string]any{"k": base64.StdEncoding.EncodeToString([]byte(token + token))}}, "secret-leak /data/k"},
		{"in hexadecimal", "ConfigMap", map[string]any{"data": map[string]any{"k": hex.EncodeToString([]byte(token))}}, "secret-leak /data/k"},
		{"another's token", "Secret", map[string]any{"stringData": map[string]any{"k": sealedToken("other", "", "")}}, "secret-leak /stringData/k"},
		{"ciphertext", "ConfigMap", map[string]any{"data": map[string]any{"k": exampleEnc}}, "secret-leak /data/k"},
		{"sops block", "ConfigMap", map[string]any{"sops": map[string]any{"mac": "x"}}, "secret-leak /sops"},
		{"a setting called sops", "ConfigMap", map[string]any{"data": map[string]any{"sops": "enabled"}}, ""},
		{"plaintext", "Secret", map[string]any{"stringData": map[string]any{"k": "c4nary", "n": int64(5), "e": ""}}, "secret-plaintext /stringData/k, secret-plaintext /stringData/n"},
		{"private key", "ConfigMap", map[string]any{"data": map[string]any{"k": examplePEM}}, "secret-key-committed /data/k"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, r, _ := rendered(test.kind, test.value)
			if got := rulesOf(s.CheckRendered(r)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if text := fmt.Sprint(r.Objects[0].Value); strings.Contains(text, canary) || strings.Contains(text, "MC4CAQ") {
				t.Errorf("the render still shows the value: %s", text)
			}
		})
	}
}

// Flows name the source key and the field, permitted or not.
func TestFlows(t *testing.T) {
	_, _, token := rendered("Secret", map[string]any{})
	s, r, _ := rendered("ConfigMap", map[string]any{"data": map[string]any{"k": token}})
	flows := s.Flows(r)
	if len(flows) != 1 {
		t.Fatalf("got %d flows", len(flows))
	}
	f := flows[0]
	if f.File != "s.yaml" || f.Key != "password" || f.Span.Start.Line != 6 || f.Pointer != "/data/k" || f.Permitted || !f.Encrypted {
		t.Errorf("got %+v", f)
	}
}

// A token is only taken for a value of a file that the target read.
func TestTokenOfAnotherTarget(t *testing.T) {
	_, _, token := rendered("Secret", map[string]any{})
	s, r, _ := rendered("Secret", map[string]any{"stringData": map[string]any{"k": token}})
	r.Reads.Files = nil
	if got := rulesOf(s.CheckRendered(r)); got != "secret-leak /stringData/k" {
		t.Errorf("got %q", got)
	}
}

// Encrypted values that are no strings cannot be followed, so they are refused.
func TestTypedPlaceholder(t *testing.T) {
	enc := strings.Replace(exampleEnc, "type:str", "type:int", 1)
	tree := memTree{"s.yaml": exampleSecret(enc, exampleBlock()), "kustomization.yaml": "resources: [s.yaml]\n"}
	s := seal(t, tree)
	if sealed := read(t, s, "s.yaml"); !strings.Contains(sealed, "  password: 1\n") {
		t.Errorf("got\n%s", sealed)
	}
	if got := rulesOf(judge(t, tree)); got != "secret-leak /stringData/password" {
		t.Errorf("got %q", got)
	}
}

// Where kustomize carries a plaintext value of a Secret elsewhere, both the
// plaintext and the leak are reported, and the value is never rendered.
func TestPlaintextLeak(t *testing.T) {
	tree := memTree{
		"s.yaml":             "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: c4nary\n",
		"c.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: x, u: y}\n",
		"kustomization.yaml": "resources: [s.yaml, c.yaml]\nreplacements:\n- source: {kind: Secret, fieldPath: stringData.password}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.k]\n",
	}
	found := judge(t, tree)
	if got := count(found, rulePlaintext); got != 1 {
		t.Errorf("got %d findings of plaintext, want the file's and the render's to be one", got)
	}
	if got := count(found, ruleLeak); got != 1 {
		t.Errorf("got %d leaks, want 1: %v", got, found)
	}
	for _, r := range build(t, seal(t, tree)) {
		if text, _ := r.YAML(); strings.Contains(string(text), canary) {
			t.Errorf("the render shows the value:\n%s", text)
		}
	}
}

// Plaintext that only the render shows is placed, masked, and hidden in the file
// that it comes from.
func TestPlaintextOnlyInTheRender(t *testing.T) {
	tree := memTree{
		"s.yaml":             "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: ''}\n",
		"c.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  k: c4nary\n",
		"kustomization.yaml": "resources: [s.yaml, c.yaml]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: data.k}\n  targets:\n  - select: {kind: Secret}\n    fieldPaths: [stringData.password]\n",
	}
	s := seal(t, tree)
	r := build(t, s)[0]
	found := s.CheckRendered(r)
	if got := rulesOf(found); got != "secret-plaintext /stringData/password" {
		t.Fatalf("got %q", got)
	}
	for _, o := range r.Objects {
		if text, _ := o.YAML(); o.Kind == "Secret" && strings.Contains(string(text), canary) {
			t.Errorf("the Secret shows the value:\n%s", text)
		}
	}
	if file := found[0].Location.File; file != "" {
		if masked := s.Masked(file)[found[0].Location.Start.Line-1]; strings.Contains(masked, canary) {
			t.Errorf("%s: the masked line shows the value: %s", found[0].Location, masked)
		}
	}
}
