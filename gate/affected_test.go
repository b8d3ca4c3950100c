package gate

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/testdata/fleet"
)

// TestAffected holds, over random edits of a generated repository, that the
// targets called affected are exactly those whose sealed render differs, and that
// runs which take over what earlier ones found, about other states, say the same.
func TestAffected(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	if err := fleet.Write(dir, fleet.Options{Apps: 3, Envs: 3}); err != nil {
		t.Fatal(err)
	}
	c := checkout{t, dir}
	c.git("init", "-q", "-b", "main")
	c.commit("first")
	before := digests(c.check(Options{}))
	cache := t.TempDir()
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := checkout{t, dir}
			c.git("reset", "-q", "--hard", "main")
			c.git("clean", "-fdq")
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			var edits []string
			for range 1 + random.IntN(3) {
				edits = append(edits, edit(c, random))
			}
			whole := c.check(Options{})
			after := digests(whole)
			var want []string
			for path, digest := range after {
				if before[path] != digest {
					want = append(want, path)
				}
			}
			slices.Sort(want)
			change := c.check(Options{ChangedSince: "main"})
			for what, run := range map[string]struct {
				cold *Result
				opts Options
			}{"everything": {whole, Options{}}, "the change": {change, Options{ChangedSince: "main"}}} {
				run.opts.Cache, run.opts.Build = cache, "test"
				for _, again := range []string{"", ", again"} {
					warm := c.check(run.opts)
					if !reflect.DeepEqual(warm.Report, run.cold.Report) {
						t.Errorf("after %s\nthe report of %s%s is\n%+v\nwant\n%+v", strings.Join(edits, ", "), what, again, warm.Report, run.cold.Report)
					}
				}
			}
			var got []string
			for path, status := range statuses(change) {
				if status != finding.Skipped {
					got = append(got, path)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("after %s\naffected %v\ndiffering %v", strings.Join(edits, ", "), got, want)
			}
			for path, digest := range digests(change) {
				if after[path] != digest {
					t.Errorf("%s renders differently when checked alone", path)
				}
			}
		})
	}
}

// digests returns what each target renders to; a target that does not render
// has its reason.
func digests(r *Result) map[string]string {
	out := map[string]string{}
	for _, t := range r.Report.Targets {
		if t.Status != finding.Skipped {
			out[t.Path] = t.Digest + t.Reason
		}
	}
	return out
}

// edit makes one random change that shows in every target that it touches, and
// says what it did.
func edit(c checkout, random *rand.Rand) string {
	c.Helper()
	pick := func(pattern string) string {
		var found []string
		match := regexp.MustCompile(pattern)
		err := filepath.WalkDir(c.dir, func(p string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && match.MatchString(filepath.ToSlash(p)) && !strings.Contains(p, ".git"+string(filepath.Separator)) {
				found = append(found, p)
			}
			return err
		})
		if err != nil || len(found) == 0 {
			c.Fatalf("no file matches %s: %v", pattern, err)
		}
		return found[random.IntN(len(found))]
	}
	replace := func(file, old, with string) string {
		data, err := os.ReadFile(file)
		if err != nil {
			c.Fatal(err)
		}
		text := regexp.MustCompile(old).ReplaceAllString(string(data), with)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			c.Fatal(err)
		}
		return file
	}
	value := fmt.Sprintf("v%d", random.IntN(1_000_000))
	switch random.IntN(7) {
	case 0:
		return "label in " + replace(pick(`/(base|overlays/[^/]+)/kustomization.yaml$`), `(  - pairs:\n)`, "${1}      example.com/edit: "+value+"\n")
	case 1:
		return "literal in " + replace(pick(`/base/kustomization.yaml$`), `CACHE_TTL=\w+`, "CACHE_TTL="+value)
	case 2:
		return "component " + replace(pick(`/components/observability/collector-settings.yaml$`), `(?m)^data:\n`, "data:\n  "+value+": x\n")
	case 3:
		file := pick(`/base/ingress.yaml$`)
		if err := os.Remove(file); err != nil {
			c.Fatal(err)
		}
		return "deletion of " + file
	case 4:
		from := filepath.Dir(pick(`/overlays/[^/]+/kustomization.yaml$`))
		if err := os.CopyFS(from+"-"+value, os.DirFS(from)); err != nil {
			c.Fatal(err)
		}
		return "copy of " + from
	case 5:
		file := filepath.Join(filepath.Dir(pick(`\.yaml$`)), "NOTES-"+value+".md")
		if err := os.WriteFile(file, []byte("notes\n"), 0o644); err != nil {
			c.Fatal(err)
		}
		return "note " + file
	default:
		return "secret " + replace(pick(`credentials.enc.yaml$`), `(data:)(\w)`, "${1}A${2}")
	}
}

// TestAffectedByFiles holds what sallyport targets --files asks.
func TestAffectedByFiles(t *testing.T) {
	c := newCheckout(t, overlays())
	for file, want := range map[string][]string{
		"base/pod.yaml":                {"overlays/prod", "overlays/staging"},
		"other/pod.yaml":               {"other"},
		"README.md":                    nil,
		"overlays/prod/Kustomization":  {"overlays/prod"},
		"base/pod.yaml/was-a-file.txt": nil,
	} {
		l, err := Targets(context.Background(), Options{Path: c.dir, Files: []string{file}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, target := range l.Targets {
			got = append(got, target.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", file, got, want)
		}
	}
}
