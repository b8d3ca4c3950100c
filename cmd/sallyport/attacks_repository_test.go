package main

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
	branchBase   = "main"
	branchAttack = "attack"
	branchTwin   = "twin"
)

// repository is the Git repository of one fixture.
type repository struct {
	t        *testing.T
	workshop *workshop
	attack   *attack
	dir      string
	canaries []string
	commits  int
}

// build makes the three branches.
func (w *workshop) build(t *testing.T, a *attack) *repository {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &repository{t: t, workshop: w, attack: a, dir: dir}
	r.base()
	r.git("checkout", "-q", "-b", branchTwin)
	r.phase("twin")
	r.git("checkout", "-q", branchBase)
	r.git("checkout", "-q", "-b", branchAttack)
	r.phase("change")
	return r
}

// base makes the base branch, or copies the equal one of another fixture.
func (r *repository) base() {
	r.t.Helper()
	r.git("init", "-q", "-b", branchBase)
	key := r.attack.before()
	if old, ok := r.workshop.bases[key]; ok {
		r.must("", os.RemoveAll(r.path(".git")))
		r.must("", os.CopyFS(r.dir, os.DirFS(old.dir)))
		r.canaries, r.commits = slices.Clone(old.canaries), old.commits
		return
	}
	r.phase("before")
	kept := r.workshop.t.TempDir()
	r.must("", os.CopyFS(kept, os.DirFS(r.dir)))
	r.workshop.bases[key] = &repository{dir: kept, canaries: slices.Clone(r.canaries), commits: r.commits}
}

// checkout switches to a branch and drops what it does not have.
func (r *repository) checkout(branch string) {
	r.git("checkout", "-q", "--force", branch)
	r.git("clean", "-q", "-ffdx")
	r.must("", os.RemoveAll(r.workshop.marker)) // which a filter may have left
}

// phase writes the files of a phase, runs its commands, and commits the rest.
func (r *repository) phase(name string) {
	r.t.Helper()
	r.unpack(name)
	for _, command := range r.attack.phases[name] {
		r.command(r.expandAll(command))
	}
	if r.git("status", "--porcelain") != "" {
		r.commit()
	}
}

// unpack writes the files whose names begin with a directory of the archive.
func (r *repository) unpack(name string) {
	r.t.Helper()
	for _, f := range r.attack.files {
		if rest, ok := strings.CutPrefix(f.Name, name+"/"); ok {
			r.write(rest, r.expand(string(f.Data)))
		}
	}
}

// section returns a file of the archive that only commands name.
func (r *repository) section(name string) string {
	r.t.Helper()
	for _, f := range r.attack.files {
		if f.Name == name {
			return r.expand(string(f.Data))
		}
	}
	r.t.Fatalf("no section %s", name)
	return ""
}

// command runs one command of a fixture; testdata/attacks/README.md lists them.
func (r *repository) command(c []string) {
	r.t.Helper()
	name, args := c[0], c[1:]
	switch name {
	case "encrypt":
		r.encrypt(args[0], args[1:]...)
	case "sops":
		r.must(r.sops(args...))
	case "intact":
		r.must(r.sops("decrypt", "--output", os.DevNull, args[0]))
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
		r.must("", os.RemoveAll(r.path(args[0])))
	case "unpack":
		r.unpack(args[0])
	case "commit":
		r.commit()
	case "git":
		r.git(args...)
	case "wait": // sops writes whole seconds
		time.Sleep(1100 * time.Millisecond)
	case "symlink":
		r.must("", os.MkdirAll(filepath.Dir(r.path(args[0])), 0o755))
		r.must("", os.Symlink(args[1], r.path(args[0])))
	case "submodule":
		r.submodule(args[0])
	case "utf16":
		r.utf16(args[0], args[1])
	case "raw":
		data, err := hex.DecodeString(args[2])
		r.must("", err)
		r.write(args[0], strings.ReplaceAll(r.read(args[0]), args[1], string(data)))
	case "repeat":
		r.repeat(args[0], args[1], args[2], args[3])
	case "splice":
		pattern := regexp.MustCompile("(?m)" + args[2])
		old := pattern.FindString(r.git("show", args[1]+":"+args[0]))
		r.write(args[0], pattern.ReplaceAllLiteralString(r.read(args[0]), old))
	case "doubling":
		r.doubling(args[0], args[1])
	case "overlays":
		for i := range r.number(args[1]) {
			r.write(fmt.Sprintf("%s/%d/kustomization.yaml", args[0], i), r.section("overlay"))
		}
	case "executable":
		r.must("", os.Chmod(r.path(args[0]), 0o755))
	default:
		r.t.Fatalf("unknown command %q", name)
	}
}

