package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/policies"
)

// file is a policy directory of one file.
func file(text string) Options {
	return Options{Sources: []Source{{Path: "policy/p.rego", Data: []byte(text)}}}
}

func load(t testing.TB, opts Options) *Set {
	t.Helper()
	set, err := Load(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func messages(t testing.TB, set *Set, object map[string]any) []string {
	t.Helper()
	hits, err := set.evaluate(t.Context(), object)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, h := range hits {
		out = append(out, h.verdict.severity().String()+" "+h.verdict.id()+" "+h.pointer+" "+h.message)
	}
	return out
}

func TestNothingLoaded(t *testing.T) {
	set := load(t, Options{})
	if set.Len() != 0 || len(messages(t, set, map[string]any{"kind": "Pod"})) != 0 {
		t.Error("no policy gives findings")
	}
}

// Each definition of a rule has its own METADATA.
func TestMetadata(t *testing.T) {
	set := load(t, file(`# METADATA
# title: Package title
# description: Of the package.
# custom:
#   help: ask the owner
package main

# METADATA
# title: First
# custom:
#   id: first-rule
#   severity: warning
deny contains {"msg": "one", "pointer": "/metadata/name"} if true

# METADATA
# title: Second
# description: Of the rule.
# related_resources:
#   - ref: https://example.com/second
# custom:
#   id: team/second
#   severity: HIGH
#   help: do the second thing
deny contains {"msg": "two", "field": "/spec"} if true

warn contains "three" if true

deny_suffix contains {"msg": "four", "pointer": "not a pointer"} if true
`))
	want := []string{
		"warning first-rule /metadata/name one",
		"error main/deny_suffix  four",
		"warning main/warn  three",
		"error team/second /spec two",
	}
	if got := messages(t, set, nil); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	rules := set.Rules()
	if set.Len() != 4 || rules[0].Name != "first-rule" || rules[3].Name != "team/second" {
		t.Fatalf("rules: %+v", rules)
	}
	if first := rules[0]; first.Title != "First" || first.Doc != "Of the package." || first.Fix != "ask the owner" || first.Severity != finding.Warning {
		t.Errorf("first rule: %+v", first)
	}
	if second := rules[3]; second.Doc != "Of the rule.\n\nSee <https://example.com/second>." || second.Fix != "do the second thing" {
		t.Errorf("second rule: %+v", second)
	}
}

// v0 and v1 files load side by side.
func TestMixedVersions(t *testing.T) {
	set := load(t, Options{Sources: []Source{
		{Path: "policy/old.rego", Data: []byte("package main\n\ndeny[msg] {\n  msg := \"old\"\n}\n")},
		{Path: "policy/new.rego", Data: []byte("package main\n\ndeny contains \"new\" if true\n")},
		{Path: "policy/imported.rego", Data: []byte("package main\nimport future.keywords\n\ndeny contains msg { some msg in [\"future\"] }\n")},
	}})
	want := []string{"error main/deny  future", "error main/deny  new", "error main/deny  old"}
	if got := messages(t, set, nil); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A test file is passed over, even one that check could not compile, unless it
// judges.
func TestTestFilesArePassedOver(t *testing.T) {
	opts := file("package main\n\ndeny contains \"no\" if false\n")
	opts.Sources = append(opts.Sources,
		Source{Path: "policy/p_test.rego", Data: []byte("package main\n\ntest_now if time.now_ns() > 0\n")},
		Source{Path: "policy/q_test.rego", Data: []byte("package main\n\ndeny contains \"judged\" if true\n")},
		Source{Path: "policy/README.md", Data: []byte("# policies\n")},
	)
	want := []string{"error main/deny  judged"}
	if got := messages(t, load(t, opts), nil); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoadErrors(t *testing.T) {
	in := func(body string) Options { return file("package main\n\n" + body + "\n") }
	withData := func(sources ...Source) Options { return Options{Data: sources} }
	for name, c := range map[string]struct {
		opts Options
		want string
	}{
		"v1 syntax":            {in("deny contains msg if {\n\tmsg := \n}"), "policy/p.rego:5:1: unexpected } token"},
		"v0 syntax":            {in("deny[msg] {\n\tinput.a\n\tmsg := = 1\n}"), "policy/p.rego:5:9: unexpected eq token"},
		"unknown function":     {in(`deny contains nope("a") if true`), "policy/p.rego:3:15: undefined function nope"},
		"network":              {in(`deny contains http.send({"url": "http://example.com"}) if true`), "policy/p.rego:3:15: http.send is not available: a policy must not reach the network"},
		"clock":                {in(`deny contains "late" if time.now_ns() > 1`), "policy/p.rego:3:25: time.now_ns is not available: a verdict must not depend on the time of the run"},
		"environment":          {in(`deny contains opa.runtime().env.HOME if true`), "opa.runtime is not available"},
		"files":                {in(`deny contains "x" if parse_config_file("a.yaml")`), "parse_config_file is not available"},
		"unsafe variable":      {in(`deny contains msg if input.a`), "policy/p.rego:3:15: var msg is unsafe"},
		"true":                 {in(`deny if input.a`), "policy/p.rego:3:1: deny yields true, not messages: write `deny contains msg if { … }`"},
		"set without contains": {in(`deny[msg] if msg := "a"`), "policy/p.rego:3:1: deny must be a set of messages"},
		"dotted name":          {in(`deny.foo contains "a" if true`), "policy/p.rego:3:1: deny.foo is not asked"},
		"reserved":             {file("package sallyport.image_latest\n\nwarn contains \"x\" if true\n"), "policy/p.rego:1:1: package sallyport.image_latest is reserved for the bundled rules"},
		"id":                   {in("# METADATA\n# custom:\n#   id: two words\ndeny contains \"a\" if true"), "policy/p.rego:3:1: custom.id is no rule name"},
		"severity":             {in("# METADATA\n# custom:\n#   severity: eror\ndeny contains \"a\" if true"), "policy/p.rego:3:1: custom.severity is neither error nor warning"},
		"other namespace":      {file("package k8s.pods\n\ndeny contains \"a\" if true\n"), "no deny, violation or warn rule in namespace main; there are some in k8s.pods"},
		"no rule at all":       {in("allow := true"), "no deny, violation or warn rule in namespace main"},
		"empty file":           {file(""), "policy/p.rego: empty module"},
		"disable":              {Options{Bundled: policies.FS, Disable: []string{"image-lastest"}}, "no bundled rule is called image-lastest; there are host-access, "},
		"pattern":              {Options{Namespaces: []string{"["}}, `namespace pattern "[": syntax error in pattern`},
		"data syntax":          {withData(Source{Path: "d.yaml", Data: []byte("a: 1\nb: [canary")}), "d.yaml:1:1: data is neither valid JSON nor valid YAML"},
		"data list":            {withData(Source{Path: "d.yaml", Data: []byte("[1]")}), "d.yaml: data at the root must be an object"},
		"data conflict":        {withData(Source{Path: "a.yaml", Data: []byte("a: {b: 1}")}, Source{Path: "b.yaml", Data: []byte("a: {b: 2}")}), "b.yaml: data.a.b is also set by another file"},
		"data reserved":        {withData(Source{Path: "d.yaml", Data: []byte("sallyport: {}")}), "d.yaml: data.sallyport is reserved for the bundled rules"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(t.Context(), c.opts)
			var config *ConfigError
			if !errors.As(err, &config) {
				t.Fatalf("got %v, want a ConfigError", err)
			}
			if !strings.HasPrefix(err.Error(), c.want) && !strings.Contains(err.Error(), ": "+c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

// What conftest would silently count as passed is an error of the policy.
func TestMuteVerdicts(t *testing.T) {
	for body, want := range map[string]string{
		`deny := "text" if input.a`:                        "policy/p.rego:3:1: deny must be a set of messages",
		`deny contains 1 if input.a`:                       "policy/p.rego:3:1: deny yields a message that is neither a string nor an object with msg",
		`deny contains {"message": 1} if input.a`:          "policy/p.rego:3:1: deny yields an object without a string msg",
		"deny := [1] if input.a\n\ndeny := [2] if input.b": "policy/p.rego:5:1: rule data.main.deny produced conflicting values",
		`deny contains "x" if parse_config("toml", "")`:    "policy/p.rego:3:22: parse_config: reads yaml and json, not toml",
	} {
		set := load(t, file("package main\n\n"+body+"\n"))
		_, err := set.evaluate(t.Context(), map[string]any{"a": true, "b": true})
		var config *ConfigError
		if !errors.As(err, &config) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", body, err, want)
		}
	}
}

func TestBundledSwitches(t *testing.T) {
	names := func(opts Options) []string {
		opts.Bundled = policies.FS
		var out []string
		for _, rule := range load(t, opts).Rules() {
			out = append(out, rule.Name)
		}
		return out
	}
	if got := names(Options{}); slices.Contains(got, "image-digest") || !slices.Contains(got, "image-latest") {
		t.Errorf("by default: %v", got)
	}
	if got := names(Options{Enable: []string{"image-digest"}}); !slices.Contains(got, "image-digest") {
		t.Errorf("enabled: %v", got)
	}
	if got := names(Options{Disable: []string{"image-latest"}}); slices.Contains(got, "image-latest") {
		t.Errorf("disabled: %v", got)
	}
	// A user's -n says nothing about the bundled rules.
	own := file("package team\n\ndeny contains \"a\" if true\n")
	own.Namespaces = []string{"team"}
	if got := names(own); !slices.Contains(got, "image-latest") || !slices.Contains(got, "team/deny") {
		t.Errorf("beside a namespace: %v", got)
	}
}

// Policies may build on the bundled libraries.
func TestBundledLibrary(t *testing.T) {
	opts := file(`package main

import data.sallyport.kubernetes

deny contains {"msg": container.name, "pointer": container.pointer} if some container in kubernetes.containers
`)
	opts.Bundled = policies.FS
	pod := decode(t, "{apiVersion: v1, kind: Pod, spec: {containers: [{name: web, image: 'nginx:1', resources: {limits: {cpu: 1, memory: 1}}}]}}")
	if got, want := messages(t, load(t, opts), pod), []string{"error main/deny /spec/containers/0 web"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Exceptions of a policy do not reach the bundled rules.
func TestExceptionsStayInTheirNamespace(t *testing.T) {
	opts := file("package main\n\ndeny contains \"a\" if true\n\nexception contains [\"\"] if true\n")
	opts.Bundled = policies.FS
	service := decode(t, "{apiVersion: v1, kind: Service, metadata: {namespace: default}}")
	want := []string{"warning namespace-default /metadata/namespace Service is put into the namespace default"}
	if got := messages(t, load(t, opts), service); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEndlessPolicyIsStopped(t *testing.T) {
	set := load(t, file(`package main

deny contains "x" if {
	some a in numbers.range(1, 10000)
	some b in numbers.range(1, 10000)
	some c in numbers.range(1, 10000)
	a + b + c < 0
}
`))
	set.timeout = 20 * time.Millisecond
	_, err := set.evaluate(t.Context(), nil)
	if config := (*ConfigError)(nil); !errors.As(err, &config) || err.Error() != "policies take more than 20ms for one object" {
		t.Errorf("got %v", err)
	}
	set.timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := set.evaluate(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	set := everyRule(t)
	pod := decode(t, "{apiVersion: v1, kind: Pod, spec: {hostPID: true, containers: [{name: web, image: nginx}]}}")
	want := fmt.Sprint(messages(t, set, pod))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				if got := fmt.Sprint(messages(t, set, pod)); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	group.Wait()
}

func TestPrintIsSilent(t *testing.T) {
	set := load(t, file("package main\n\ndeny contains \"a\" if print(\"noise\")\n"))
	if got := messages(t, set, nil); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestManyNamespacesAreCounted(t *testing.T) {
	var opts Options
	for _, name := range strings.Fields("a b c d e f g h") {
		opts.Sources = append(opts.Sources, Source{Path: name + ".rego", Data: []byte("package " + name + "\n\ndeny contains \"x\" if true\n")})
	}
	_, err := Load(t.Context(), opts)
	if err == nil || !strings.HasSuffix(err.Error(), "there are some in a, b, c, d, e, f and 2 more") {
		t.Errorf("got %v", err)
	}
}
