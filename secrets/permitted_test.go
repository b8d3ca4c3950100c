package secrets

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// The tokens that a second reader of a file makes are those that sealing wrote.
func TestSealedTokens(t *testing.T) {
	s := seal(t, memTree{
		"s.yaml": exampleSecret(exampleEnc, exampleBlock()), "other.yaml": exampleSecret(exampleEnc, exampleBlock()), "plain.yaml": "a: b\n",
		"kustomization.yaml": "resources: [s.yaml]\n",
	})
	token := SealedToken("s.yaml", 0, []string{"stringData", "password"}, exampleEnc)
	if !strings.Contains(read(t, s, "s.yaml"), token) {
		t.Error("the sealed file holds another token")
	}
	for _, other := range []string{
		SealedToken("t.yaml", 0, []string{"stringData", "password"}, exampleEnc),
		SealedToken("s.yaml", 1, []string{"stringData", "password"}, exampleEnc),
		SealedToken("s.yaml", 0, []string{"stringData/password"}, exampleEnc),
		SealedFileToken("s.yaml", []byte(exampleEnc)),
	} {
		if other == token {
			t.Error("another place has the same token")
		}
	}
	r := build(t, s)[0]
	if files, err := s.TokenFiles(r); err != nil || len(files) != 1 || files[token] != "s.yaml" {
		t.Errorf("got %v, %v", files, err)
	}
	if _, format, err := s.Ciphertext("s.yaml"); format != YAML || err != nil {
		t.Errorf("got %q, %v", format, err)
	}
	if _, _, err := s.Ciphertext("plain.yaml"); !errors.Is(err, ErrNotEncrypted) {
		t.Errorf("got %v", err)
	}
}

// A text is a token as a whole or not at all; a plaintext's token is none.
func TestWholeToken(t *testing.T) {
	token := sealedToken("f", "", "x")
	b64 := base64.StdEncoding.EncodeToString([]byte(token))
	for text, want := range map[string]struct{ encoded, ok bool }{
		token: {false, true}, b64: {true, true}, b64[:70] + "\n" + b64[70:]: {true, true},
		token + "x": {}, "x" + token: {}, token[1:]: {}, strings.ToUpper(token): {}, "": {}, plainToken("f", ""): {},
		base64.StdEncoding.EncodeToString([]byte(token + token)): {}, strings.Repeat("A", maxWrapped): {},
	} {
		got, encoded, ok := WholeToken(text)
		if ok != want.ok || encoded != want.encoded || ok && got != token {
			t.Errorf("%q: got %q, %v, %v", text, got, encoded, ok)
		}
	}
	for _, text := range []string{token, plainToken("f", ""), "x " + exampleEnc, "a" + dots, token[:8]} {
		if !IsSealed(text) {
			t.Errorf("%q passes", text)
		}
	}
	if IsSealed("c4nary") {
		t.Error("a value is taken for a mask")
	}
}
