package repo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// killDelay is how long a cancelled Git may take to go away before its pipes
// are closed under it.
const killDelay = 2 * time.Second

// errPartial says that a blob is needed that a partial clone has not fetched.
// Git ends at the first one, so that the others cannot be counted.
var errPartial = errors.New("this partial clone lacks blobs that are needed, and nothing is fetched on the way; " +
	"fetch them first with: git fetch --refetch --no-filter")

// errCut says that Git ended before it had answered everything. Why it did is in
// its own error, if there is one.
var errCut = errors.New("its output is cut short")

// git runs Git's plumbing in one repository. Nothing that the repository's own
// configuration names is run: see settings and environ.
type git struct {
	ctx     context.Context // bounds every command; a snapshot lives as long as its Open's caller wants
	bin     string
	root    string // where commands run: the work tree's root, or the bare repository
	env     []string
	shallow bool
	sha256  bool // objects are named by SHA-256 rather than SHA-1

	// The files of the repository that say when the index was written, how
	// contents are converted on the way to disk, and where a shallow clone ends.
	index, attributes, boundary string
}

// with returns g for commands that ctx bounds.
func (g *git) with(ctx context.Context) *git {
	bounded := *g
	bounded.ctx = ctx
	return &bounded
}

// settings come before every subcommand. Replace refs would spoof blobs, magic
// pathspecs would turn names into patterns, and fsmonitor and hooks are
// programs that a repository's configuration may name. Grafts are switched off
// in environ, and the advice about them here.
var settings = []string{
	"--no-replace-objects", "--literal-pathspecs", "--no-pager",
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=" + os.DevNull,
	"-c", "core.quotePath=false",
	"-c", "advice.graftFileDeprecated=false",
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
	out, err := g.run("rev-parse", "--absolute-git-dir", "--is-shallow-repository", "--show-object-format",
		"--git-path", "index", "--git-path", "info/attributes", "--git-path", "shallow")
	if err != nil {
		return nil, explainOwner(root, err)
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != 6 {
		return nil, fmt.Errorf("repository %s: git rev-parse gives no directory", root)
	}
	g.shallow, g.sha256 = answers[1] == "true", answers[2] == "sha256"
	g.index, g.attributes, g.boundary = absolute(root, answers[3]), absolute(root, answers[4]), absolute(root, answers[5])
	g.env = environ(env, root, answers[0], bare)
	if index := lookup(g.env, "GIT_INDEX_FILE"); index != "" {
		g.index = index
	}
	return g, nil
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

// stream runs a command with standard input and gives what it prints to read
// while it runs. An error of read ends the command, and is returned as it is
// unless the command failed first.
func (g *git) stream(stdin string, read func(*bufio.Reader) error, args ...string) error {
	ctx, stop := context.WithCancel(g.ctx)
	defer stop()
	cmd := g.with(ctx).command(args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("git %s: %w", args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return g.fail(args[0], err, "")
	}
	readErr := read(bufio.NewReaderSize(stdout, 1<<16))
	ended := readErr == nil || errors.Is(readErr, errCut)
	if !ended {
		stop()
	}
	waitErr := cmd.Wait()
	switch {
	case g.ctx.Err() != nil:
		return g.ctx.Err()
	case ended && waitErr != nil:
		return g.fail(args[0], waitErr, stderr.String())
	case errors.Is(readErr, errCut):
		return fmt.Errorf("git %s: %w", args[0], readErr)
	}
	return readErr
}

func (g *git) fail(subcommand string, err error, stderr string) error {
	if g.ctx.Err() != nil {
		return g.ctx.Err()
	}
	if strings.Contains(stderr, "promisor remote") {
		return errPartial
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
		if err := g.unambiguous(rev); err != nil {
			return "", err
		}
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
		return "", fmt.Errorf("%w %q: %w; deepen it with: git fetch --unshallow, or: git fetch --depth=1 origin %s",
			ErrRevision, rev, ErrShallow, rev)
	case head == "":
		return "", fmt.Errorf("%w %q: %w", ErrRevision, rev, ErrUnborn)
	}
	return "", fmt.Errorf("%w %q", ErrRevision, rev)
}

// unambiguous refuses a name that several references have. Git would take the
// tag and say so on standard error; whoever may push a tag called origin/main
// could then choose what a change is compared with.
func (g *git) unambiguous(rev string) error {
	name := rev
	if i := strings.IndexAny(rev, "^~@:"); i >= 0 {
		name = rev[:i]
	}
	if name == "" || name == "HEAD" || strings.HasPrefix(name, "refs/") {
		return nil
	}
	candidates := []string{"refs/tags/" + name, "refs/heads/" + name, "refs/remotes/" + name, "refs/remotes/" + name + "/HEAD"}
	out, err := g.run(append([]string{"for-each-ref", "--format=%(refname)"}, candidates...)...)
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(strings.Fields(string(out)), func(ref string) bool { return !slices.Contains(candidates, ref) })
	if len(found) > 1 {
		return fmt.Errorf("%w %q: it is ambiguous, %s have that name; write the one you mean in full",
			ErrRevision, rev, strings.Join(found, " and "))
	}
	return nil
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
