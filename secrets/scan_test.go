package secrets

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/peer"
)

// newPEM makes a key that nothing uses.
func newPEM(t *testing.T) (pkcs8, sec1 string) {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ed)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: ecDER}))
}

// Secret material is found in any file, and hidden from its lines.
func TestScan(t *testing.T) {
	_, identity := peer.NewAgeKey(t)
	key, err := os.ReadFile(identity)
	if err != nil {
		t.Fatal(err)
	}
	age := string(key[bytes.Index(key, []byte("AGE-SECRET-KEY-")):])
	pkcs8, sec1 := newPEM(t)
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	wrap := func(text string) string {
		var out strings.Builder
		for len(text) > 64 {
			out.WriteString("  " + text[:64] + "\n")
			text = text[64:]
		}
		return out.String() + "  " + text
	}
	inJSON, err := json.Marshal(sec1)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, text, rule, secret string }{
		{"age identity", "key: " + age, ruleKey, strings.TrimSpace(age)},
		{"age identity in base64", "x: " + b64(age), ruleKey, b64(age)},
		{"PEM", "a\n" + pkcs8, ruleKey, strings.Split(pkcs8, "\n")[1]},
		{"indented PEM", indent(sec1, "    "), ruleKey, strings.Split(sec1, "\n")[2]},
		{"PEM in JSON", string(inJSON), ruleKey, strings.Split(sec1, "\n")[1]},
		{"PEM in base64", "tls.key: " + b64(sec1), ruleKey, b64(sec1)},
		{"PEM in wrapped base64", "tls.key: |\n" + wrap(b64(sec1)), ruleKey, b64(sec1)[64:128]},
		{"kubeconfig", "users:\n- user:\n    client-key-data: " + b64(sec1), rulePlaintext, b64(sec1)},
		{"registry", `{"auths": {"r.example": {"auth": "` + b64("bob:c4nary") + `"}}}`, rulePlaintext, b64("bob:c4nary")},
		{"registry in base64", "x: " + b64(`{"auths":{"r.example":{"auth":"`+b64("bob:c4nary")+`"}}}`), rulePlaintext, "eyJhdXRo"},
		{"URL", "url: postgres://bob:c4nary@db/app", rulePlaintext, canary},
		{"URL in base64", "url: " + b64("postgres://bob:c4nary@db/app"), rulePlaintext, b64("postgres://bob:c4nary@db/app")},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := seal(t, memTree{"notes.txt": test.text})
			found, err := s.CheckFiles(context.Background(), "")
			if err != nil {
				t.Fatal(err)
			}
			if count(found, test.rule) != 1 {
				t.Errorf("got %v", found)
			}
			masked := s.Masked("notes.txt")
			if strings.Contains(strings.Join(masked, "\n"), test.secret) {
				t.Errorf("masked lines show the secret:\n%s", strings.Join(masked, "\n"))
			}
			if got, want := len(masked), len(lines(test.text)); got != want {
				t.Errorf("got %d masked lines, want %d", got, want)
			}
		})
	}
}

// Examples, references and stand-ins are not secrets.
func TestScanExamples(t *testing.T) {
	for name, text := range map[string]string{
		"PEM with dots":      "-----BEGIN RSA PRIVATE KEY-----\nMIIE...\n-----END RSA PRIVATE KEY-----",
		"PEM cut off":        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n-----END RSA PRIVATE KEY-----",
		"PEM header alone":   "grep -- '-----BEGIN PRIVATE KEY-----' file",
		"certificate":        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
		"age pattern":        "AGE-SECRET-KEY-1XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
		"age recipient":      "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
		"URL":                "https://example.com:8080/a@b",
		"URL with reference": "postgres://app:${PASSWORD}@db and https://{{ .user }}:{{ .pass }}@h",
		"URL with stand-in":  "postgres://user:password@localhost, amqp://guest:<password>@mq, redis://x:%s@h",
		"URL in code":        `fmt.Sprintf("https://%s:%s@%s", u, p, h) + "postgresql://{}:{}@db"`,
		"auth of nothing":    `{"auth": "Ym9i"}, {"auth": "enabled1"}`,
	} {
		if got := check(t, seal(t, memTree{"notes.txt": text})); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestScanEnv(t *testing.T) {
	text := `apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop}
spec:
  template:
    spec:
      containers:
      - env:
        - {name: DB_PASSWORD, value: c4nary}
        - {name: API_KEY, value: "c4nary"}
        - {name: ALLOW_EMPTY_PASSWORD, value: "yes"}
        - {name: DB_PASSWORD_FILE, value: c4nary}
        - {name: TLS_PRIVATE_KEY, value: /etc/tls/tls.key}
        - {name: APP_SECRET, value: app-secret}
        - {name: AUTH_TOKEN, value: $(TOKEN)}
        - {name: ADMIN_PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}
        - {name: GOOGLE_API_KEY, value: GOOGLE_API_KEY_VAL}
        - {name: SSL_MODE, value: require}
`
	s := seal(t, memTree{"d.yaml": text})
	got := strings.Join(check(t, s), "\n")
	want := "secret-plaintext d.yaml:9:38 /spec/template/spec/containers/0/env/0/value\n" +
		"secret-plaintext d.yaml:10:34 /spec/template/spec/containers/0/env/1/value"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if masked := s.Masked("d.yaml"); strings.Contains(masked[8]+masked[9], canary) || !strings.Contains(masked[8], dots) {
		t.Errorf("masked lines show the value:\n%s\n%s", masked[8], masked[9])
	}
}

func TestParseAgeRecipient(t *testing.T) {
	x25519 := "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
	for id, want := range map[string]RecipientKind{
		x25519:                       AgeX25519,
		strings.ToUpper(x25519):      unknownKind,
		x25519[:len(x25519)-1] + "q": unknownKind,
		"age1":                       unknownKind,
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmuHpsd9oSE0Ihm0sDJ5KkKlqQIWkoFT7sVGFVyrkSr": AgeSSH,
		"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJmuHpsd9oSE0Ihm0sDJ5KkKlqQIWkoFT7sVGFVyrkSr":     unknownKind,
	} {
		if got := parseAgeRecipient(id); got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
	}
}
