package render

import (
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// composing are the fields of a kustomization that make a value out of what was
// there, so that the text at the place is not the rendered one.
var composing = []string{
	"images", "imageTags", "namePrefix", "nameSuffix", "replacements", "vars", "configMapGenerator", "secretGenerator", "replicas",
}

// written is the value that a file has at a place, where a single line tells.
func writtenAt(tree repo.Tree, span finding.Span) (value any, ok bool) {
	data, err := tree.ReadFile(span.File)
	lines := strings.Split(string(data), "\n")
	if err != nil || span.Start.Line != span.End.Line || span.Start == span.End || span.Start.Line > len(lines) {
		return nil, false
	}
	line := []rune(lines[span.Start.Line-1])
	text := string(line[span.Start.Column-1 : span.End.Column-1])
	if strings.ContainsAny(text[:1], "|>&*") {
		return nil, false // goes on below, or is set elsewhere
	}
	f, err := source.Parse("scalar.yaml", []byte(text+"\n"))
	if err != nil || len(f.Docs) != 1 {
		return nil, false
	}
	value, err = source.Decode(f.Docs[0].Root)
	return value, err == nil && isScalar(value)
}

// composed reports whether the place is in a field of a kustomization, or an
// item of env files, that composes values.
func composed(tree repo.Tree, r *Rendered, span finding.Span) bool {
	if slices.Contains(r.Reads.Files, span.File) && strings.HasSuffix(span.File, ".env") {
		return true
	}
	if !slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(span.File)) {
		return false
	}
	data, _ := tree.ReadFile(span.File)
	lines := strings.Split(string(data), "\n")
	for i := span.Start.Line - 1; i >= 0; i-- {
		if field, _, ok := strings.Cut(lines[i], ":"); ok && !strings.ContainsAny(lines[i][:1], " -#") {
			return slices.Contains(composing, field)
		}
	}
	return false
}

// namesAnObject reports whether a value is the name of an object of the target:
// kustomize makes references follow the names that it composes.
func namesAnObject(r *Rendered, value any) bool {
	return slices.ContainsFunc(r.Objects, func(o *Object) bool { return value == o.Name || value == o.Namespace })
}

// continues reports whether a plain or quoted scalar goes on in the next line:
// its value is then longer than what its first line says.
func continues(value, first any) bool {
	whole, ok := value.(string)
	start, also := first.(string)
	return ok && also && len(whole) > len(start) && strings.HasPrefix(whole, start)
}

// TestPlaceSaysTheRenderedValue: a place has lines in a file of the tree, and
// the text there is the rendered value, for every field that no layer composes.
func TestPlaceSaysTheRenderedValue(t *testing.T) {
	if testing.Short() {
		t.Skip("builds hundreds of targets, one after the other")
	}
	for _, corpus := range []struct {
		name  string
		every int // of the fields
	}{{"operate-first-apps", 17}, {"gitops-catalog", 3}} {
		t.Run(corpus.name, func(t *testing.T) {
			tree := openCorpus(t, corpus.name)
			b := NewBuilder(tree, Options{})
			compared, n := 0, 0
			for _, target := range discovered(t, tree, DiscoverOptions{}).Targets {
				r, err := b.Build(t.Context(), target)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range r.Objects {
					leaves(o.Value, "", func(pointer string, value any) {
						if n++; n%corpus.every != 0 {
							return
						}
						place := r.Place(o, pointer)
						if problem := misplaced(tree, place); problem != "" {
							t.Errorf("%s: %s %s: %s: %v", target.Path, o.Object, pointer, problem, place.Span)
							return
						}
						got, ok := writtenAt(tree, place.Span)
						if !ok || composed(tree, r, place.Span) || namesAnObject(r, value) {
							return
						}
						if compared++; !reflect.DeepEqual(got, value) && !continues(value, got) {
							t.Errorf("%s: %s %s: %s says something else", target.Path, o.Object, pointer, place.Span)
						}
					})
				}
			}
			t.Logf("%d fields compared", compared)
			if compared == 0 {
				t.Error("nothing was compared")
			}
		})
	}
}

// misplaced says what is wrong with a place, "" where nothing is.
func misplaced(tree repo.Tree, p Place) string {
	start, end := p.Span.Start, p.Span.End
	if p.Span.IsZero() {
		if p.Why == "" {
			return "neither a place nor a reason"
		}
		return ""
	}
	if _, ok := tree.Lookup(p.Span.File); !ok {
		return "no such file"
	}
	if start.Line < 1 || start.Column < 1 || end.Line < start.Line || end.Line == start.Line && end.Column < start.Column {
		return "no lines"
	}
	return ""
}
