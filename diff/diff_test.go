package diff_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// state makes a state of YAML documents.
func state(t testing.TB, text string) *diff.State {
	t.Helper()
	r := &render.Rendered{}
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var value any
		if err := dec.Decode(&value); err != nil {
			break
		}
		r.Objects = append(r.Objects, object(t, value))
	}
	return &diff.State{Rendered: r, Secrets: map[diff.At]string{}}
}

func object(t testing.TB, value any) *render.Object {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	o := &render.Object{}
	var named struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
	}
	if err := json.Unmarshal(text, &named); err != nil {
		t.Fatal(err)
	}
	o.Object = finding.Object{APIVersion: named.APIVersion, Kind: named.Kind, Namespace: named.Metadata.Namespace, Name: named.Metadata.Name}
	if err := json.Unmarshal(text, &o.Value); err != nil {
		t.Fatal(err)
	}
	return o
}

// said writes every change on a line: what happens to which object, and which
// field.
func said(all []diff.Change) []string {
	out := []string{}
	for _, c := range all {
		head := fmt.Sprintf("%s %s", c.Action, c.Object)
		if c.Instances[0].Was != "" {
			head += " was " + c.Instances[0].Was
		}
		if c.Follows > 0 {
			head += fmt.Sprintf(" follows %d", c.Follows)
		}
		out = append(out, head)
		for _, f := range c.Fields {
			line := fmt.Sprintf("  %s %s", f.Action, f.Path)
			switch {
			case f.Sealed:
				line += " sealed"
			case len(f.Hunks) > 0:
				line += " " + strings.Join(f.Hunks[0].Lines, "|")
			default:
				line += fmt.Sprintf(" %v → %v", f.Old, f.New)
			}
			out = append(out, line)
		}
	}
	return out
}

func compare(t testing.TB, old, now string, opts diff.Options) []string {
	t.Helper()
	return said(diff.Compare(diff.Pair{Path: "x", Old: state(t, old), New: state(t, now)}, opts).Changes)
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web, helm.sh/chart: web-1}}
spec:
  replicas: 2
  template:
    metadata: {annotations: {checksum/config: aaa}}
    spec:
      initContainers: [{name: one, image: i}, {name: two, image: i}]
      containers:
        - name: web
          image: web:1
          args: [--a, --b, --c]
          ports: [{name: http, containerPort: 80}, {name: admin, containerPort: 81}]
          env: [{name: A, value: "1"}, {name: B, value: "2"}]
          volumeMounts: [{name: data, mountPath: /a}, {name: data, mountPath: /b}]
        - {name: side, image: side:1}
      tolerations: [{key: a, operator: Exists}, {key: a, operator: Equal, value: x, effect: NoSchedule}]
