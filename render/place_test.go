package render

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// fixture reads a repository from one text: files follow lines of the form
// "-- name --".
func fixture(t *testing.T, file string) memory {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := memory{}
	name := ""
	for _, line := range strings.SplitAfter(string(text), "\n") {
		if mark, ok := strings.CutPrefix(line, "-- "); ok {
			name = strings.TrimSuffix(strings.TrimSpace(mark), " --")
			continue
		}
		if name != "" {
			m[name] += line
		}
	}
	return m
}

var want = regexp.MustCompile(`# (place|related): (.*)$`)

// expected lists what the comments of a repository say: for each object and
// pointer the line of its place, and the lines that are related.
func expected(m memory) (places map[string]string, related map[string][]string) {
	places, related = map[string]string{}, map[string][]string{}
	for name, text := range m {
		for i, line := range strings.Split(text, "\n") {
			match := want.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			at := finding.Span{File: name, Start: finding.Position{Line: i + 1, Column: 1}}.String()
			for _, field := range strings.Split(match[2], " ; ") {
				if match[1] == "place" {
					places[field] = at
				} else {
					related[field] = append(related[field], at)
				}
			}
		}
	}
	return places, related
}

// atLine is the file and line of a span, with column 1.
func atLine(s finding.Span) string {
	s.Start.Column = 1
	return s.String()
}

// object finds "Kind/name"; the name may be a pattern.
func object(t *testing.T, r *Rendered, id string) *Object {
	t.Helper()
	kind, name, _ := strings.Cut(id, "/")
	for _, o := range r.Objects {
		if ok, _ := path.Match(name, o.Name); ok && o.Kind == kind {
			return o
		}
	}
	t.Fatalf("no object %s among %d", id, len(r.Objects))
	return nil
}

// TestPlace builds the overlay "top" of each repository under testdata/place.
// Its comments say which field is set on which line.
func TestPlace(t *testing.T) {
	files, _ := filepath.Glob("testdata/place/*.txt")
	if len(files) == 0 {
		t.Fatal("no fixtures")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m := fixture(t, file)
			r := built(t, m, "top")
			if r.Reason != "" {
				t.Fatal(r.Reason)
			}
			places, related := expected(m)
			for field, want := range places {
				id, pointer, _ := strings.Cut(field, " ")
				place := r.Place(object(t, r, id), pointer)
				if got := atLine(place.Span); got != want {
					t.Errorf("%s: got %s %s, want %s", field, got, place.Why, want)
				}
				for _, want := range related[field] {
					if !hasLine(place.Related, want) {
						t.Errorf("%s: %s is not related: %v", field, want, place.Related)
					}
				}
			}
		})
	}
}

func hasLine(list []finding.Related, want string) bool {
	for _, r := range list {
		if atLine(r.Location) == want {
			return true
		}
	}
	return false
}

// TestPlaceColumns: a place is the token, also inside a text in a kustomization.
func TestPlaceColumns(t *testing.T) {
	r := built(t, fixture(t, "testdata/place/layers.txt"), "top")
	web := object(t, r, "Deployment/web")
	place := r.Place(web, "/spec/replicas")
	want := finding.Span{File: "top/kustomization.yaml", Start: finding.Position{Line: 8, Column: 15}, End: finding.Position{Line: 8, Column: 16}}
	if place.Span != want {
		t.Errorf("got %v, want %v", place.Span, want)
	}
	messages := []string{}
	for _, related := range place.Related {
		messages = append(messages, related.Message+" "+related.Location.String())
	}
	if got := strings.Join(messages, ", "); got != "set here before middle/kustomization.yaml:8:14, set here first base/app.yaml:7:13" {
		t.Errorf("related: %s", got)
	}
}

// TestPlaceOfGeneratedData: files and lines of env files cannot carry comments.
func TestPlaceOfGeneratedData(t *testing.T) {
	r := built(t, fixture(t, "testdata/place/generators.txt"), "top")
	settings := object(t, r, "ConfigMap/settings-*")
	for pointer, want := range map[string]finding.Span{
		"/data/app.conf":     beginning("base/app.conf"),
		"/data/renamed.conf": beginning("base/other.conf"),
		"/data/A":            {File: "base/base.env", Start: finding.Position{Line: 2, Column: 1}, End: finding.Position{Line: 2, Column: 4}},
		"/data/B":            {File: "base/base.env", Start: finding.Position{Line: 3, Column: 3}, End: finding.Position{Line: 3, Column: 6}},
	} {
		if got := r.Place(settings, pointer).Span; got != want {
			t.Errorf("%s: got %v, want %v", pointer, got, want)
		}
	}
}

// TestPlaceOfReplacedValue: where a copied value comes from is related.
func TestPlaceOfReplacedValue(t *testing.T) {
	m := fixture(t, "testdata/place/components.txt")
	r := built(t, m, "top")
	places, _ := expected(m)
	place := r.Place(object(t, r, "ConfigMap/two"), "/data/replaced")
	if len(place.Related) == 0 || place.Related[0].Message != "the value is copied from here" || atLine(place.Related[0].Location) != places["ConfigMap/one /data/key"] {
		t.Errorf("got %v", place.Related)
	}
}

func TestPlaceInDirectory(t *testing.T) {
	m := memory{"apps/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata:\n  x: 'y'\n"}
	r, err := NewBuilder(m, Options{}).Build(t.Context(), Target{Path: "apps", Kind: Directory})
	if err != nil {
		t.Fatal(err)
	}
	b := object(t, r, "ConfigMap/b")
	if got := r.Place(b, "/data/x").Span.String(); got != "apps/a.yaml:9:6" {
		t.Errorf("got %s", got)
	}
	if got := r.Place(b, "").Span.String(); got != "apps/a.yaml:5:1" {
		t.Errorf("got %s", got)
	}
}

// TestPlaceUnknown: an object that cannot be followed says why.
func TestPlaceUnknown(t *testing.T) {
	r := built(t, memory{
		"top/kustomization.yaml": "generators: [made.yaml]\n",
		"top/made.yaml":          "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: made}\nliterals: [a=b]\n",
	}, "top")
	if r.Reason != "" {
		t.Fatal(r.Reason)
	}
	place := r.Place(r.Objects[0], "/data/a")
	if place.Why == "" || !place.Span.IsZero() {
		t.Errorf("got %v", place)
	}
	if got := (&Rendered{}).Place(&Object{}, "/x"); got.Why == "" {
		t.Errorf("nothing rendered: %v", got)
	}
	if got := r.Place(&Object{}, "/x"); got.Why == "" {
		t.Errorf("another target's object: %v", got)
	}
}

func TestAt(t *testing.T) {
	r := built(t, fixture(t, "testdata/place/layers.txt"), "top")
	web := object(t, r, "Deployment/web")
	mine := finding.Related{Message: "mine"}
	got := r.At(web, "/spec/replicas", finding.Finding{Rule: "x", Related: []finding.Related{mine}})
	if *got.Object != web.Object || got.Pointer != "/spec/replicas" || got.Location.Start.Line != 8 ||
		got.Unplaced != "" || len(got.Targets) != 1 || got.Targets[0] != "top" || len(got.Related) != 3 || got.Related[0] != mine {
		t.Errorf("got %+v", got)
	}
}
