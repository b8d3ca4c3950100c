package gate

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
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
		{"number", "apply: {prune: {count: some}}\n", `.sallyport.yaml:1:24: apply.prune.count must be a whole number, 0 or more`},
		{"duration", "apply: {health: {timeout: 5}}\n", `.sallyport.yaml:1:27: apply.health.timeout must be a duration, such as 90s or 5m`},
		{"heal", "apply: {drift: {heal: yes}}\n", `.sallyport.yaml:1:23: apply.drift.heal must be one of never, always, listed`},
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

// TestApplyExample holds that the example of docs/apply.md is accepted.
func TestApplyExample(t *testing.T) {
	page, err := os.ReadFile("../docs/apply.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	cfg, err := parseConfig(ConfigName, ConfigName, []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Apply.Source.Ref != "main" || len(cfg.Apply.Smoke) != 1 {
		t.Errorf("%+v", cfg.Apply)
	}
}

func TestConfigNumbers(t *testing.T) {
	cfg, err := parseConfig(ConfigName, ConfigName, []byte("apply: {prune: {count: 7}, health: {timeout: 1m30s}, smoke: [{name: a, url: http://a, status: [200, 204]}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Apply.Prune.Count != 7 || cfg.Apply.Health.Timeout != 90*time.Second || !slices.Equal(cfg.Apply.Smoke[0].Status, []int{200, 204}) {
		t.Errorf("%+v", cfg.Apply)
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
