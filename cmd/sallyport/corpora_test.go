package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/testdata/peer"
)

// corpora says what the gate must find in real repositories: how many leaf
// overlays render and how many do not, and how many files are encrypted.
var corpora = []struct {
	name                  string
	rendered, notRendered int // overlays: 16 of the first dangle, the rest of all want the network or a plugin
	objects               int // at least: directories of plain manifests come on top
}{
	{name: "operate-first-apps", rendered: 216, notRendered: 23, objects: 2101},
	{name: "onedr0p-home-ops", rendered: 92, objects: 432},
	{name: "onedr0p-home-ops-2022-08", rendered: 21, notRendered: 6, objects: 90},
	{name: "gitops-catalog", rendered: 318, notRendered: 11, objects: 1392},
	{name: "microservices-demo", rendered: 5, objects: 1},
	{name: "flux2-kustomize-helm-example", rendered: 6, objects: 1},
	{name: "flux2-multi-tenancy", rendered: 6, objects: 1},
}

func TestCorpora(t *testing.T) {
	if testing.Short() {
		t.Skip("checks whole repositories; TestCorporaOneOrder does so with the race detector")
	}
	for _, c := range corpora {
		t.Run(c.name, func(t *testing.T) {
			r := checkJSON(t, peer.Corpus(t, c.name))
			rendered, notRendered := 0, 0
			for _, target := range r.Targets {
				switch {
				case target.Kind != "kustomize":
				case target.Status != finding.NotRendered:
					rendered++
				default:
					notRendered++
					if !explained(r, target.Path) {
						t.Errorf("%s does not render, and no finding says where", target.Path)
					}
				}
			}
			if rendered != c.rendered || notRendered != c.notRendered {
				t.Errorf("%d overlays rendered and %d did not, want %d and %d", rendered, notRendered, c.rendered, c.notRendered)
			}
			if r.Summary.Objects < c.objects {
				t.Errorf("%d objects, want at least %d", r.Summary.Objects, c.objects)
			}
			for _, f := range r.Findings {
				if f.Location.File == "" && f.Unplaced == "" {
					t.Errorf("%s has neither a place nor a reason for none: %s", f.Rule, f.Message)
				}
			}
		})
	}
}

// explained reports whether an error with a place says why a target does not
// render.
func explained(r *finding.Report, target string) bool {
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return f.Severity == finding.Error && f.Location.File != "" && slices.Contains(f.Targets, target)
	})
}

// TestCorporaEncrypted holds that encrypted repositories are judged rightly: no
// finding says that an encrypted value is plaintext.
func TestCorporaEncrypted(t *testing.T) {
	if testing.Short() {
		t.Skip("checks whole repositories; TestCorporaOneOrder does so with the race detector")
	}
	r := checkJSON(t, peer.Corpus(t, "onedr0p-home-ops-2022-08"))
	for _, f := range r.Findings {
		if strings.HasPrefix(f.Rule, "secret-") && f.Severity == finding.Error && strings.Contains(f.Location.File, ".sops.") {
			t.Errorf("%s: %s [%s]", f.Location, f.Message, f.Rule)
		}
	}
	for _, c := range r.Summary.Checks {
		if c.Name == "secrets" && !strings.Contains(c.Note, "52 encrypted files") {
			t.Errorf("secrets: %s, want 52 encrypted files", c.Note)
		}
	}
}

// TestCorporaPlaintext holds that every Secret with plaintext values of a real
// repository is found, each at a line.
func TestCorporaPlaintext(t *testing.T) {
	if testing.Short() {
		t.Skip("checks whole repositories; TestCorporaOneOrder does so with the race detector")
	}
	r := checkJSON(t, peer.Corpus(t, "gitops-catalog"))
	places := map[string]bool{}
	for _, f := range r.Findings {
		if f.Rule == "secret-plaintext" {
			if f.Location.Start.Line == 0 {
				t.Errorf("no line: %s", f.Message)
			}
			places[f.Location.File] = true
		}
	}
	if len(places) < 49 {
		t.Errorf("plaintext in %d files, want at least 49", len(places))
	}
}

// TestCorporaOneOrder holds that the report does not depend on the number of
// workers.
func TestCorporaOneOrder(t *testing.T) { oneOrder(t, peer.Corpus(t, "onedr0p-home-ops-2022-08")) }

// TestDemoOneOrder holds the same without any archive.
func TestDemoOneOrder(t *testing.T) { oneOrder(t, "../../testdata/demo") }

func oneOrder(t *testing.T, dir string) {
	t.Helper()
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	var want string
	for i := range rounds {
		for _, jobs := range []string{"1", "8"} {
			s, out, _ := world(nil)
			run(context.Background(), s, []string{"check", dir, "-o", "json", "-j", jobs})
			if want == "" {
				want = out.String()
			}
			if out.String() != want {
				t.Fatalf("round %d with %s workers gives another report", i, jobs)
			}
		}
	}
}

func checkJSON(t *testing.T, dir string) *finding.Report {
	t.Helper()
	s, out, errs := world(nil)
	if code := run(context.Background(), s, []string{"check", dir, "-o", "json"}); code > 1 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r finding.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}
