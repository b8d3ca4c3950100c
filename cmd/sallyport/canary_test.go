package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/report"
	"github.com/sallyport/sallyport/testdata/peer"
)

// canaries are the secret values of the fixture. Each is unique, so that any
// output that holds one, in any form, is a leak and says which.
var canaries = map[string]string{
	"sealed stringData":     "canary-sealed-7f3a91c2&x",
	"sealed data":           "canary-data-51bb08de/y",
	"sealed env file":       "canary-env-93c7ae14=z",
	"plain stringData":      "canary-plain-0c4d8e77?a",
	"plain data":            "canary-plaindata-a1f27b60+b",
	"plain literal":         "canary-literal-6e0b93d5",
	"plain env":             "canary-genenv-d2c85f19",
	"plain file":            "canary-genfile-48a7e3b0",
	"plain patch":           "canary-patch-ef61702c",
	"plain inline patch":    "canary-inline-3b9d4a68",
	"plain container env":   "canary-containerenv-15ce7fa2",
	"plain in broken yaml":  "canary-broken-c80f6d3e",
	"plain in wrong type":   "canary-type-7d2e9b41",
	"plain duplicate":       "canary-duplicate-04fb8c95",
	"plain block scalar":    "canary-block-b6a3d017",
	"plain in list":         "canary-list-592fe8c4",
	"plain URL":             "canary-url-8e13ab7d",
	"plain bad base64":      "canary-notbase64-!f7a05c",
	"plain Helm value":      "canary-helm-d94c20f6",
	"plain age identity":    "AGE-SECRET-KEY-1QQPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQCANARY",
	"plain in json":         "canary-json-2ab96e8f",
	"plain in anchor":       "canary-anchor-6cd17f04",
	"plain in annotation":   "canary-lastapplied-e3587b9a",
	"plain replaced":        "canary-replaced-90f4c2d1",
	"plain in a comment":    "canary-comment-f5b83a16",
	"plain yaml in a value": "canary-nested-1d7ec4a8",
	"beside auth":           "canary-beside-3a70e9d2",
	"beside auth, token":    "canary-identity-b81c56f4",
	"literal without a key": "canary-nokey-e27d09b3",
	"argument":              "canary-argument-74fa2c1d",
	"argument, next item":   "canary-nextitem-0be96d58",
	"command":               "canary-command-c35817ea",
	"plain despite sops":    "canary-despite-96d4b02f",
	"plain env despite":     "canary-envdespite-2f08c7a5",
	"plain config key":      "canary-config-8b1e07d3",
	"plain config literal":  "canary-configliteral-27fa",
	"plain config env":      "canary-configenv-c3069be1",
	"plain env by patch":    "canary-envpatch-74d0a95c",
	"plain chart text":      "canary-charttext-0fe2b68a",
	"plain values file":     "canary-valuesfile-5d38c71f",
	"plain in SecretList":   "canary-secretlist-e92b40a6",
	"plain password of CR":  "canary-custom-617fd8c0",
}

// TestCanary runs every command in every format over a repository full of
// secrets, right and wrong, and holds that none of them is printed: raw, in
// base64, hexadecimal or URL form, whole or as the line it stands on.
func TestCanary(t *testing.T) {
	t.Chdir(canaryRepository(t))
	runs := [][]string{
		{"targets"}, {"targets", "-o", "json"}, {"targets", "-v", "-o", "dot"}, {"secrets"}, {"secrets", "-o", "json"},
		{"policy", "test"}, {"explain"}, {"version"}, {"seal", "--dry-run", "plain/secret.yaml"}, {"seal", "broken/secret.yaml"},
	}
	for _, f := range report.Formats() {
		runs = append(runs, []string{"check", "-o", f}, []string{"check", "-o", f, "--color", "always", "-v", "--strict"})
	}
	for _, target := range []string{"good", "bad", "generated", "broken", "patched", "replaced", "plain", "duplicate", "wrongtype", "named"} {
		runs = append(runs, []string{"render", target}, []string{"check", target, "-o", "text"})
	}
	for _, args := range runs {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			s, out, errs := world(nil)
			code := run(context.Background(), s, args)
			if args[0] == "render" && code != 0 && args[1] != "broken" && args[1] != "duplicate" && args[1] != "wrongtype" {
				t.Errorf("%v exits with %d: %s", args, code, errs)
			}
			for name, output := range map[string]string{"stdout": out.String(), "stderr": errs.String()} {
				for what, value := range canaries {
					for form, text := range forms(value) {
						if strings.Contains(output, text) {
							t.Errorf("%s of %v holds the %s value, %s", name, args, what, form)
						}
					}
				}
			}
			if out.Len() == 0 && errs.Len() == 0 {
				t.Errorf("%v printed nothing, so this proves nothing", args)
			}
		})
	}
}

