package secrets

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Files of settings are read by their names; what stands for a credential, and what
// is to be filled in, is silent.
func TestSettingsFiles(t *testing.T) {
	for _, test := range []struct{ path, text, want string }{
		{".env", "PORT=80\nexport DB_PASSWORD=canary1 # old\n", `2 "DB_PASSWORD"`},
		{".env", "DB_PASSWORD=${DB_PASSWORD}\nAPI_TOKEN=\nTOKEN_FILE=/run/token\n# DB_PASSWORD=canary1\n", ""},
		{".env.production", "DB_PASSWORD=changeme\n", `1 "DB_PASSWORD"`},
		{".env.example", "DB_PASSWORD=changeme\nTOKEN=your-token-here\n", ""},
		{".env.example", "DB_PASSWORD=canary1\n", `1 "DB_PASSWORD"`},
		{"app.example.env", "DB_PASSWORD=<password>\n", ""},
		{"prod.tfvars", "db_password = \"canary1\"\n", `1 "db_password"`},
		{"prod.tfvars", "db_password = var.password\nsecret_name = \"db\"\n", ""},
		{"app.toml", "[db]\npassword = \"canary1\"\n[tools]\n\"1password-cli\" = \"2.35.0\"\n", `2 "password"`},
		{"app.ini", "password=canary1 ; old\n", `1 "password"`},
		{"app.properties", "db.password=canary1\n", `1 "db.password"`},
		{"messages_de.properties", "login.password=Passwort\n", ""},
		{".pypirc", "[pypi]\nusername = __token__\npassword = canary1\n", `3 "password"`},
		{".npmrc", "//registry.npmjs.org/:_authToken=canary1x2y\n", `1 "_authToken"`},
		{".npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nregistry=https://r.example\n", ""},
		{".npmrc", "_auth=bWU6Y2FuYXJ5MQ==\n", `1 "_auth"`},
		{".netrc", "machine github.com\n  login me\n  password canary1\n", `3 "password"`},
		{".netrc", "machine github.com login me password $TOKEN\n", ""},
		{".env", "DB_PASSWORD=\"canary1\" # old\nB_TOKEN='canary1x2' ; x\n", `1 "DB_PASSWORD", 2 "B_TOKEN"`},
		{".env", "\ufeffDB_PASSWORD=canary1\r\n", `1 "DB_PASSWORD"`},
		{".env", "_DB_PASSWORD=canary1\ndeclare -x DB_PASSWORD=canary1\n", `1 "_DB_PASSWORD", 2 "DB_PASSWORD"`},
		{".env", "DB_PASSWORD=\"canary horse battery\"\nLOGIN=\"Enter your password\"\n", `1 "DB_PASSWORD"`},
		{".env", "DB_PASSWORD=${{ secrets.DB }}\n", ""},
		{"app.toml", "db = { user = \"x\", password = \"canary1\" }\npassword = \"\"\"\ncanary1\"\"\"\n", `1 "password", 2 "password"`},
		{"app.toml", "password = \"Enter your password\"\ndb = { password = \"\" }\n", ""},
		{"db.tf", "variable \"db_password\" {\n  default = \"canary1\"\n}\n", `2 "db_password"`},
		{"db.tf", "resource \"a\" \"b\" {\n  password = random_password.db.result\n  token = var.token\n}\nvariable \"db_password\" {\n  sensitive = true\n}\n", ""},
		{"db.tf", "resource \"a\" \"b\" {\n  password = \"canary1\"\n}\n", `2 "password"`},
		{".pgpass", "db.example:5432:*:me:canary1\n#a:1:b:c:canary1\na:1:b:c:${PASSWORD}\n", `1 "password"`},
		{"compose.yaml", "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: canary1\n      DB_PASSWORD: ${DB_PASSWORD}\n", `4 "POSTGRES_PASSWORD"`},
		{"Dockerfile", "FROM a\nENV DB_PASSWORD=canary1\nARG TOKEN\n", `2 "DB_PASSWORD"`},
		{"notes.txt", "DB_PASSWORD=canary1\n", ""}, // prose
	} {
		found, err := seal(t, memTree{test.path: test.text}).CheckFiles(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprint(f.Location.Start.Line, " ", strings.Fields(f.Message)[1]))
			if f.Rule != rulePlaintext || strings.Contains(f.Message, "canary") {
				t.Errorf("%s: %v", test.path, f)
			}
		}
		slices.Sort(got)
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s %q: got %q, want %q", test.path, test.text, got, test.want)
		}
	}
}

// A mac over values that are not its own is found without a base; a copy is not.
func TestForeignMAC(t *testing.T) {
	a, b := generation(1, 11, 1), generation(2, 11, 1)
	check := func(tree memTree) (n int) {
		found, err := seal(t, tree).CheckReuse(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if f.Rule == ruleMetadata {
				n++
			}
		}
		return n
	}
	if n := check(memTree{"a.yaml": a, "b.yaml": b}); n != 1 {
		t.Errorf("the mac of another file: %d findings, want 1", n)
	}
	if n := check(memTree{"a.yaml": a, "b.yaml": strings.Replace(a, "name: db", "name: other", 1), "c.yaml": generation(2, 12, 1)}); n != 0 {
		t.Errorf("a copy: %d findings, want 0", n)
	}
}
