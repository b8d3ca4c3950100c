package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// kubeseal encrypts a value as HybridEncrypt of sealed-secrets' pkg/crypto does.
func kubeseal(t testing.TB, key *rsa.PublicKey, plaintext, label string) string {
	t.Helper()
	session := make([]byte, 32)
	_, _ = rand.Read(session)
	block, err := aes.NewCipher(session)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key, session, []byte(label))
	if err != nil {
		t.Fatal(err)
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(wrapped)))
	out = append(out, wrapped...)
	return base64.StdEncoding.EncodeToString(aead.Seal(out, make([]byte, aead.NonceSize()), []byte(plaintext), nil))
}

func sealKey(t testing.TB, bits int) *rsa.PublicKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

// sealedSecret writes a SealedSecret, each of data a line "key: value".
func sealedSecret(metadata string, data ...string) string {
	return "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {" + metadata + "}\nspec:\n  encryptedData:\n    " +
		strings.Join(data, "\n    ") + "\n"
}

// What kubeseal writes is a ciphertext, for every size of key and of value.
func TestSealedSecretIntact(t *testing.T) {
	for _, bits := range []int{2048, 3072, 4096} {
		key := sealKey(t, bits)
		var data []string
		for i, plaintext := range []string{"", "x", canary, strings.Repeat("long ", 4000)} {
			data = append(data, fmt.Sprintf("k%d: %s", i, kubeseal(t, key, plaintext, "shop/db")))
		}
		folded := kubeseal(t, key, canary, "shop/db")
		data = append(data, "folded: |\n      "+folded[:80]+"\n      "+folded[80:], "later: ${SEALED}", "none: ")
		tree := memTree{"s.yaml": sealedSecret("name: db, namespace: shop", data...)}
		if found := judge(t, tree); len(found) > 0 {
			t.Errorf("%d bits: %v", bits, found)
		}
	}
}

// Whatever is no ciphertext is found in the file and stays hidden.
func TestSealedSecretBroken(t *testing.T) {
	good := kubeseal(t, sealKey(t, 2048), canary, "shop/db")
	raw, _ := base64.StdEncoding.DecodeString(good)
	b64 := func(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
	text := []byte(strings.Repeat(canary+" ", 100))
	for _, test := range []struct{ name, value, rule string }{
		{"plaintext", canary, rulePlaintext},
		{"number", "271828", rulePlaintext},
		{"base64 of plaintext", b64([]byte(canary)), rulePlaintext},
		{"base64 of long plaintext", b64(text), rulePlaintext},
		{"base64 of a binary key", b64(raw[10:42]), rulePlaintext},
		{"plaintext behind a length", b64(append([]byte{1, 0}, text...)), rulePlaintext},
		{"plaintext for an RSA block", b64(slices.Concat([]byte{1, 0}, text[:256], raw[10:60])), rulePlaintext},
		{"plaintext behind an RSA block", b64(append(slices.Clone(raw[:258]), text...)), rulePlaintext},
		{"cut in the tag", b64(raw[:258+15]), ruleMetadata},
		{"cut in the RSA block", b64(raw[:200]), ruleMetadata},
		{"cut in base64", good[:101], ruleMetadata},
		{"abbreviated", good[:40] + "...", ruleMetadata},
		{"no length", b64(raw[2:]), ruleMetadata},
		{"sops", exampleEnc, ruleMetadata},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := sealedSecret("name: db, namespace: shop", "password: "+test.value, "good: "+good)
			s := seal(t, memTree{"s.yaml": text})
			got := check(t, s)
			if len(got) != 1 || !strings.HasPrefix(got[0], test.rule+" s.yaml:") {
				t.Errorf("got %q, want one %s", got, test.rule)
			}
			masked := strings.Join(s.Masked("s.yaml"), "\n")
			if strings.Contains(masked, "password: "+test.value) || !strings.Contains(masked, good) {
				t.Errorf("masked lines:\n%s", masked)
			}
			for _, f := range judge(t, memTree{"s.yaml": text}) {
				if f.Rule == ruleLeak && test.name != "sops" {
					t.Errorf("the render gives %s: %s", f.Rule, f.Message)
				}
				if strings.Contains(f.Message, test.value) {
					t.Errorf("the message quotes the value: %s", f.Message)
				}
			}
		})
	}
}