// forms are the ways in which a value could come out. A tail of the value counts
// too: an error that cuts it short is still a leak.
func forms(value string) map[string]string {
	return map[string]string{
		"raw":             value,
		"in part":         value[len(value)-8:],
		"in base64":       strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(value)), "="),
		"in base64 (URL)": strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(value)), "="),
		"in hexadecimal":  hex.EncodeToString([]byte(value)),
		"in URL form":     url.QueryEscape(value),
	}
}

func canaryRepository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	b64 := func(name string) string { return base64.StdEncoding.EncodeToString([]byte(canaries[name])) }
	secret := func(name, body string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\n  namespace: shop\n" + body
	}
	files := map[string]string{
		"good/kustomization.yaml": "resources: [sealed.yaml]\nsecretGenerator:\n  - name: env\n    envs: [sealed.env]\n",
		"good/sealed.yaml": secret("sealed", "stringData:\n  password: "+canaries["sealed stringData"]+
			"\ndata:\n  token: "+b64("sealed data")+"\n"),
		"good/sealed.env": "PASSWORD=" + canaries["sealed env file"] + "\n",

		"bad/kustomization.yaml": "resources: [plain.yaml, list.yaml, pod.yaml, json.json, badbase64.yaml, helm.yaml]\n",
		"bad/plain.yaml": secret("plain", "stringData:\n  password: "+canaries["plain stringData"]+
			" # "+canaries["plain in a comment"]+
			"\n  block: |\n    first\n    "+canaries["plain block scalar"]+
			"\n  nested: |\n    db:\n      password: "+canaries["plain yaml in a value"]+
			"\n  anchored: &a "+canaries["plain in anchor"]+"\n  again: *a\ndata:\n  token: "+b64("plain data")+"\n"),
		"bad/list.yaml": "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n    metadata:\n      name: listed\n" +
			"      annotations:\n        kubectl.kubernetes.io/last-applied-configuration: |\n          {\"stringData\":{\"p\":\"" + canaries["plain in annotation"] + "\"}}\n" +
			"    stringData: {password: " + canaries["plain in list"] + "}\n",
		"bad/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n  containers:\n    - name: web\n      image: web:1\n      args: [\"--password=" + canaries["argument"] +
			"\"]\n      env:\n" +
			"        - name: DB_PASSWORD\n          value: " + canaries["plain container env"] +
			"\n        - name: DATABASE_URL\n          value: postgres://shop:" + canaries["plain URL"] + "@db/shop\n",
		"bad/json.json":      `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"j"},"stringData":{"password":"` + canaries["plain in json"] + `"}}`,
		"bad/badbase64.yaml": secret("badbase64", "data:\n  token: \""+canaries["plain bad base64"]+"\"\n"),
		"bad/helm.yaml": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: h, namespace: shop}\nspec:\n  values:\n    auth:\n      password: " +
			canaries["plain Helm value"] + "\n",

		"generated/kustomization.yaml": "secretGenerator:\n  - name: g\n    literals: [password=" + canaries["plain literal"] +
			"]\n    envs: [g.env]\n    files: [g.txt]\n",
		"arguments/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n  containers:\n    - name: web\n      image: web:1\n" +
			"      command:\n        - --token\n        - " + canaries["argument, next item"] + "\n        - PGPASSWORD=" + canaries["command"] + " psql\n" +
			"      env: [{name: DB_PASSWORD, value: " + canaries["plain container env"] + "}]\n",
		"nokey/kustomization.yaml": "secretGenerator:\n  - name: g\n    literals:\n      - " + canaries["literal without a key"] +
			"\n      - password=" + canaries["plain literal"] + "\n",

		"despite/kustomization.yaml": "resources: [docker.yaml]\nsecretGenerator:\n  - name: g\n    envs: [d.env]\n    files: [d.yaml]\n",
		"despite/d.yaml":             "password: " + canaries["plain despite sops"] + "\n",
		"despite/d.env":              "PASSWORD=" + canaries["plain env despite"] + "\n",
		"despite/docker.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d, namespace: shop}\ndata:\n  config: '{\"auths\":{\"r\":{\"auth\":\"" +
			base64.StdEncoding.EncodeToString([]byte("user:"+canaries["beside auth"])) + "\",\"password\":\"" + canaries["beside auth"] +
			"\",\"identitytoken\":\"" + canaries["beside auth, token"] + "\"}}}'\n",

		"generated/g.env": "TOKEN=" + canaries["plain env"] + "\n",
		"generated/g.txt": canaries["plain file"] + "\n",

		"broken/kustomization.yaml": "resources: [secret.yaml]\n",
		"broken/secret.yaml":        secret("broken", "stringData:\n  password: "+canaries["plain in broken yaml"]+"\n  other: \"unterminated\n"),

		"wrongtype/kustomization.yaml": "resources: [secret.yaml]\n",
		"wrongtype/secret.yaml":        secret("wrongtype", "stringData:\n  password: {nested: "+canaries["plain in wrong type"]+"}\n"),

		"duplicate/kustomization.yaml": "resources: [secret.yaml]\n",
		"duplicate/secret.yaml":        secret("duplicate", "stringData:\n  password: "+canaries["plain duplicate"]+"\n  password: again\n"),

		"patched/kustomization.yaml": "resources: [secret.yaml]\npatches:\n  - path: patch.yaml\n  - target: {kind: Secret, name: base}\n    patch: |-\n" +
			"      - op: add\n        path: /stringData/inline\n        value: " + canaries["plain inline patch"] + "\n",
		"patched/secret.yaml": secret("base", "stringData:\n  user: \"${USER}\"\n"),
		"patched/patch.yaml":  secret("base", "stringData:\n  password: "+canaries["plain patch"]+"\n"),

		"replaced/kustomization.yaml": "resources: [secret.yaml, config.yaml]\nreplacements:\n  - source: {kind: Secret, fieldPath: stringData.password}\n" +
			"    targets:\n      - select: {kind: ConfigMap}\n        fieldPaths: [data.copy]\n        options: {create: true}\n",
		"replaced/secret.yaml": secret("source", "stringData:\n  password: "+canaries["plain replaced"]+"\n"),
		"replaced/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config, namespace: shop}\ndata: {copy: x}\n",

		"named/kustomization.yaml": "resources: [web.yaml, config.yaml, app.yaml, custom.yaml]\nconfigMapGenerator:\n  - name: g\n    literals: [api-token=" +
			canaries["plain config literal"] + "]\n    envs: [g.env]\n    files: [values.yaml]\npatches:\n  - target: {kind: Pod}\n    patch: |-\n" +
			"      - op: replace\n        path: /spec/containers/0/env/0/value\n        value: " + canaries["plain env by patch"] + "\n",
		"named/web.yaml":    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      env: [{name: DB_PASSWORD, value: x}]\n",
		"named/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {DB_PASSWORD: " + canaries["plain config key"] + "}\n",
		"named/g.env":       "DB_PASSWORD=" + canaries["plain config env"] + "\n",
		"named/values.yaml": "db: {password: " + canaries["plain values file"] + "}\n",
		"named/app.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: app}\nspec:\n  source:\n    helm:\n      values: |\n        db:\n          password: " +
			canaries["plain chart text"] + "\n",
		"named/custom.yaml":      "apiVersion: example.com/v1\nkind: Registry\nmetadata: {name: r}\nspec: {db: {password: " + canaries["plain password of CR"] + "}}\n",
		"listed/secretlist.yaml": "apiVersion: v1\nkind: SecretList\nitems:\n  - metadata: {name: l}\n    stringData: {password: " + canaries["plain in SecretList"] + "}\n",

		"plain/secret.yaml": secret("loose", "stringData:\n  password: "+canaries["plain stringData"]+"\n"),
		"notes/key.txt":     "# created: today\n" + canaries["plain age identity"] + "\n",
	}
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recipient, _ := peer.NewAgeKey(t)
	peer.Encrypt(t, recipient, filepath.Join(dir, "good/sealed.yaml"), "--encrypted-regex", "^(data|stringData)$")
	peer.Encrypt(t, recipient, filepath.Join(dir, "good/sealed.env"))
	for _, name := range []string{"despite/d.yaml", "despite/d.env"} {
		peer.Encrypt(t, recipient, filepath.Join(dir, name), "--encrypted-regex", "^(data|stringData)$")
	}
	return dir
}
