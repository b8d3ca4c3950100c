package gate

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/testdata/peer"
)

// TestChangedSinceAgrees holds, over a history of random commits on top of real
// repositories, that judging a change finds what judging everything before and
// after it finds: every new finding, and every target that renders otherwise.
func TestChangedSinceAgrees(t *testing.T) {
	for _, c := range []struct {
		corpus  string
		commits int
	}{
		{"onedr0p-home-ops", 50},
		{"gitops-catalog", 5}, // four times as long for each
	} {
		t.Run(c.corpus, func(t *testing.T) {
			t.Parallel()
			commits := c.commits
			if testing.Short() {
				commits /= 10
			}
			h := newHistory(t, c.corpus)
			before := h.check(Options{})
			appeared, narrowed := map[string]int{}, 0
			for n := range commits {
				edits := h.advance(n)
				after := h.check(Options{})
				change := h.check(Options{ChangedSince: "HEAD~"})
				for _, text := range disagreements(before, after, change) {
					t.Errorf("commit %d (%s): %s", n, strings.Join(edits, "; "), text)
				}
				for _, f := range fresh(before, after) {
					appeared[f.Rule]++
				}
				if len(digests(change)) < len(digests(after)) {
					narrowed++
				}
				before = after
			}
			t.Logf("%d commits, %d of which leave targets out; new findings: %v", commits, narrowed, appeared)
			if !testing.Short() && (narrowed < commits/2 || len(appeared) == 0) {
				t.Error("this history shows too little")
			}
		})
	}
}

// disagreements lists what a run about a change has missed.
func disagreements(before, after, change *Result) []string {
	var out []string
	told := tally(change)
	for _, f := range fresh(before, after) {
		if id := identityOf(f); told[id] > 0 {
			told[id]--
		} else {
			out = append(out, fmt.Sprintf("%s at %s is not found: %s", f.Rule, f.Location, f.Message))
		}
	}
	old, now := digests(before), digests(after)
	checked := digests(change)
	for target, digest := range now {
		switch got, ok := checked[target]; {
		case !ok && old[target] != digest:
			out = append(out, target+" differs and is not checked")
		case ok && got != digest:
			out = append(out, target+" renders otherwise than when all is checked")
		}
	}
	slices.Sort(out)
	return out
}

// fresh lists the findings that were not there before.
func fresh(before, after *Result) []finding.Finding {
	known := tally(before)
	return slices.DeleteFunc(slices.Clone(after.Report.Findings), func(f finding.Finding) bool {
		id := identityOf(f)
		known[id]--
		return known[id] >= 0
	})
}

// tally counts findings by their identity.
func tally(r *Result) map[string]int {
	out := map[string]int{}
	for _, f := range r.Report.Findings {
		out[identityOf(f)]++
	}
	return out
}

// identityOf names a finding without its line, which moves with any edit above it.
func identityOf(f finding.Finding) string {
	object := ""
	if f.Object != nil && f.Location.IsZero() {
		object = f.Object.String()
	}
	return strings.Join([]string{f.Rule, f.Location.File, object, f.Message}, "\x00")
}

// history is a repository that random commits are added to.
type history struct {
	checkout
	random *rand.Rand
}

