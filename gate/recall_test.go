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
// cache says: the same report, or the same error. The states are drawn from
// [world], so that whatever one verdict can depend on changes under it, alone and
// together with others, and comes back.
func TestRecallAgrees(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 12
	}
	c, world := newCheckout(t, map[string]string{"README.md": "a world\n"}), newWorld(t)
	random := rand.New(rand.NewPCG(4, 1))
	for _, s := range world {
		c.put(s, 1)
	}
	c.commit("the first state")
	cache, seen, refused := t.TempDir(), map[string]int{}, 0
	var edits []string
	for round := range rounds {
		for range 1 + random.IntN(3) {
			edits = append(edits, c.change(world, random))
		}
		c.git("add", "-A")
		if random.IntN(8) == 0 {
			c.git("commit", "-q", "-m", "state", "--allow-empty")
		}
		how := asked[random.IntN(len(asked))]
		cold, coldErr := c.ask(how, Options{})
		if coldErr != nil {
			refused++
		} else {
			for _, f := range cold.Report.Findings {
				seen[f.Rule]++
			}
		}
		for _, again := range []string{"", ", again"} {
			warm, err := c.ask(how, Options{Cache: cache, Build: "test"})
			if fmt.Sprint(err) != fmt.Sprint(coldErr) {
				t.Fatalf("round %d, %s%s: error %v, want %v\nafter %s", round, how, again, err, coldErr, strings.Join(edits, "\n"))
			}
			if err == nil && !reflect.DeepEqual(warm.Report, cold.Report) {
				t.Fatalf("round %d, %s%s: with a cache the report differs: %s\nafter %s", round, how, again, difference(warm.Report, cold.Report), strings.Join(edits, "\n"))
			}
		}
	}
	t.Logf("%d refused; findings: %v", refused, seen)
	if !testing.Short() && (len(seen) < 10 || refused > rounds/3) {
		t.Errorf("these states show too little: %d rules, %d of %d runs refused", len(seen), refused, rounds)
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
	"plain", "plain", "plain", "plain", "plain", "empty is fine", "strict", "secrets only", "references only", "overlays", "old version", "below", "the change", "the change, judged by main",
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
		o.Versions = []string{"1.24"}
	case "below":
		o.Path = filepath.Join(c.dir, "plain")
	case "the change":
		o.ChangedSince = "main~"
	case "the change, judged by main":
		o.ChangedSince, o.PolicyFrom = "main~", "main~"
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

// change puts another variant in one place.
func (c checkout) change(world []spot, random *rand.Rand) string {
	c.Helper()
	p := world[random.IntN(len(world))]
	n := 1 // half of the places are as usual, so that something is built
	if random.IntN(2) == 0 {
		n = random.IntN(len(p.variants))
	}
	c.put(p, n)
	return fmt.Sprintf("%s is its variant %d", p.path, n)
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
