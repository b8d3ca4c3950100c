package attacks

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/sallyport/sallyport/testdata/peer"
)

// The branches of a fixture's repository: what is, the attack, and its twin.
const (
	BranchBase   = "main"
	BranchAttack = "attack"
	BranchTwin   = "twin"
)

// Repository is the Git repository of one fixture.
type Repository struct {
	Attack   *Attack
	Workshop *Workshop
	Dir      string
	Canaries []string // its secret values, which no output may hold

	t       *testing.T
	commits int
}

// Build makes the three branches.
func (w *Workshop) Build(t *testing.T, a *Attack) *Repository {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &Repository{t: t, Workshop: w, Attack: a, Dir: dir}
	r.base()
	r.Git("checkout", "-q", "-b", BranchTwin)
	r.phase("twin")
	r.Git("checkout", "-q", BranchBase)
	r.Git("checkout", "-q", "-b", BranchAttack)
	r.phase("change")
	return r
}

// base makes the base branch, or copies the equal one of another fixture.
func (r *Repository) base() {
	r.t.Helper()
	r.Git("init", "-q", "-b", BranchBase)
	key := r.Attack.before()
	if old, ok := r.Workshop.bases[key]; ok {
		r.Must("", os.RemoveAll(r.Path(".git")))
		r.Must("", os.CopyFS(r.Dir, os.DirFS(old.Dir)))
		r.Canaries, r.commits = slices.Clone(old.Canaries), old.commits
		return
	}
	r.phase("before")
	kept := r.Workshop.t.TempDir()
	r.Must("", os.CopyFS(kept, os.DirFS(r.Dir)))
	r.Workshop.bases[key] = &Repository{Dir: kept, Canaries: slices.Clone(r.Canaries), commits: r.commits}
}

// Checkout switches to a branch and drops what it does not have.
func (r *Repository) Checkout(branch string) {
	r.Git("checkout", "-q", "--force", branch)
	r.Git("clean", "-q", "-ffdx")
	r.Must("", os.RemoveAll(r.Workshop.Marker)) // which a filter may have left
}

// phase writes the files of a phase, runs its commands, and commits the rest.
func (r *Repository) phase(name string) {
	r.t.Helper()
	r.unpack(name)
	for _, command := range r.Attack.phases[name] {
		r.command(r.ExpandAll(command))
	}
	if r.Git("status", "--porcelain") != "" {
		r.commit()
	}
}

// unpack writes the files whose names begin with a directory of the archive.
func (r *Repository) unpack(name string) {
	r.t.Helper()
	for _, f := range r.Attack.files {
		if rest, ok := strings.CutPrefix(f.Name, name+"/"); ok {
			r.write(rest, r.Expand(string(f.Data)))
		}
	}
}

// section returns a file of the archive that only commands name.
func (r *Repository) section(name string) string {
	r.t.Helper()
	for _, f := range r.Attack.files {
		if f.Name == name {
			return r.Expand(string(f.Data))
		}
	}
	r.t.Fatalf("no section %s", name)
	return ""
}

// command runs one command of a fixture; testdata/attacks/README.md lists them.
func (r *Repository) command(c []string) {
	r.t.Helper()
	name, args := c[0], c[1:]
	switch name {
	case "encrypt":
		r.encrypt(args[0], args[1:]...)
	case "sops":
		r.Must(r.sops(args...))
	case "intact":
		r.Must(r.sops("decrypt", "--output", os.DevNull, args[0]))
	case "broken":
		if out, err := r.sops("decrypt", "--output", os.DevNull, args[0]); err == nil {
			r.t.Fatalf("sops opens %s\n%s", args[0], out)
		}
	case "edit":
		r.edit(args[0], args[1], args[2])
	case "insert":
		r.insert(args[0], args[1], r.section(args[2]))
	case "copy":
		r.write(args[1], r.read(args[0]))
	case "delete":
		r.Must("", os.RemoveAll(r.Path(args[0])))
	case "unpack":
		r.unpack(args[0])
	case "commit":
		r.commit()
	case "git":
		r.Git(args...)
	case "wait": // sops writes whole seconds
		time.Sleep(1100 * time.Millisecond)
	case "symlink":
		r.Must("", os.MkdirAll(filepath.Dir(r.Path(args[0])), 0o755))
		r.Must("", os.Symlink(args[1], r.Path(args[0])))
	case "submodule":
		r.submodule(args[0])
	case "utf16":
		r.utf16(args[0], args[1])
	case "raw":
		data, err := hex.DecodeString(args[2])
		r.Must("", err)
		r.write(args[0], strings.ReplaceAll(r.read(args[0]), args[1], string(data)))
	case "gzip":
		r.write(args[0], r.gzipped(r.read(args[0])))
	case "repeat":
		r.repeat(args[0], args[1], args[2], args[3])
	case "splice":
		pattern := regexp.MustCompile("(?m)" + args[2])
		from := args[0]
		if len(args) > 3 {
			from = args[3]
		}
		old := pattern.FindString(r.Git("show", args[1]+":"+from))
		r.write(args[0], pattern.ReplaceAllLiteralString(r.read(args[0]), old))
	case "doubling":
		r.doubling(args[0], args[1])
	case "overlays":
		for i := range r.number(args[1]) {
			r.write(fmt.Sprintf("%s/%d/kustomization.yaml", args[0], i), r.section("overlay"))
		}
	case "executable":
		r.Must("", os.Chmod(r.Path(args[0]), 0o755))
	default:
		r.t.Fatalf("unknown command %q", name)
	}
}