`

func TestFields(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string // replaced in the Deployment
		want     []string
	}{
		"nothing":          {"", "", nil},
		"a scalar":         {"replicas: 2", "replicas: 3", []string{"  changed /spec/replicas 2 → 3"}},
		"a type":           {"replicas: 2", `replicas: "2"`, []string{"  changed /spec/replicas 2 → 2"}},
		"an image":         {"web:1", "web:2", []string{"  changed /spec/template/spec/containers[web]/image web:1 → web:2"}},
		"a container less": {"        - {name: side, image: side:1}\n", "", []string{"  removed /spec/template/spec/containers[side] map[image:side:1 name:side] → <nil>"}},
		"keyed order":      {`{name: A, value: "1"}, {name: B, value: "2"}`, `{name: B, value: "2"}, {name: A, value: "1"}`, nil},
		"a keyed item":     {`{name: A, value: "1"}, {name: B, value: "2"}`, `{name: B, value: "3"}, {name: C, value: "1"}`, []string{"  removed /spec/template/spec/containers[web]/env[A] map[name:A value:1] → <nil>", "  changed /spec/template/spec/containers[web]/env[B]/value 2 → 3", "  added /spec/template/spec/containers[web]/env[C] <nil> → map[name:C value:1]"}},
		"mounts by path":   {"{name: data, mountPath: /b}", "{name: data, mountPath: /b, readOnly: true}", []string{"  added /spec/template/spec/containers[web]/volumeMounts[/b]/readOnly <nil> → true"}},
		"a port":           {"containerPort: 81", "containerPort: 82", []string{"  changed /spec/template/spec/containers[web]/ports[admin]/containerPort 81 → 82"}},
		"an argument":      {"--b, --c", "--c", []string{"  removed /spec/template/spec/containers[web]/args[1] --b → <nil>"}},
		"init order":       {"{name: one, image: i}, {name: two, image: i}", "{name: two, image: i}, {name: one, image: i}", []string{"  changed /spec/template/spec/initContainers [one two] → [two one]"}},
		"tolerations":      {"value: x", "value: y", []string{"  removed /spec/template/spec/tolerations[a/Equal/NoSchedule/x] map[effect:NoSchedule key:a operator:Equal value:x] → <nil>", "  added /spec/template/spec/tolerations[a/Equal/NoSchedule/y] <nil> → map[effect:NoSchedule key:a operator:Equal value:y]"}},
		"noise":            {"web-1", "web-2", nil},
		"a checksum":       {"aaa", "bbb", nil},
		"an apiVersion":    {"apps/v1", "apps/v2", []string{"  changed /apiVersion apps/v1 → apps/v2"}},
	} {
		t.Run(name, func(t *testing.T) {
			now := deployment
			if c.from != "" {
				if now = strings.Replace(deployment, c.from, c.to, 1); now == deployment {
					t.Fatal("nothing was replaced")
				}
			}
			want := []string{}
			if len(c.want) > 0 {
				want = append([]string{"changed Deployment shop/web"}, c.want...)
			}
			if got := compare(t, deployment, now, diff.Options{}); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestNoise(t *testing.T) {
	now := strings.Replace(deployment, "web-1", "web-2", 1)
	now = strings.Replace(now, "app: web", "app: shop", 1)
	for name, c := range map[string]struct {
		opts diff.Options
		want int
	}{
		"default": {diff.Options{}, 1}, "more": {diff.Options{Ignore: []string{"ap*"}}, 0}, "all shown": {diff.Options{ShowNoise: true, Ignore: []string{"ap*"}}, 2},
	} {
		c2 := diff.Compare(diff.Pair{Path: "x", Old: state(t, deployment), New: state(t, now)}, c.opts)
		got := 0
		for _, change := range c2.Changes {
			got += len(change.Fields)
		}
		if got != c.want || c2.Noise != 2-c.want {
			t.Errorf("%s: %d fields and %d left out, want %d", name, got, c2.Noise, c.want)
		}
	}
	if err := (diff.Options{Ignore: []string{"["}}).Validate(); err == nil {
		t.Error("a malformed pattern is accepted")
	}
	// A selector decides what is selected.
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app.kubernetes.io/version: A}}\n"
	if got := compare(t, service, strings.ReplaceAll(service, "A}", "B}"), diff.Options{}); len(got) != 2 {
		t.Errorf("a selector counts as noise: %v", got)
	}
}

func TestGeneratedNames(t *testing.T) {
	text := func(hash, value, extra string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings-" + hash + ", namespace: shop}\ndata: {A: '" + value + "'}\n---\n" +
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 1" + extra +
			"\n  template: {spec: {containers: [{name: web, envFrom: [{configMapRef: {name: settings-" + hash + "}}]}], imagePullSecrets: [{name: settings-" + hash + "}]}}\n"
	}
	old := text("42gmfg229k", "1", "")
	if got, want := compare(t, old, text("ddtdh29d4d", "2", ""), diff.Options{}), []string{
		"changed Deployment shop/web follows 2", "changed ConfigMap shop/settings-ddtdh29d4d was settings-42gmfg229k", "  changed /data/A 1 → 2",
	}; !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	// The names differ in what is no hash: two objects.
	if got := compare(t, old, text("xxxxxxxxxx", "2", ""), diff.Options{}); !slices.Contains(got, "removed ConfigMap shop/settings-42gmfg229k") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

const token, other = "sopsTok0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "sopsTok0bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

func TestSecrets(t *testing.T) {
	old := "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {same: hidden-a, other: hidden-b, gone: hidden-c, tok: " + token + "}\n" +
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: leak, namespace: shop}\ndata: {a: \"x " + token + "\", script: \"one\\n" + token + "\\n\"}\n"
	now := "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {same: hidden-a, other: hidden-d, new: hidden-e, tok: " + other + "}\n" +
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: leak, namespace: shop}\ndata: {a: \"x " + other + "\", script: \"two\\n" + other + "\\n\"}\n"
	pair := diff.Pair{Path: "x", Old: state(t, old), New: state(t, now)}
	c := diff.Compare(pair, diff.Options{Unified: true})
	want := []string{
		"changed Secret shop/db", "  removed /stringData/gone sealed", "  added /stringData/new sealed",
		"  changed /stringData/other sealed", "  changed /stringData/tok sealed",
		"changed ConfigMap shop/leak", "  changed /data/a sealed", "  changed /data/script sealed",
	}
	if got := said(c.Changes); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"hidden", "sopsTok0", "aaaaaaaa", "bbbbbbbb"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("the comparison holds %q", bad)
		}
	}
	if !strings.Contains(c.Changes[0].Unified, "+  tok: •••••••• (changed)") {
		t.Errorf("unified:\n%s", c.Changes[0].Unified)
	}

	// The same ciphertext under another token is the same secret.
	at := diff.At{Object: pair.Old.Objects[0].Object, Pointer: "/stringData/tok"}
	pair.Old.Secrets[at], pair.New.Secrets[at] = "id", "id"
	for _, f := range diff.Compare(pair, diff.Options{}).Changes[0].Fields {
		if f.Pointer == "/stringData/tok" {
			t.Error("a secret that was only moved counts as changed")
		}
	}
}

func TestBetween(t *testing.T) {
	env := func(ns, prefix, replicas, extra string) string {
		return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + ns + "}\n---\n" +
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + prefix + "web, namespace: " + ns + "}\nspec: {replicas: " + replicas + ", url: \"http://db." + ns + ".svc:80/\"}\n---\n" +
			"apiVersion: v1\nkind: Service\nmetadata: {name: " + prefix + "web, namespace: " + ns + "}\nspec: {to: " + prefix + "web}\n---\n" +
			"apiVersion: v1\nkind: Service\nmetadata: {name: " + prefix + "db, namespace: " + ns + "}\n" + extra
	}
	pdb := "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: staging-web, namespace: shop-staging}\n"
	p := diff.Pair{Path: "prod", From: "staging", Between: true,
		Old: state(t, env("shop-staging", "staging-", "1", pdb)), New: state(t, env("shop-prod", "", "3", ""))}
	c := diff.Compare(p, diff.Options{})
	want := []string{"changed Deployment shop-prod/web", "  changed /spec/replicas 1 → 3", "removed PodDisruptionBudget shop-staging/staging-web"}
	if got := said(c.Changes); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	mapped := []diff.Mapping{{What: "namespace", Old: "shop-staging", New: "shop-prod"}, {What: "name prefix", Old: "staging-", New: ""}}
	if !slices.Equal(c.Target.Mapped, mapped) {
		t.Errorf("mapped %v", c.Target.Mapped)
	}
}

func TestLossAndKept(t *testing.T) {
	old := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n---\n" +
		"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: b, annotations: {helm.sh/resource-policy: keep}}\n---\n" +
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v}\n"
	var r diff.Result
	diff.Join(&r, []diff.Comparison{diff.Compare(diff.Pair{Path: "x", Old: state(t, old), New: state(t, "")}, diff.Options{})})
	if r.Summary.Loss != 1 || r.Changes[0].Object.Name != "a" || r.Changes[0].Loss == "" {
		t.Errorf("%+v", r.Summary)
	}
	if i := slices.IndexFunc(r.Changes, func(c diff.Change) bool { return c.Object.Name == "b" }); r.Changes[i].Kept == "" {
		t.Error("the annotation that keeps an object is not seen")
	}
}

// TestShuffled holds that no order of maps and keyed lists makes a difference,
// and that an equal render has none.
func TestShuffled(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	old := state(t, deployment)
	for range 200 {
		now := state(t, deployment)
		shuffle(rng, now.Objects[0].Value)
		if c := diff.Compare(diff.Pair{Path: "x", Old: old, New: now}, diff.Options{ShowNoise: true}); len(c.Changes) != 0 {
			t.Fatalf("got\n%s", strings.Join(said(c.Changes), "\n"))
		}
	}
}

// shuffle changes the order of every list of maps but the one whose order means
// something.
func shuffle(rng *rand.Rand, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, item := range value {
			if list, ok := item.([]any); ok && key != "initContainers" && key != "args" {
				rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
			shuffle(rng, item)
		}
	case []any:
		for _, item := range value {
			shuffle(rng, item)
		}
	}
}

// TestSymmetric holds that the diff backwards is the diff with added and removed
// exchanged, over random edits.
func TestSymmetric(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		a, b := state(t, deployment), state(t, deployment)
		for range 1 + rng.IntN(4) {
			edit(rng, b.Objects[0].Value)
		}
		there := diff.Compare(diff.Pair{Path: "x", Old: a, New: b}, diff.Options{ShowNoise: true})
		back := diff.Compare(diff.Pair{Path: "x", Old: b, New: a}, diff.Options{ShowNoise: true})
		if x, y := signs(there, false), signs(back, true); !slices.Equal(x, y) {
			t.Fatalf("there\n%s\nback\n%s", strings.Join(x, "\n"), strings.Join(y, "\n"))
		}
	}
}

func signs(c diff.Comparison, swap bool) []string {
	var out []string
	for _, change := range c.Changes {
		for _, f := range change.Fields {
			old, now, action := f.Old, f.New, f.Action
			if swap {
				old, now = now, old
				switch action {
				case diff.Added:
					action = diff.Removed
				case diff.Removed:
					action = diff.Added
				}
			}
			// The number of an item in a list without keys is that of its side.
			path := f.Path
			if i := strings.Index(path, "/args["); i >= 0 {
				path = path[:i] + "/args"
			}
			out = append(out, fmt.Sprintf("%s %s %v %v", action, path, old, now))
		}
	}
	slices.Sort(out)
	return out
}

// edit changes, adds or removes something somewhere in a map, never its names.
func edit(rng *rand.Rand, m map[string]any) {
	var keys []string
	for key := range m {
		if key != "name" && key != "namespace" && key != "kind" && key != "apiVersion" && key != "args" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) == 0 {
		return
	}
	key := keys[rng.IntN(len(keys))]
	switch value := m[key].(type) {
	case map[string]any:
		edit(rng, value)
		return
	case []any:
		if len(value) > 0 && rng.IntN(3) > 0 {
			if item, ok := value[rng.IntN(len(value))].(map[string]any); ok {
				edit(rng, item)
				return
			}
		}
	}
	switch rng.IntN(3) {
	case 0:
		m["extra"] = int64(rng.IntN(5))
	case 1:
		if key != "mountPath" && key != "metadata" {
			delete(m, key)
		}
	default:
		if isScalar := fmt.Sprintf("%T", m[key]); isScalar == "string" && key != "mountPath" {
			m[key] = fmt.Sprint("v", rng.IntN(9))
		}
	}
}

func TestLines(t *testing.T) {
	lines := func(from, to int, change map[int]string) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			if text, ok := change[i]; ok {
				b.WriteString(text)
				continue
			}
			fmt.Fprintf(&b, "line %d\n", i)
		}
		return b.String()
	}
	cm := func(text string) *diff.State {
		return &diff.State{Rendered: &render.Rendered{Objects: []*render.Object{object(t, map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c"}, "data": map[string]any{"f": text},
		})}}}
	}
	c := diff.Compare(diff.Pair{Path: "x", Old: cm(lines(0, 40, nil)), New: cm(lines(0, 40, map[int]string{5: "five\n", 9: "", 30: "line 30\nmore\n"}))}, diff.Options{})
	hunks := c.Changes[0].Fields[0].Hunks
	if len(hunks) != 2 {
		t.Fatalf("%d hunks, want 2: %+v", len(hunks), hunks)
	}
	want := []string{" line 2", " line 3", " line 4", "-line 5", "+five", " line 6", " line 7", " line 8", "-line 9", " line 10", " line 11", " line 12"}
	if h := hunks[0]; !slices.Equal(h.Lines, want) || h.OldStart != 3 || h.OldLines != 11 || h.NewStart != 3 || h.NewLines != 10 {
		t.Errorf("%+v", h)
	}
	// One text without any line in common.
	c = diff.Compare(diff.Pair{Path: "x", Old: cm("a\nb\n"), New: cm("c\nd")}, diff.Options{})
	if got := c.Changes[0].Fields[0].Hunks[0].Lines; !slices.Equal(got, []string{"-a", "-b", "+c", "+d (no newline at the end)"}) {
		t.Errorf("%q", got)
	}
}

// TestJoin holds that a change in many targets is one, and that the order of the
// comparisons does not matter.
func TestJoin(t *testing.T) {
	var all []diff.Comparison
	for i := range 20 {
		old := strings.ReplaceAll(deployment, "namespace: shop", fmt.Sprintf("namespace: shop-%d", i))
		all = append(all, diff.Compare(diff.Pair{Path: fmt.Sprintf("t%02d", i), Old: state(t, old), New: state(t, strings.Replace(old, "web:1", "web:2", 1))}, diff.Options{}))
	}
	var one, two diff.Result
	diff.Join(&one, all)
	slices.Reverse(all)
	diff.Join(&two, all)
	if len(one.Changes) != 1 || len(one.Changes[0].Instances) != 20 || one.Changes[0].Object.Namespace != "" || one.Summary.Changed != 20 {
		t.Errorf("%d changes, %+v", len(one.Changes), one.Summary)
	}
	a, _ := json.Marshal(one)
	b, _ := json.Marshal(two)
	if string(a) != string(b) {
		t.Error("the order of the comparisons shows")
	}
}
