package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/secrets"
)

func someInventory() *gate.Inventory {
	use := func(target, name, pointer string) gate.SecretUse {
		return gate.SecretUse{Target: target, Object: finding.Object{APIVersion: "v1", Kind: "Secret", Namespace: "shop", Name: name}, Pointer: pointer}
	}
	return &gate.Inventory{
		Files: []gate.EncryptedFile{
			{
				Path: "apps/db.yaml", Format: secrets.YAML, Rule: &secrets.CreationRule{PathRegex: "apps/.*"}, Values: 2,
				Recipients: []secrets.Recipient{
					{Kind: secrets.AgeX25519, ID: "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"},
					{Kind: secrets.PGP, ID: "85D77543B3D624B6"},
				},
				Changed: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Age: 25 * time.Hour,
				Uses: []gate.SecretUse{use("prod", "db", "/data/a"), use("prod", "db", "/data/b"), use("prod", "db-copy", "/stringData/a")},
			},
			{Path: "x\x1b[31m.env", Format: secrets.Dotenv, Values: 1},
		},
		NotRendered: []string{"dev"},
	}
}

// A narrow terminal gets the uses below each file; a pipe gets one line a file.
func TestWriteSecrets(t *testing.T) {
	for name, test := range map[string]struct {
		tty  bool
		want string
	}{
		"pipe": {false, `
FILE          FORMAT  RULE     RECIPIENTS                                   VALUES  CHANGED             USED BY
apps/db.yaml  yaml    apps/.*  age age1zvkyg2…unujwj, pgp 85D77543B3D624B6  2       2026-01-02 (1 day)  prod: Secret shop/db data.a, data.b; prod: Secret shop/db-copy stringData.a
`},
		"terminal": {true, `
FILE          FORMAT  RULE     RECIPIENTS                                   VALUES  CHANGED
apps/db.yaml  yaml    apps/.*  age age1zvkyg2…unujwj, pgp 85D77543B3D624B6  2       2026-01-02 (1 day)
    prod: Secret shop/db data.a, data.b
    prod: Secret shop/db-copy stringData.a
`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := writeSecrets(&streams{out: &out, outTTY: test.tty}, someInventory()); err != nil {
				t.Fatal(err)
			}
			words := func(text string) string {
				var lines []string
				for line := range strings.Lines(strings.TrimPrefix(text, "\n")) {
					lines = append(lines, strings.Join(strings.Fields(line), " "))
				}
				return strings.Join(lines, "\n")
			}
			got := words(out.String())
			if want := words(test.want); !strings.HasPrefix(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Error("a path reaches the terminal as it is")
			}
			for _, line := range []string{"none none 1 not committed", "nothing", "not rendered, so its uses are not known: dev"} {
				if !strings.Contains(got, line) {
					t.Errorf("got\n%s\nwithout %q", got, line)
				}
			}
		})
	}
}