func TestSealedSecretTemplate(t *testing.T) {
	good := kubeseal(t, sealKey(t, 2048), canary, "shop/db")
	for value, want := range map[string]bool{
		canary:                                   true,
		`'{{ "c4nary" }}'`:                       true,
		`'{{ printf "%s" "c4nary" }}'`:           true,
		`'{{ "c4nary .password" }}'`:             true,
		`'{{ .password }}'`:                      false,
		`'{{ index . "pass.word" }}'`:            false,
		`'url=db://{{ .password | b64enc }}@db'`: false,
		`''`:                                     false,
		`${SUBSTITUTED}`:                         false,
	} {
		for _, field := range []string{"data", "stringData"} {
			text := sealedSecret("name: db, namespace: shop", "password: "+good) + "  template:\n    " + field + ":\n      conf: " + value + "\n"
			found := judge(t, memTree{"s.yaml": text})
			if got := count(found, rulePlaintext) == 1; got != want || len(found) > 1 {
				t.Errorf("%s: %s: got %v", field, value, found)
			}
		}
	}
	applied := sealedSecret("name: db, namespace: shop", "password: "+good) +
		"  template:\n    metadata:\n      annotations:\n        " + lastApplied + `: '{"kind":"Secret","data":{"password":"YzRuYXJ5"}}'` + "\n"
	if found := judge(t, memTree{"s.yaml": applied}); count(found, rulePlaintext) != 1 || len(found) != 1 {
		t.Errorf("last applied: %v", found)
	}
}

func TestSealedSecretScopes(t *testing.T) {
	const namespaceWide, clusterWide = `sealedsecrets.bitnami.com/namespace-wide: "true"`, `sealedsecrets.bitnami.com/cluster-wide: "true"`
	good := kubeseal(t, sealKey(t, 2048), canary, "shop/db")
	for _, test := range []struct {
		name, annotations, kustomization string
		rule, place, says                string // none where nothing is wrong
	}{
		{name: "same", kustomization: "namespace: shop"},
		{name: "strict, name", kustomization: "namePrefix: prod-", rule: ruleMoved, place: "kustomization.yaml:1:13", says: "prod-db"},
		{name: "strict, namespace", kustomization: "namespace: other", rule: ruleMoved, place: "kustomization.yaml:1:12", says: "namespace other"},
		{name: "namespace-wide, name", annotations: namespaceWide, kustomization: "nameSuffix: -b"},
		{name: "namespace-wide, namespace", annotations: namespaceWide, kustomization: "namespace: other", rule: ruleMoved, place: "kustomization.yaml:1:12", says: "scope namespace-wide"},
		{name: "cluster-wide", annotations: clusterWide, kustomization: "namespace: other\nnamePrefix: a-"},
		{name: "scope changed", kustomization: "commonAnnotations: {" + clusterWide + "}", rule: ruleMoved, place: "kustomization.yaml:1:", says: "scope strict"},
		{name: "both", annotations: namespaceWide + ", " + clusterWide, kustomization: "namespace: shop", rule: ruleMetadata, place: "sealed.yaml:", says: "takes the first"},
		{name: "neither", annotations: `sealedsecrets.bitnami.com/cluster-wide: "yes"`, kustomization: "namespace: shop", rule: ruleMetadata, place: "sealed.yaml:", says: "for strict"},
		{name: "false", annotations: `sealedsecrets.bitnami.com/cluster-wide: "false"`, kustomization: "namespace: shop"},
	} {
		t.Run(test.name, func(t *testing.T) {
			metadata := "name: db, namespace: shop, annotations: {" + test.annotations + "}"
			found := judge(t, memTree{
				"sealed.yaml":        sealedSecret(metadata, "password: "+good, "user: "+good),
				"kustomization.yaml": test.kustomization + "\nresources: [sealed.yaml]\n",
			})
			if test.rule == "" {
				if len(found) > 0 {
					t.Errorf("got %v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Rule != test.rule || !strings.HasPrefix(found[0].Location.String(), test.place) || !strings.Contains(found[0].Message, test.says) {
				t.Errorf("got %v", found)
			}
		})
	}
	template := sealedSecret("name: db, namespace: shop", "password: "+good) + "  template:\n    metadata:\n      annotations: {" + clusterWide + "}\n"
	if found := judge(t, memTree{"s.yaml": template}); count(found, ruleMetadata) != 1 || len(found) != 1 {
		t.Errorf("template: %v", found)
	}
}

// What a patch puts in, only the render shows.
func TestSealedSecretPatched(t *testing.T) {
	good := kubeseal(t, sealKey(t, 2048), canary, "shop/db")
	for _, patch := range []string{
		"- op: replace\n  path: /spec/encryptedData/password\n  value: c4nary",
		"- op: add\n  path: /spec/template\n  value: {data: {password: c4nary}}",
		"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: db, namespace: shop}\nspec: {encryptedData: {password: c4nary}}",
	} {
		s := seal(t, memTree{
			"sealed.yaml": sealedSecret("name: db, namespace: shop", "password: "+good),
			"patch.yaml":  patch, "kustomization.yaml": "resources: [sealed.yaml]\npatches: [{path: patch.yaml, target: {kind: SealedSecret}}]\n",
		})
		for _, r := range build(t, s) {
			found := s.CheckRendered(r)
			if count(found, rulePlaintext) != 1 || len(found) != 1 || found[0].Location.File != "patch.yaml" {
				t.Errorf("%s: got %v", patch, found)
			}
			if out, err := r.YAML(); err != nil || strings.Contains(string(out), canary) {
				t.Errorf("%s: the render shows the value (%v)", patch, err)
			}
		}
	}
}
