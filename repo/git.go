package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// killDelay is how long a cancelled Git may take to go away before its pipes
// are closed under it.
const killDelay = 2 * time.Second

// git runs Git's plumbing in one repository. Nothing that the repository's own
// configuration names is run: see settings and environ.
type git struct {
	ctx     context.Context // bounds every command; a snapshot lives as long as its Open's caller wants
	bin     string
	root    string // where commands run: the work tree's root, or the bare repository
	env     []string
	shallow bool
}

// settings come before every subcommand. Replace refs would spoof blobs, magic
// pathspecs would turn names into patterns, and fsmonitor and hooks are
// programs that a repository's configuration may name.
var settings = []string{
	"--no-replace-objects", "--literal-pathspecs", "--no-pager",
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=" + os.DevNull,
	"-c", "core.quotePath=false",
}

// newGit finds the repository at root, which was located without Git's help so
// that its core.worktree has no say. The first command is the only one that
// sees the user's configuration: it asks whether the user trusts the owner.
func newGit(ctx context.Context, root string, bare bool, env []string) (*git, error) {
	bin, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("%s is a Git repository, and git is needed to read it: %w", root, err)
	}
	if env == nil {
		env = (&exec.Cmd{}).Environ()
	}
	g := &git{ctx: ctx, bin: bin, root: root}
	g.env = append(without(env, localVariable), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	out, err := g.run("rev-parse", "--absolute-git-dir", "--is-shallow-repository")
	if err != nil {
		return nil, explainOwner(root, err)
	}
	dir, shallow, ok := strings.Cut(strings.TrimSuffix(string(out), "\n"), "\n")
	if !ok {
		return nil, fmt.Errorf("repository %s: git rev-parse gives no directory", root)
	}
	g.shallow = shallow == "true"
	g.env = environ(env, root, dir, bare)
	return g, nil
}

// localVariable reports whether a variable names a repository or a part of one,
// rather than a setting of the user (git rev-parse --local-env-vars).
func localVariable(name string) bool {
	switch name {
	case "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_IMPLICIT_WORK_TREE",
		"GIT_CEILING_DIRECTORIES":
		return true
	}
	return false
}

// environ is the environment of every command but the first. Only the
// repository's own configuration is left, and no transport is allowed: a blob
// that a partial clone lacks would else be fetched, which runs what
// remote.*.uploadpack or core.sshCommand names.
func environ(env []string, root, dir string, bare bool) []string {
	out := without(env, func(name string) bool { return strings.HasPrefix(name, "GIT_") && name != "GIT_EXEC_PATH" })
	out = append(out,
		"LC_ALL=C",
		"GIT_DIR="+dir,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_NO_LAZY_FETCH=1",
		"GIT_ALLOW_PROTOCOL=none",
		"GIT_TERMINAL_PROMPT=0",
	)
	if !bare {
		out = append(out, "GIT_WORK_TREE="+root)
	}
	if index := lookup(env, "GIT_INDEX_FILE"); index != "" {
		out = append(out, "GIT_INDEX_FILE="+absolute(root, index))
	}
	return append(out, quarantine(env, dir)...)
}

// quarantine returns the variables that let a pre-receive hook see the objects
// of the push that it judges (git-receive-pack, QUARANTINE ENVIRONMENT).
func quarantine(env []string, dir string) []string {
	own := lookup(env, "GIT_DIR")
	if own == "" {
		return nil
	}
	own, err := filepath.Abs(own)
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(own); err != nil || real != dir {
		return nil
	}
	var out []string
	for _, name := range []string{"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"} {
		if v := lookup(env, name); v != "" {
			out = append(out, name+"="+v)
		}
	}
	return out
}

func absolute(root, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(root, path)
}

// without returns a copy of env without the variables that drop names.
func without(env []string, drop func(name string) bool) []string {
	var out []string
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); !drop(name) {
			out = append(out, kv)
		}
	}
	return out
}

// lookup returns the last value of a variable, as exec.Cmd takes it.
func lookup(env []string, name string) (value string) {
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value = v
		}
	}
	return value
}

func (g *git) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(g.ctx, g.bin, append(settings[:len(settings):len(settings)], args...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = g.root, g.env, killDelay
	return cmd
}

// run returns what a command prints. The error is the context's if that ended.
func (g *git) run(args ...string) ([]byte, error) {
	return g.feed("", args...)
}

// feed is run with standard input.
func (g *git) feed(stdin string, args ...string) ([]byte, error) {
	cmd := g.command(args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, g.fail(args[0], err, stderr.String())
	}
	return out, nil
}

func (g *git) fail(subcommand string, err error, stderr string) error {
	if g.ctx.Err() != nil {
		return g.ctx.Err()
	}
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	if line = strings.TrimPrefix(line, "fatal: "); line == "" {
		return fmt.Errorf("git %s: %w", subcommand, err)
	}
	return fmt.Errorf("git %s: %s: %w", subcommand, line, err)
}

// explainOwner adds the next step where Git refuses a repository of another
// user, as in containers that mount a checkout (CVE-2022-24765).
func explainOwner(root string, err error) error {
	if strings.Contains(err.Error(), "dubious ownership") || strings.Contains(err.Error(), "unsafe repository") {
		return fmt.Errorf("repository %s belongs to another user, and Git does not trust it: "+
			"if you do, run: git config --global --add safe.directory %s", root, root)
	}
	return fmt.Errorf("repository %s: %w", root, err)
}

// commit returns the SHA that rev names, following tags.
func (g *git) commit(rev string) (string, error) {
	if strings.HasPrefix(rev, "-") || strings.ContainsAny(rev, "\x00\n") {
		return "", fmt.Errorf("%w %q", ErrRevision, rev)
	}
	out, err := g.run("rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	if g.ctx.Err() != nil {
		return "", g.ctx.Err()
	}
	head, headErr := g.head()
	switch {
	case headErr != nil:
		return "", headErr
	case g.shallow:
		return "", fmt.Errorf("%w %q: this clone is shallow; deepen it with: git fetch --unshallow, or: git fetch --depth=1 origin %s",
			ErrRevision, rev, rev)
	case head == "":
		return "", fmt.Errorf("%w %q: HEAD has no commit yet", ErrRevision, rev)
	}
	return "", fmt.Errorf("%w %q", ErrRevision, rev)
}

// head returns the SHA of HEAD, empty where it has no commit yet.
func (g *git) head() (string, error) {
	out, err := g.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", nil
	}
	return strings.TrimSpace(string(out)), err
}
