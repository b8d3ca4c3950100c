package validate

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/source"
)

// decode parses one YAML document.
func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	file, err := source.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	value, err := source.Decode(file.Docs[0].Root)
	if err != nil {
		t.Fatal(err)
	}
	return value.(map[string]any)
}

// say writes problems one on a line, "pointer: message (help)".
func say(problems []problem) []string {
	var out []string
	for _, p := range problems {
		line := p.pointer() + ": " + p.message
		if p.help != "" {
			line += " (" + p.help + ")"
		}
		out = append(out, line)
	}
	return out
}

// TestMessages pins the words for each way to be wrong. The object's values,
// which all contain "canary", must not be quoted.
func TestMessages(t *testing.T) {
	schema := decode(t, `
type: object
required: [kind]
additionalProperties: false
properties:
  kind: {type: string}
  replicas: {type: [integer, "null"]}
  policy: {type: string, enum: [Always, IfNotPresent, Never]}
  one: {enum: [v1]}
  port: {oneOf: [{type: [string, "null"]}, {type: [integer, "null"]}]}
  size: {oneOf: [{type: string}, {type: number}]}
  labels: {type: object, additionalProperties: {type: string}}
  data: {type: object, additionalProperties: {type: string, format: byte}}
  when: {type: string, format: date-time}
  wait: {type: string, format: duration}
  address: {type: string, format: ipv4}
  list: {type: array, minItems: 1, maxItems: 2, uniqueItems: true, items: {type: object, required: [name, image], properties: {name: {type: string}, image: {type: string}}}}
  low: {type: integer, minimum: 0, maximum: 10}
  ratio: {type: number, minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true}
  even: {multipleOf: 2}
  word: {type: string, minLength: 2, maxLength: 12, pattern: "^[a-z]+$"}
  some: {minProperties: 1, maxProperties: 2}
  backend: {type: object, oneOf: [{required: [service]}, {required: [resource]}], properties: {service: {type: string}, resource: {type: string}}}
  rule: {anyOf: [{type: object, required: [allow], properties: {allow: {type: string}, deny: {type: string}}}, {type: array}]}
  tagged:
    oneOf:
      - {type: object, required: [type], properties: {type: {enum: [a]}, x: {type: integer}}}
      - {type: object, required: [type], properties: {type: {enum: [b]}, y: {type: integer}}}
  needs: {type: object, dependencies: {a: [b]}}
  never: {not: {}}
  apart: {type: object, not: {required: [a, b]}}
`)
	s, err := compile("test:///schema", any(schema), refuse)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		in   string
		want []string
	}{
		{"kind: a", nil},
		{"replicas: 1", []string{": kind is required"}},
		{"{kind: a, replicas: canary}", []string{"/replicas: replicas must be an integer or null, not a string"}},
		{"{kind: a, replicas: '3'}", []string{"/replicas: replicas must be an integer or null, not a string (leave out the quotes)"}},
		{"{kind: a, replicas: 1.5}", []string{"/replicas: replicas must be an integer or null, not a number"}},
		{"{kind: 1}", []string{"/kind: kind must be a string, not a number (put the value in quotes, so that YAML reads it as a string)"}},
		{"{kind: a, replica: canary}", []string{`/replica: unknown field "replica" (did you mean replicas?)`}},
		{"{kind: a, Labels: {}}", []string{`/Labels: unknown field "Labels" (did you mean labels?)`}},
		{"{kind: a, canaries: 1, zzz: 2}", []string{`/canaries: unknown field "canaries"`, `/zzz: unknown field "zzz"`}},
		{"{kind: a, policy: allwayscanary}", []string{"/policy: policy must be one of Always, IfNotPresent, Never"}},
		{"{kind: a, one: canary}", []string{"/one: one must be v1"}},
		{"{kind: a, port: [canary]}", []string{"/port: port must be a string, an integer or null, not a list"}},
		{"{kind: a, port: null}", []string{"/port: port must be a string or an integer, not null"}},
		{"{kind: a, size: {a: canary}}", []string{"/size: size must be a string or a number, not a mapping"}},
		{"{kind: a, labels: {app.io/x: true}}", []string{`/labels/app.io~1x: labels["app.io/x"] must be a string, not a boolean (put the value in quotes, so that YAML reads it as a string)`}},
		{"{kind: a, data: {k: canary!}}", []string{"/data/k: data.k must be base64 (encode the value; in a Secret, stringData takes it as it is)"}},
		{"{kind: a, data: {k: Y2FuYXJ5}}", nil},
		{"{kind: a, when: canary}", []string{"/when: when must be a date and time such as 2027-01-31T12:00:00Z"}},
		{"{kind: a, wait: 1h30m}", nil},
		{"{kind: a, wait: canary}", []string{"/wait: wait must be a duration such as 1h30m"}},
		{"{kind: a, address: canary}", []string{"/address: address must be an IPv4 address"}},
		{"{kind: a, list: []}", []string{"/list: list must have at least 1 item"}},
		{"{kind: a, list: [{name: canary}]}", []string{"/list/0: list[0].image is required"}},
		{"{kind: a, list: [{}]}", []string{"/list/0: list[0].image is required", "/list/0: list[0].name is required"}},
		{"{kind: a, list: [{name: x, image: y}, {name: x, image: y}]}", []string{"/list: list must not repeat itself, and items 0 and 1 are equal"}},
		{"{kind: a, low: -1}", []string{"/low: low must be at least 0"}},
		{"{kind: a, low: 11}", []string{"/low: low must be at most 10"}},
		{"{kind: a, ratio: 0}", []string{"/ratio: ratio must be more than 0"}},
		{"{kind: a, ratio: 1}", []string{"/ratio: ratio must be less than 1"}},
		{"{kind: a, even: 3}", []string{"/even: even must be a multiple of 2"}},
		{"{kind: a, word: c}", []string{"/word: word must have at least 2 characters"}},
		{"{kind: a, word: canarycanarycanary}", []string{"/word: word must have at most 12 characters"}},
		{"{kind: a, word: Canary}", []string{"/word: word must match the pattern ^[a-z]+$"}},
		{"{kind: a, some: {}}", []string{"/some: some must have at least 1 field"}},
		{"{kind: a, backend: {}}", []string{"/backend: backend needs service or resource"}},
		{"{kind: a, backend: {service: canary, resource: canary}}", []string{"/backend: backend may hold only one of resource, service"}},
		{"{kind: a, rule: {allow: 1}}", []string{"/rule/allow: rule.allow must be a string, not a number (put the value in quotes, so that YAML reads it as a string)"}},
		{"{kind: a, rule: {deny: []}}", []string{"/rule: rule.allow is required", "/rule/deny: rule.deny must be a string, not a list"}},
		{"{kind: a, rule: canary}", []string{"/rule: rule must be a mapping or a list, not a string"}},
		{"{kind: a, tagged: {type: b, y: canary}}", []string{"/tagged/y: tagged.y must be an integer, not a string"}},
		{"{kind: a, needs: {a: canary}}", []string{"/needs: needs.b is required where a is set"}},
		{"{kind: a, apart: {a: canary, b: canary}}", []string{"/apart: apart must not have a and b together"}},
		{"{kind: a, never: canary}", []string{"/never: never has a form that its schema forbids"}},
	} {
		for range 5 { // the engine walks maps: the order must not follow
			got := say(s.check(decode(t, test.in)))
			if !slices.Equal(got, test.want) {
				t.Fatalf("%s\n got %q\nwant %q", test.in, got, test.want)
			}
			if strings.Contains(strings.Join(got, ""), "canary") && !strings.Contains(strings.Join(got, ""), `"canaries"`) {
				t.Fatalf("%s: a value is quoted: %q", test.in, got)
			}
		}
	}
}

// TestNearest fixes what counts as a slip of the pen.
func TestNearest(t *testing.T) {
	fields := []string{"replicas", "selector", "template", "revisionHistoryLimit", "imagePullPolicy"}
	for word, want := range map[string]string{
		"replica": "replicas", "repliacs": "replicas", "imagepullpolicy": "imagePullPolicy",
		"revisionHistoryLimits": "revisionHistoryLimit", "zzz": "", "spec": "",
	} {
		if got := nearest(word, fields); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]bool{"1h30m": true, "0s": true, "1 day": true, "P1D": true, "1x": false, "soon": false} {
		if got := checkDuration(text) == nil; got != want {
			t.Errorf("checkDuration(%q) = %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]bool{
		"P1D": true, "PT1H": true, "P1DT2H3M": true, "P3W": true, "P": false, "PT": false, "P1DT": false, "PT1H1H": false,
		"P1M1Y": false, "P1": false, "PW": false, "PT1HT1M": false, "1h": false,
	} {
		if got := checkISODuration(text) == nil; got != want {
			t.Errorf("checkISODuration(%q) = %v, want %v", text, got, want)
		}
	}
}