// encrypt seals a file with the real sops: by the creation rule where the
// Repository has a .sops.yaml, else for prod and as is usual for manifests.
func (r *Repository) encrypt(file string, args ...string) {
	r.t.Helper()
	if _, err := os.Stat(r.Path(".sops.yaml")); err != nil && !slices.Contains(args, "--age") {
		args = append(args, "--age", r.Workshop.Key("prod").Recipient)
		if strings.HasSuffix(file, ".yaml") && len(args) == 2 {
			args = append(args, "--encrypted-regex", "^(data|stringData)$")
		}
	}
	r.Must(r.sops(append(append([]string{"encrypt", "--in-place"}, args...), file)...))
}

// sops runs the real sops with the key of prod, as the cluster would.
func (r *Repository) sops(args ...string) (string, error) {
	r.t.Helper()
	cmd := peer.Command(r.t, "sops", r.Dir, args...)
	cmd.Env = append(cmd.Env, "SOPS_AGE_KEY="+r.Workshop.Key("prod").Identity)
	out, err := cmd.CombinedOutput()
	return "sops " + strings.Join(args, " ") + ": " + string(out), err
}

func (r *Repository) Must(out string, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
}

func (r *Repository) Path(name string) string { return filepath.Join(r.Dir, filepath.FromSlash(name)) }

func (r *Repository) read(name string) string {
	r.t.Helper()
	data, err := os.ReadFile(r.Path(name))
	r.Must("", err)
	return string(data)
}

func (r *Repository) write(name, content string) {
	r.t.Helper()
	r.Must("", os.MkdirAll(filepath.Dir(r.Path(name)), 0o755))
	r.Must("", os.WriteFile(r.Path(name), []byte(content), 0o644))
}

// escapes are what a command writes for line breaks.
var escapes = strings.NewReplacer(`\n`, "\n", `\r`, "\r")

// edit replaces every match of a pattern.
func (r *Repository) edit(name, pattern, with string) {
	r.t.Helper()
	before := r.read(name)
	after := regexp.MustCompile("(?m)"+pattern).ReplaceAllString(before, escapes.Replace(with))
	if after == before {
		r.t.Fatalf("edit %s: %s changes nothing in\n%s", name, pattern, before)
	}
	r.write(name, after)
}

// insert puts a text behind the first match of a pattern.
func (r *Repository) insert(name, pattern, text string) {
	r.t.Helper()
	before := r.read(name)
	at := regexp.MustCompile("(?m)" + strings.ReplaceAll(pattern, `\n`, "\n")).FindStringIndex(before)
	if at == nil {
		r.t.Fatalf("insert %s: %s is not in\n%s", name, pattern, before)
	}
	r.write(name, before[:at[1]]+text+before[at[1]:])
}

// commit commits everything, a minute later each time.
func (r *Repository) commit() {
	r.t.Helper()
	r.Git("add", "--all")
	r.Git("commit", "-q", "--allow-empty", "-m", "change")
}

func (r *Repository) Git(args ...string) string {
	r.t.Helper()
	out, err := r.TryGit(args...)
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (r *Repository) TryGit(args ...string) (string, error) { return r.gitIn(r.Dir, args...) }

func (r *Repository) gitIn(dir string, args ...string) (string, error) {
	r.commits++
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.commits) * time.Minute).Format(time.RFC3339)
	cmd := exec.Command(r.Workshop.Watch.git, append([]string{"-c", "protocol.file.allow=always", "-c", "advice.addEmbeddedRepo=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+r.Workshop.Watch.path, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@shop.example", "GIT_AUTHOR_DATE="+at,
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@shop.example", "GIT_COMMITTER_DATE="+at)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// submodule makes a repository inside the repository, with what was at the path.
func (r *Repository) submodule(name string) {
	r.t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "--all"}, {"commit", "-q", "--allow-empty", "-m", "inner"}} {
		out, err := r.gitIn(r.Path(name), args...)
		r.Must(out, err)
	}
}

// utf16 encodes a file as UTF-16, little (le) or big endian (be).
func (r *Repository) utf16(name, order string) {
	r.t.Helper()
	var out []byte
	text := utf16.Encode([]rune(r.read(name)))
	order, unmarked := strings.CutPrefix(order, "unmarked-")
	if !unmarked {
		text = append([]uint16{0xfeff}, text...)
	}
	order, wide := strings.CutPrefix(order, "32")
	for _, unit := range text {
		bytes := []byte{byte(unit), byte(unit >> 8)}
		if wide {
			bytes = append(bytes, 0, 0)
		}
		if order == "be" {
			slices.Reverse(bytes)
		}
		out = append(out, bytes...)
	}
	r.write(name, string(out))
}

// repeat writes a file: a section (none is -), and a text n times, in which %d
// counts.
func (r *Repository) repeat(name, section, n, text string) {
	r.t.Helper()
	var b strings.Builder
	if section != "-" {
		b.WriteString(r.section(section))
	}
	text = strings.ReplaceAll(text, `\n`, "\n")
	for i := range r.number(n) {
		b.WriteString(strings.ReplaceAll(text, "%d", strconv.Itoa(i)))
	}
	r.write(name, b.String())
}

// doubling writes levels of kustomizations, each of which takes both of the
// level below.
func (r *Repository) doubling(dir, levels string) {
	r.t.Helper()
	for level := range r.number(levels) {
		for _, name := range []string{"a", "b"} {
			text := "configMapGenerator: [{name: bottom, literals: [a=b]}]\n"
			if level > 0 {
				text = fmt.Sprintf("resources: [../../%d/a, ../../%d/b]\n", level-1, level-1)
			}
			r.write(fmt.Sprintf("%s/%d/%s/kustomization.yaml", dir, level, name), "namePrefix: "+name+"-\n"+text)
		}
	}
}

func (r *Repository) number(text string) int {
	r.t.Helper()
	n, err := strconv.Atoi(text)
	r.Must("", err)
	return n
}