// newHistory makes a repository of an archive, as its first commit.
func newHistory(t *testing.T, corpus string) *history {
	from := peer.Corpus(t, corpus)
	h := &history{checkout{t, t.TempDir()}, rand.New(rand.NewPCG(4, 50))}
	if err := os.CopyFS(h.dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	h.git("init", "-q", "-b", "main")
	h.commit("first")
	return h
}

// advance makes two to five random edits and commits them.
func (h *history) advance(n int) []string {
	var done []string
	for range 2 + h.random.IntN(4) {
		done = append(done, h.edit())
	}
	h.git("add", "-A")
	h.git("commit", "-q", "--allow-empty", "-m", fmt.Sprint("commit ", n))
	return done
}

// edit is one of the things that people do to a repository, done without care.
func (h *history) edit() string {
	value := fmt.Sprintf("v%d", h.random.IntN(1_000_000))
	any := h.pick(`\.ya?ml$`)
	switch h.random.IntN(12) {
	case 0, 1:
		return "image in " + h.replace(h.pick(`(?i)deployment|helm-?release|\.ya?ml$`), `(?m)^(\s*(?:- )?image:\s*\S+?)(:\S+)?$`, "${1}:"+value)
	case 2:
		return "name in " + h.replace(any, `(?m)^(  name: \S+)$`, "${1}-"+value)
	case 3:
		return "namespace in " + h.replace(any, `(?m)^(\s*namespace: )\S+$`, "${1}"+value)
	case 4:
		return "label in " + h.replace(any, `(?m)^metadata:$`, "metadata:\n  labels:\n    edited: "+value)
	case 5:
		return "unknown field in " + h.replace(any, `(?m)^spec:$`, "spec:\n  mistaken: "+value)
	case 6:
		h.git("rm", "-q", "-f", any)
		return "deletion of " + any
	case 7:
		h.drop(any)
		return "deletion of " + any + " and of what names it"
	case 8:
		to := path.Join(path.Dir(any), value+"-"+path.Base(any))
		h.git("mv", any, to)
		if h.random.IntN(2) == 0 {
			h.mention(path.Dir(any), path.Base(any), path.Base(to))
		}
		return "renaming of " + any + " to " + to
	case 9:
		dir := path.Dir(h.pick(`kustomization\.ya?ml$`))
		to := dir + "-" + value
		if err := os.CopyFS(filepath.Join(h.dir, to), os.DirFS(filepath.Join(h.dir, dir))); err != nil {
			h.Fatal(err)
		}
		return "copy of " + dir + " to " + to
	case 10:
		file := path.Join(path.Dir(any), "added-"+value+".yaml")
		h.write(map[string]string{file: h.manifest(value)})
		if h.random.IntN(2) == 0 {
			kustomization := path.Join(path.Dir(any), "kustomization.yaml")
			h.replace(kustomization, `(?m)^resources:$`, "resources:\n  - "+path.Base(file))
		}
		return "addition of " + file
	default:
		return "entry out of " + h.replace(h.pick(`kustomization\.ya?ml$`), `(?m)\A([\s\S]*?)^\s*- \S+\n`, "${1}")
	}
}

// manifest is a new file: a Secret in the open, something that refers to what is
// not there, or something that the API server refuses.
func (h *history) manifest(name string) string {
	switch h.random.IntN(3) {
	case 0:
		return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\nstringData:\n  password: correct-horse-" + name + "\n"
	case 1:
		return strings.NewReplacer("name: web\n  namespace: shop", "name: "+name, "image: nginx:latest",
			"image: nginx:1.29.1\n      envFrom: [{secretRef: {name: "+name+"}}]").Replace(pod)
	default:
		return "apiVersion: v1\nkind: Service\nmetadata:\n  name: " + name + "\nspec:\n  ports: [{port: eighty}]\n"
	}
}

// drop deletes a file with every entry that names it in the same directory.
func (h *history) drop(file string) {
	h.git("rm", "-q", "-f", file)
	for _, name := range kustomizationNames() {
		h.replace(path.Join(path.Dir(file), name), `(?m)^\s*- (\./)?`+regexp.QuoteMeta(path.Base(file))+`\n`, "")
	}
}

// mention renames a file in the kustomization of its directory.
func (h *history) mention(dir, old, now string) {
	for _, name := range kustomizationNames() {
		h.replace(path.Join(dir, name), regexp.QuoteMeta(old), now)
	}
}

// replace edits a file, if it is there, and returns its name.
func (h *history) replace(file, old, with string) string {
	at := filepath.Join(h.dir, file)
	data, err := os.ReadFile(at)
	if err == nil {
		err = os.WriteFile(at, []byte(regexp.MustCompile(old).ReplaceAllString(string(data), with)), 0o644)
	}
	if err != nil && !os.IsNotExist(err) {
		h.Fatal(err)
	}
	return file
}

// pick chooses one of the committed files that match.
func (h *history) pick(pattern string) string {
	var found []string
	match := regexp.MustCompile(pattern)
	err := filepath.WalkDir(h.dir, func(p string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(h.dir, p)
		if err == nil && e.IsDir() && e.Name() == ".git" {
			return fs.SkipDir
		}
		if rel = filepath.ToSlash(rel); err == nil && e.Type().IsRegular() && match.MatchString(rel) {
			found = append(found, rel)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		h.Fatalf("no file matches %s: %v", pattern, err)
	}
	return found[h.random.IntN(len(found))]
}
