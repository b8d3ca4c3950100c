package gate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// TestRecallAgrees holds that a run which takes over what earlier ones found, of
// other states of the repository and with other options, says what a run without a
// cache says: the same report, or the same error. The states are those of
// [newWorld]: each variant of each spot alone, and several together.
func TestRecallAgrees(t *testing.T) {
	t.Parallel()
	step, rounds := 1, 3
	if testing.Short() {
		step, rounds = 12, 1
	}
	c, world := newCheckout(t, map[string]string{"README.md": "a world\n"}), newWorld(t)
	w := recalling{checkout: c, cache: t.TempDir(), seen: map[string]int{}}
	for _, s := range world {
		c.put(s, ordinary)
	}
	c.commit("the ordinary state")
	w.agree("plain", "as it is")
	n := 0
	for _, s := range world {
		for i := range s.variants {
			if n++; i == ordinary || n%step != 0 {
				continue
			}
			c.put(s, i)
			w.agree("plain", fmt.Sprintf("%s is its variant %d", s.path, i))
			c.put(s, ordinary)
		}
	}
	random := rand.New(rand.NewPCG(4, 1))
	for _, how := range asked {
		w.agree(how, "as it is")
		for range rounds {
			var changes []string
			for range 3 {
				s := world[random.IntN(len(world))]
				i := random.IntN(len(s.variants))
				c.put(s, i)
				changes = append(changes, fmt.Sprintf("%s is its variant %d", s.path, i))
			}
			c.git("add", "-A")
			w.agree(how, strings.Join(changes, ", "))
			c.git("reset", "-q", "--hard")
			c.git("clean", "-fdqx")
		}
	}
	t.Logf("%d runs, %d refused; findings: %v", w.runs, w.refused, w.seen)
	if !testing.Short() && (len(w.seen) < 15 || w.refused > w.runs/4) {
		t.Errorf("these states show too little: %d rules, %d of %d runs refused", len(w.seen), w.refused, w.runs)
	}
}

// recalling compares runs that have a cache with such that have none.
type recalling struct {
	checkout
	cache         string
	seen          map[string]int // findings by rule
	runs, refused int
}

func (w *recalling) agree(how, state string) {
	w.Helper()
	cold, want := w.ask(how, Options{})
	warm, err := w.ask(how, Options{Cache: w.cache, Build: "test"})
	w.runs++
	switch {
	case fmt.Sprint(err) != fmt.Sprint(want):
		w.Errorf("%s, %s: with a cache error %v, want %v", state, how, err, want)
	case want != nil:
		w.refused++
	case !reflect.DeepEqual(warm.Report, cold.Report):
		w.Errorf("%s, %s: with a cache the report differs: %s", state, how, difference(warm.Report, cold.Report))
	}
	if want == nil {
		for _, f := range cold.Report.Findings {
			w.seen[f.Rule]++
		}
	}
}

// TestRecallOfNothing holds that nothing checked is an error, although an earlier
// run was told to accept that.
func TestRecallOfNothing(t *testing.T) {
	c, cache := newCheckout(t, map[string]string{"README.md": "no targets\n"}), t.TempDir()
	c.check(Options{AllowEmpty: true, Cache: cache, Build: "test"})
	if _, err := Check(context.Background(), Options{Path: c.dir, Cache: cache, Build: "test"}); !errors.Is(err, ErrNoTargets) {
		t.Errorf("error %v, want %v", err, ErrNoTargets)
	}
}

// asked are the ways in which the world is looked at.
var asked = []string{
	"plain", "empty is fine", "strict", "secrets only", "references only", "overlays", "old version", "below", "the change", "the change, judged by main",
	"judged by main", "the index", "a commit", "later", "no such target",
}

// ask runs a check in one of the ways of asked.
func (c checkout) ask(how string, o Options) (*Result, error) {
	o.Path, o.Now = c.dir, func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }
	switch how {
	case "plain":
	case "empty is fine":
		o.AllowEmpty = true
	case "strict":
		o.Strict = true
	case "secrets only":
		o.Only = []string{checkSecrets}
	case "references only":
		o.Only = []string{checkReferences}
	case "overlays":
		o.Targets = []string{"overlays/*"}
	case "no such target":
		o.Targets = []string{"nowhere"}
	case "old version":
		o.Versions = []string{"1.29"}
	case "below":
		o.Path = filepath.Join(c.dir, "plain")
	case "the change":
		o.ChangedSince = "main"
	case "the change, judged by main":
		o.ChangedSince, o.PolicyFrom = "main", "main"
	case "judged by main":
		o.PolicyFrom = "main"
	case "the index":
		o.Selector = repo.Selector{Staged: true}
	case "a commit":
		o.Selector = repo.Selector{Rev: "main"}
	case "later":
		o.Now = func() time.Time { return time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC) }
	default:
		c.Fatalf("asked %q", how)
	}
	return Check(context.Background(), o)
}

// put writes the nth variant of a place: nothing, a symbolic link or a file.
func (c checkout) put(p spot, n int) {
	c.Helper()
	file := filepath.Join(c.dir, p.path)
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = os.RemoveAll(file)
	}
	text, isLink := strings.CutPrefix(p.variants[n], "link to ")
	switch {
	case err != nil || p.variants[n] == "":
	case isLink:
		err = os.Symlink(text, file)
	default:
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		c.Fatal(err)
	}
}

// difference names the first findings, or else targets, that only one report has.
func difference(got, want *finding.Report) string {
	lines := func(r *finding.Report) (out []string) {
		for _, f := range r.Findings {
			out = append(out, fmt.Sprintf("%+v\n", f))
		}
		for _, t := range r.Targets {
			out = append(out, fmt.Sprintf("%+v\n", t))
		}
		for _, n := range r.NotChecked {
			out = append(out, fmt.Sprintf("%+v\n", n))
		}
		return append(out, fmt.Sprintf("%+v\n", r.Summary))
	}
	a, b := lines(got), lines(want)
	only := func(of, other []string) []string {
		return slices.DeleteFunc(slices.Clone(of), func(s string) bool { return slices.Contains(other, s) })
	}
	return fmt.Sprintf("\nonly with it:\n%v\nonly without:\n%v", only(a, b), only(b, a))
}