// encrypt seals a file with the real sops: by the creation rule where the
// repository has a .sops.yaml, else for prod and as is usual for manifests.
func (r *repository) encrypt(file string, args ...string) {
	r.t.Helper()
	if _, err := os.Stat(r.path(".sops.yaml")); err != nil && !slices.Contains(args, "--age") {
		args = append(args, "--age", r.workshop.key("prod").recipient)
		if strings.HasSuffix(file, ".yaml") && len(args) == 2 {
			args = append(args, "--encrypted-regex", "^(data|stringData)$")
		}
	}
	r.must(r.sops(append(append([]string{"encrypt", "--in-place"}, args...), file)...))
}

// sops runs the real sops with the key of prod, as the cluster would.
func (r *repository) sops(args ...string) (string, error) {
	r.t.Helper()
	cmd := peer.Command(r.t, "sops", r.dir, args...)
	cmd.Env = append(cmd.Env, "SOPS_AGE_KEY="+r.workshop.key("prod").identity)
	out, err := cmd.CombinedOutput()
	return "sops " + strings.Join(args, " ") + ": " + string(out), err
}

func (r *repository) must(out string, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
}

func (r *repository) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

func (r *repository) read(name string) string {
	r.t.Helper()
	data, err := os.ReadFile(r.path(name))
	r.must("", err)
	return string(data)
}

func (r *repository) write(name, content string) {
	r.t.Helper()
	r.must("", os.MkdirAll(filepath.Dir(r.path(name)), 0o755))
	r.must("", os.WriteFile(r.path(name), []byte(content), 0o644))
}

// escapes are what a command writes for line breaks.
var escapes = strings.NewReplacer(`\n`, "\n", `\r`, "\r")

// edit replaces every match of a pattern.
func (r *repository) edit(name, pattern, with string) {
	r.t.Helper()
	before := r.read(name)
	after := regexp.MustCompile("(?m)"+pattern).ReplaceAllString(before, escapes.Replace(with))
	if after == before {
		r.t.Fatalf("edit %s: %s changes nothing in\n%s", name, pattern, before)
	}
	r.write(name, after)
}

// insert puts a text behind the first match of a pattern.
func (r *repository) insert(name, pattern, text string) {
	r.t.Helper()
	before := r.read(name)
	at := regexp.MustCompile("(?m)" + strings.ReplaceAll(pattern, `\n`, "\n")).FindStringIndex(before)
	if at == nil {
		r.t.Fatalf("insert %s: %s is not in\n%s", name, pattern, before)
	}
	r.write(name, before[:at[1]]+text+before[at[1]:])
}

// commit commits everything, a minute later each time.
func (r *repository) commit() {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "-q", "--allow-empty", "-m", "change")
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	out, err := r.tryGit(args...)
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (r *repository) tryGit(args ...string) (string, error) { return r.gitIn(r.dir, args...) }

func (r *repository) gitIn(dir string, args ...string) (string, error) {
	r.commits++
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.commits) * time.Minute).Format(time.RFC3339)
	cmd := exec.Command(r.workshop.watch.git, append([]string{"-c", "protocol.file.allow=always", "-c", "advice.addEmbeddedRepo=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+r.workshop.watch.path, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@shop.example", "GIT_AUTHOR_DATE="+at,
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@shop.example", "GIT_COMMITTER_DATE="+at)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// submodule makes a repository inside the repository, with what was at the path.
func (r *repository) submodule(name string) {
	r.t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "--all"}, {"commit", "-q", "--allow-empty", "-m", "inner"}} {
		out, err := r.gitIn(r.path(name), args...)
		r.must(out, err)
	}
}

// utf16 encodes a file as UTF-16, little (le) or big endian (be).
func (r *repository) utf16(name, order string) {
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
func (r *repository) repeat(name, section, n, text string) {
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
func (r *repository) doubling(dir, levels string) {
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

func (r *repository) number(text string) int {
	r.t.Helper()
	n, err := strconv.Atoi(text)
	r.must("", err)
	return n
}
