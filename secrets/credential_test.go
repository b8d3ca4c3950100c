package secrets

import (
	"strings"
	"testing"
)

// What is named like a credential and is none is let through; what is one is not.
func TestIsLiteralSecret(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"password", "changeme", true}, {"DB_PASSWORD", "hunter2", true}, {"rootPass", "12345678", true}, {"auth.password", "s3cret pass", true},
		{"apiKey", "0a1b2c3d4e5f60718293a4b5", true}, {"api-token", "canary-hidden-7", true}, {"clientSecret", "bacon", true}, {"SECRET_KEY", "38fe94df-115c-4096-91ec-b6e16ce3a01f", true},
		{"token", "true", false}, {"token", "3600", false}, {"token", "24h", false}, {"password", "", false}, {"password", "null", false},
		{"password", "${DB_PASSWORD}", false}, {"password", "${DB_PASSWORD:=hunter2}", true}, {"password", "$(DB_PASSWORD)", false}, {"password", "{{ .Values.password }}", false},
		{"password", "op://vault/db/password", false}, {"password", "vault:secret/data/db#password", false}, {"clientSecret", "$oidc.github.clientSecret", false},
		{"password", "<password>", false}, {"password", "DB_PASSWORD_VALUE", false}, {"token", "/var/run/secrets/token", false}, {"apiKey", "https://keys.example/v1", false},
		{"existingSecret", "db", false}, {"secret", "db-credentials", false}, {"tlsSecret", "web-tls", false}, {"secretKey", "admin-password", false}, {"secret", "wildcard.example.org", false},
		{"passwordSecretName", "hunter2", false}, {"passwordKey", "hunter2", false}, {"tokenFile", "hunter2", false}, {"TOKEN_PATH", "hunter2", false}, {"passwordLength", "16", false},
		{"checksum/secret", "9f86d081884c7d659a2feaa0c55ad015", false}, {"trustStorePassword", "changeit", false}, {"token", "sha256:9f86d081884c7d65", false},
	} {
		if got := namesCredential(test.name) && isLiteralSecret(test.name, test.text); got != test.want {
			t.Errorf("%s: %s: %t, want %t", test.name, test.text, got, test.want)
		}
	}
}

// Every place for credentials in the open is looked at, in files and in texts
// inside them, and none is shown.
func TestCredentials(t *testing.T) {
	const secret = "c4nary-7f3a91c2"
	head := func(api, kind string) string {
		return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: x}\n"
	}
	argo := head("argoproj.io/v1alpha1", "Application") + "spec:\n  source:\n    helm:\n"
	kustomization := func(text string) memTree { return memTree{"kustomization.yaml": text} }
	for name, tree := range map[string]memTree{
		"ConfigMap":            {"a.yaml": head("v1", "ConfigMap") + "data:\n  level: info\n  api-token: " + secret + "\n"},
		"HelmRelease":          {"a.yaml": head("helm.toolkit.fluxcd.io/v2", "HelmRelease") + "spec:\n  values:\n    a: [{auth: {password: " + secret + "}}]\n"},
		"item of a list":       {"a.yaml": "apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n  metadata: {name: x}\n  data: {DB_PASSWORD: " + secret + "}\n"},
		"anchor":               {"a.yaml": head("v1", "ConfigMap") + "x: &x {DB_PASSWORD: " + secret + "}\ndata: *x\n"},
		"Application object":   {"a.yaml": argo + "      valuesObject: {db: {password: " + secret + "}}\n"},
		"Application text":     {"a.yaml": argo + "      values: |\n        db:\n          password: " + secret + "\n"},
		"Application folded":   {"a.yaml": argo + "      values: \"db: {password: " + secret + "}\"\n"},
		"Application variable": {"a.yaml": argo + "      parameters:\n      - {name: db.password, value: " + secret + "}\n"},
		"HelmChart":            {"a.yaml": head("helm.cattle.io/v1", "HelmChart") + "spec:\n  valuesContent: |\n    adminPassword: " + secret + "\n"},
		"values file":          {"chart/values-prod.yaml": "db:\n  password: " + secret + "\n"},
		"values in line":       kustomization("helmCharts:\n- name: x\n  valuesInline: {db: {password: " + secret + "}}\n"),
		"literal":              kustomization("configMapGenerator:\n- name: x\n  literals: [api-token=" + secret + "]\n"),
		"env file":             {"kustomization.yaml": "configMapGenerator:\n- name: x\n  envs: [x.env]\n", "x.env": "DB_PASSWORD=" + secret + "\n"},
		"patch":                kustomization("patches:\n- patch: |-\n" + indent("kind: Pod\nmetadata: {name: x}\nspec: {containers: [{env: [{name: A_TOKEN, value: "+secret+"}]}]}\n", "    ")),
		"JSON patch":           kustomization("patches:\n- patch: |-\n" + indent("- op: add\n  path: /spec/containers/0/env/-\n  value: {name: A_TOKEN, value: "+secret+"}\n", "    ")),
		"password of a CR":     {"a.yaml": head("example.com/v1", "Registry") + "spec:\n  db: {password: " + secret + "}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := seal(t, tree)
			if got := check(t, s); len(got) != 1 || !strings.HasPrefix(got[0], rulePlaintext) {
				t.Errorf("got %q", got)
			}
			for path, text := range tree {
				masked := strings.Join(s.Masked(path), "\n")
				if strings.Contains(masked, canary) || strings.Count(masked, "\n") != strings.Count(strings.TrimSuffix(text, "\n"), "\n") {
					t.Errorf("masked:\n%s", masked)
				}
			}
		})
	}
}

// The items of a SecretList are Secrets without saying so.
func TestSecretList(t *testing.T) {
	s := seal(t, memTree{"s.yaml": "apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: x}\n  stringData: {password: c4nary}\n"})
	if got := strings.Join(check(t, s), "\n"); got != "secret-plaintext s.yaml:5:26 /stringData/password" {
		t.Errorf("got %s", got)
	}
	if strings.Contains(read(t, s, "s.yaml"), canary) {
		t.Error("the value is not sealed")
	}
}

// The token of a value takes the tag away that would decode it.
func TestBinaryTag(t *testing.T) {
	s := seal(t, memTree{"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData:\n  password: !!binary YzRuYXJ5\n"})
	if text := read(t, s, "s.yaml"); strings.Contains(text, "!!binary") || !strings.Contains(text, "password:          "+plainPrefix) {
		t.Errorf("sealed as\n%s", text)
	}
}

// Many credentials in one file take time linear in their number.
func TestManyCredentials(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes in one goroutine")
	}
	const n = 50_000
	s := seal(t, memTree{"values.yaml": "all:\n" + strings.Repeat("- password: c4nary\n", n)})
	if got := check(t, s); len(got) != n {
		t.Errorf("%d findings, want %d", len(got), n)
	}
	if strings.Contains(strings.Join(s.Masked("values.yaml"), "\n"), canary) {
		t.Error("a masked line shows a value")
	}
}
