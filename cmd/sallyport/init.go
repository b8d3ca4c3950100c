package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/report"
	"github.com/sallyport/sallyport/secrets"
)

// draft is a file that init would write.
type draft struct {
	path string
	text string
	// What to add where the file exists, and what shows that it is there already.
	// Empty for a file that is left as it is.
	addition, sign string
	// why nothing can be written; empty for a draft that can.
	missing string
}

func newInit(s *streams) *cobra.Command {
	var age []string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Set a repository up: configuration, commit hook, CI job, creation rules",
		Long: `init writes what a repository needs so that every change to it is checked:

  .sallyport.yaml                   the configuration, with the policies it sees
  .pre-commit-config.yaml           a hook that checks what is about to be committed
  .github/workflows/sallyport.yml   where there is .github or a remote at GitHub
  .gitlab-ci.yml                    where there is a remote at GitLab
  .sops.yaml                        for whom to encrypt: the public keys that the
                                    encrypted files name, or those of --age

It asks nothing and never changes a file that exists: it says what to add to it.
A key is never made up. To run it again does no harm.`,
		Example: `  sallyport init
  sallyport init --dry-run
  sallyport init --age age1…`,
		GroupID: groupMore,
		Args:    arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, text := range age {
				if _, reason := secrets.ParseRecipient(text); reason != "" {
					return usage(cmd, fmt.Errorf("--age %s", reason))
				}
			}
			return runInit(cmd.Context(), s, age, dryRun)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&age, "age", nil, "encrypt for the age `RECIPIENT`, a public key (repeatable)")
	flags.BoolVar(&dryRun, "dry-run", false, "print what would be written and write nothing")
	return cmd
}

func runInit(ctx context.Context, s *streams, age []string, dryRun bool) error {
	snap, err := repo.Open(ctx, "", repo.Selector{})
	if err != nil {
		return err
	}
	drafts, err := draftAll(ctx, snap, age)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(snap.Root())
	if err != nil {
		return err
	}
	defer root.Close()
	for _, d := range drafts {
		if err := settle(s.out, root, d, dryRun); err != nil {
			return fmt.Errorf("write %s: %w", d.path, err)
		}
	}
	if !dryRun {
		fmt.Fprintln(s.out, "\nnext: read what was written, then sallyport check")
	}
	return nil
}

// settle writes one draft, or says why not.
func settle(w io.Writer, root *os.Root, d draft, dryRun bool) error {
	name := report.Sanitize(d.path)
	if d.missing != "" {
		fmt.Fprintf(w, "no    %s: %s\n", name, report.Sanitize(d.missing))
		return nil
	}
	existing, err := root.ReadFile(filepath.FromSlash(d.path))
	switch {
	case err == nil && d.sign != "" && !strings.Contains(string(existing), d.sign):
		fmt.Fprintf(w, "kept  %s; add to it:\n\n%s\n", name, indent(d.addition))
		return nil
	case err == nil:
		fmt.Fprintf(w, "kept  %s\n", name)
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case dryRun:
		fmt.Fprintf(w, "would write %s:\n\n%s\n", name, indent(d.text))
		return nil
	}
	if err := create(root, d.path, d.text); err != nil {
		return err
	}
	fmt.Fprintf(w, "wrote %s\n", name)
	return nil
}

// create writes a file that does not exist yet. A reader sees the whole of it or
// none, and a file that appears meanwhile is not overwritten: a link, unlike a
// rename, refuses.
func create(root *os.Root, name, text string) error {
	name = filepath.FromSlash(name)
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o777); err != nil { // the umask decides
			return err
		}
	}
	temp := filepath.Join(filepath.Dir(name), fmt.Sprintf(".%s.%d", filepath.Base(name), os.Getpid()))
	defer root.Remove(temp)
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := cmp.Or(err, f.Close()); err != nil {
		return err
	}
	return root.Link(temp, name)
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString("    ")
		}
		b.WriteString(line)
	}
	return b.String()
}
