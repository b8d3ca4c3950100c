package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
	"github.com/sallyport/sallyport/testdata/attacks"
)

// attackRows is how many rows the threat table of SECURITY.md has.
const attackRows = 19

// TestAttacks plays every attack of testdata/attacks, and its harmless twin,
// against the built command. An attack gives exactly the findings that the
// fixture wants, where it wants them; the twin gives none. Neither prints a
// secret, starts a program other than Git's plumbing, or connects to anything.
func TestAttacks(t *testing.T) {
	all := attacks.Read(t, "../../testdata/attacks")
	w := attacks.NewWorkshop(t)
	for _, a := range all {
		t.Run(a.Name, func(t *testing.T) {
			if a.Pending != "" {
				t.Skipf("pending: %s", a.Pending)
			}
			if testing.Short() {
				t.Skip("takes half a second")
			}
			r := repository{w.Build(t, a)}
			r.play(t, attacks.BranchAttack, func(t *testing.T, got outcomeOf) {
				r.judge(t, got)
			})
			if w.Twins[a.Twin()] {
				return // played by another fixture
			}
			w.Twins[a.Twin()] = true
			r.play(t, attacks.BranchTwin, func(t *testing.T, got outcomeOf) {
				for _, f := range got.report.Findings {
					if !slices.Contains(a.Tolerate, f.Rule) {
						t.Errorf("the harmless twin gives %s", describe(f))
					}
				}
				if got.code != exitClean {
					t.Errorf("the harmless twin exits with %d, want %d\n%s", got.code, exitClean, got.stderr)
				}
			})
		})
	}
}

// TestAttackTable holds that every row of the threat table has a fixture, and
// that SECURITY.md owns up to each attack that the gate cannot stop.
func TestAttackTable(t *testing.T) {
	security, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(security)), " ")
	rows := map[string]bool{}
	for _, a := range attacks.Read(t, "../../testdata/attacks") {
		rows[a.Name[:2]] = true
		if len(a.Want) == 0 && !a.Marked && a.Documented == "" && a.Exit == "" {
			t.Errorf("%s wants no finding, and names no sentence of SECURITY.md that says so", a.Name)
		}
		if !strings.Contains(text, a.Documented) {
			t.Errorf("%s: SECURITY.md does not say %q", a.Name, a.Documented)
		}
	}
	for row := 1; row <= attackRows; row++ {
		if number := fmt.Sprintf("%02d", row); !rows[number] {
			t.Errorf("row %s has no fixture", number)
		}
	}
}

// outcomeOf is what one run of check gave.
type outcomeOf struct {
	code   int
	stderr string
	report *finding.Report
}

// play checks one branch in every format at once, and holds what is true of
// every run: no secret in the output, no program, no connection.
func (r repository) play(t *testing.T, branch string, judge func(*testing.T, outcomeOf)) {
	t.Run(branch, func(t *testing.T) {
		r.Checkout(branch)
		files := t.TempDir()
		args := append([]string{"check", r.Dir, "--rev", "HEAD"}, r.ExpandAll(r.Attack.Args)...)
		for _, format := range report.Formats() {
			args = append(args, "-o", format+"="+filepath.Join(files, format))
		}
		args = append(args, "-o", "text", "--color", "always")
		r.Workshop.Watch.Reset(t)
		s, stdout, stderr := world(nil)
		code := run(context.Background(), s, args)
		r.Workshop.Watch.Check(t)

		outputs := map[string][]byte{"standard output": stdout.Bytes(), "standard error": stderr.Bytes()}
		for _, format := range report.Formats() {
			outputs[format], _ = os.ReadFile(filepath.Join(files, format)) // absent where nothing was reported
		}
		r.holdSecrets(t, outputs)
		if _, err := os.Stat(r.Workshop.Marker); err == nil {
			t.Error("a program of the repository was run")
		}
		got := outcomeOf{code: code, stderr: stderr.String(), report: &finding.Report{}}
		if data := outputs["json"]; len(data) > 0 {
			if err := json.Unmarshal(data, got.report); err != nil {
				t.Fatal(err)
			}
		}
		judge(t, got)
		if t.Failed() {
			t.Logf("sallyport %s: exit code %d\n%s%s", strings.Join(args[:4+len(r.Attack.Args)], " "), code, colors.ReplaceAllString(stdout.String(), ""), stderr)
		}
	})
}

var colors = regexp.MustCompile("\x1b\\[[0-9;]*m")

// judge compares what check found with what the fixture wants.
func (r repository) judge(t *testing.T, got outcomeOf) {
	wanted, code := r.wants(t), exitClean
	var want, found []string
	for _, w := range wanted {
		want = append(want, w.String())
		if w.severity == finding.Error {
			code = exitFindings
		}
	}
	for _, f := range got.report.Findings {
		if slices.Contains(r.Attack.Tolerate, f.Rule) && f.Severity == finding.Warning {
			continue
		}
		found = append(found, wantOf(f).String())
	}
	if r.Attack.Exit != "" {
		code = exitUsage
		if !strings.Contains(got.stderr, r.Attack.Exit) {
			t.Errorf("standard error does not say %q:\n%s", r.Attack.Exit, got.stderr)
		}
	}
	if got.code != code {
		t.Errorf("exit code %d, want %d", got.code, code)
	}
	slices.Sort(want)
	slices.Sort(found)
	for _, w := range minus(want, found) {
		t.Errorf("missing: %s", w)
	}
	for _, f := range minus(found, want) {
		t.Errorf("not wanted: %s", f)
	}
}

// minus returns what is more often in a than in b.
func minus(a, b []string) []string {
	rest := slices.Clone(b)
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool {
		i := slices.Index(rest, s)
		if i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		}
		return i >= 0
	})
}

func describe(f finding.Finding) string {
	return fmt.Sprintf("%s at %s: %s", wantOf(f), f.Location, f.Message)
}

// holdSecrets fails where an output holds a secret of the fixture in any form.
func (r repository) holdSecrets(t *testing.T, outputs map[string][]byte) {
	t.Helper()
	for name, output := range outputs {
		for _, value := range r.Canaries {
			for form, text := range forms(value) {
				if bytes.Contains(output, []byte(text)) {
					t.Errorf("%s holds the secret %q, %s", name, value, form)
				}
			}
		}
	}
}
