package gate

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestConfigErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "waiver: []\n", `.sallyport.yaml:1:1: unknown key "waiver"; did you mean "waivers"?`},
		{"unknown nested key", "targets:\n  includes: []\n", `.sallyport.yaml:2:3: unknown key "includes"; did you mean "include"?`},
		{"wrong type", "policies: policies/\n", `.sallyport.yaml:1:11: policies must be a list`},
		{"list", "- a\n", `.sallyport.yaml:1:1: the configuration must be a mapping`},
		{"wrong version", "apiVersion: v2\n", `.sallyport.yaml:1:13: apiVersion must be one of sallyport.dev/v1`},
		{"severity", "rules: {image-latest: {severity: fatal}}\n", `.sallyport.yaml:1:34: rules.image-latest.severity must be one of error, warning, off`},
		{"twice", "kind: Config\nkind: Config\n", `.sallyport.yaml:2:1: "kind" is set twice`},
		{"waiver without owner", "waivers:\n  - {rule: a, object: b, reason: c, expires: 2999-01-01}\n", `.sallyport.yaml:2:5: waivers[0].owner is required`},
		{"waiver of everything", "waivers:\n  - {rule: a, reason: c, owner: d, expires: 2999-01-01}\n", `.sallyport.yaml:2:5: a waiver needs an object, a path or a fingerprint`},
		{"waiver date", "waivers:\n  - {rule: a, object: b, reason: c, owner: d, expires: soon}\n", `.sallyport.yaml:2:56: expires must be a date, YYYY-MM-DD`},
		{"pattern", "targets: {include: [\"a[\"]}\n", `.sallyport.yaml:1:21: not a valid pattern`},
		{"second document", "kind: Config\n---\nkind: Config\n", `.sallyport.yaml:3:1: a second document`},
		{"no YAML", "a: [\n", `.sallyport.yaml:`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseConfig(ConfigName, ConfigName, []byte(c.text))
			var usage *UsageError
			if !errors.As(err, &usage) {
				t.Fatalf("got %v, want a usage error", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

// TestConfigExample holds that the documented example is accepted, and that
// versions may be written as numbers.
func TestConfigExample(t *testing.T) {
	cfg, err := parseConfig(ConfigName, ConfigName, []byte(configExample))
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Waivers) != 1 || cfg.Waivers[0].span.Start.Line == 0 {
		t.Errorf("waivers: %+v", cfg.Waivers)
	}
	cfg, err = parseConfig(ConfigName, ConfigName, []byte("kubernetesVersions: [1.30]\n"))
	if err != nil || cfg.KubernetesVersions[0] != "1.30" {
		t.Errorf("versions %v, %v", cfg.KubernetesVersions, err)
	}
}

// TestConfigSchema holds that the published schema is the one of the code. Run
// make docs to write it anew.
func TestConfigSchema(t *testing.T) {
	published, err := os.ReadFile("../docs/sallyport.schema.json")
	if err != nil || !bytes.Equal(published, ConfigSchema()) {
		t.Errorf("docs/sallyport.schema.json is not what the code says: run make docs (%v)", err)
	}
}
