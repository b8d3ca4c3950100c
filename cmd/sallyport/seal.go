package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/report"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/secrets/encrypt"
)

func newSeal(s *streams) *cobra.Command {
	var opts encrypt.Options
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "seal FILE...",
		Short: "Encrypt plaintext secrets in place",
		Long: `seal encrypts files in place, so that they can be committed. The recipients are
those that .sops.yaml names for the file. Only public keys are needed; sops, with
a private key, opens the result. Without one nobody gets the values back: keep
them elsewhere until you know that somebody can.

In a Kubernetes Secret only the values of data and stringData change. Other YAML
and JSON, .env and .ini files keep their keys and their layout too; any other
file becomes one encrypted whole. Comments between the values are encrypted
unless they are plain prose.

All files are looked at before the first one is written. What cannot be sealed so
that sops gives back the same values is left as it is, and seal says why.

A .sops.yaml to begin with, at the root of the repository. age-keygen makes a
key; only its public part, age1…, goes in here:

  creation_rules:
    - path_regex: \.ya?ml$
      encrypted_regex: ^(data|stringData)$
      age: [age1…]
    - age: [age1…]`,
		Example: `  sallyport seal base/db-secret.yaml
  sallyport seal --dry-run overlays/*/secrets.env    # say what would happen
  sallyport seal --age age1… db-secret.yaml          # without any .sops.yaml

  sops decrypt base/db-secret.yaml                   # with the private key
  sops edit base/db-secret.yaml                      # change a sealed value`,
		GroupID: groupMain,
		Args:    sealArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSeal(cmd.Context(), s, args, opts, dryRun)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&opts.Recipients, "age", nil, "encrypt to `RECIPIENT` where no rule of .sops.yaml is for a file (repeatable)")
	flags.BoolVar(&opts.AllComments, "encrypt-comments", false, "encrypt comments that are plain prose too, as sops does")
	flags.BoolVar(&dryRun, "dry-run", false, "say what would be sealed and write nothing")
	return cmd
}

func sealArguments(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usage(cmd, errors.New(cmd.CommandPath()+" needs a FILE"))
	case slices.Contains(args, "-"):
		return usage(cmd, errors.New(cmd.CommandPath()+" works on files in place, not on standard input"))
	}
	return nil
}

func runSeal(ctx context.Context, s *streams, args []string, opts encrypt.Options, dryRun bool) error {
	for _, arg := range args {
		if err := errors.Join(regular(arg), fromRoot(ctx, arg)); err != nil {
			return err
		}
	}
	snap, err := repo.Open(ctx, filepath.Dir(args[0]), repo.Selector{})
	if err != nil {
		return err
	}
	if opts.Creation, err = gate.CreationTree(snap); err != nil {
		return err
	}
	var paths []string
	for _, arg := range args {
		path, err := insideOf(snap.Root(), arg)
		if err != nil {
			return err
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	files, err := encrypt.Seal(ctx, snap, paths, opts)
	if err != nil {
		return sealError(err)
	}
	if !dryRun {
		if err := encrypt.Write(snap.Root(), files); err != nil {
			return err
		}
	}
	for _, f := range files {
		writeSealed(s.out, f, dryRun)
		writeNotes(s.err, f)
	}
	return nil
}

// regular refuses what must never be opened: reading a pipe or a device blocks, or
// does something.
func regular(arg string) error {
	info, err := os.Lstat(arg)
	if err != nil {
		return nil // insideOf says why
	}
	kind := map[fs.FileMode]string{
		fs.ModeNamedPipe: "a named pipe", fs.ModeSocket: "a socket", fs.ModeDevice: "a device", fs.ModeDevice | fs.ModeCharDevice: "a device",
	}[info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice|fs.ModeCharDevice)]
	if kind == "" {
		return nil
	}
	return &usageError{
		err:  fmt.Errorf("%s is %s: seal works on files in place", arg, kind),
		hint: "write the values into a file of the repository first, and seal that",
	}
}

// fromRoot says how a file is named that does not exist below the current
// directory, and does below the root of the repository: that is how findings name it.
func fromRoot(ctx context.Context, arg string) error {
	if _, err := os.Lstat(arg); err == nil || filepath.IsAbs(arg) {
		return nil
	}
	snap, err := repo.Open(ctx, ".", repo.Selector{})
	if err != nil {
		return nil // it is told for the file itself
	}
	name := filepath.Join(snap.Root(), arg)
	here, err := filepath.Abs(".")
	if err != nil {
		return nil
	}
	here, err = filepath.EvalSymlinks(here) // the root is without them
	if err != nil {
		return nil
	}
	relative, err := filepath.Rel(here, name)
	if err != nil {
		return nil
	}
	if _, err := os.Lstat(relative); err != nil {
		return nil
	}
	return &usageError{
		err:  fmt.Errorf("%s: no such file below the current directory", arg),
		hint: "findings name files from the root of the repository: sallyport seal " + relative,
	}
}

// insideOf returns the path of a file relative to the repository root. The
// file itself may be a symbolic link, which is for the snapshot to refuse.
func insideOf(root, arg string) (string, error) {
	abs, err := filepath.Abs(arg)
	if err != nil {
		return "", fmt.Errorf("%s: %w", arg, err)
	}
	info, err := os.Lstat(abs)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", arg, errors.Unwrap(err))
	case info.IsDir():
		return "", &usageError{err: fmt.Errorf("%s is a directory", arg), hint: "name the files in it that are to be sealed"}
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", fmt.Errorf("%s: %w", arg, err)
	}
	rel, err := filepath.Rel(root, filepath.Join(dir, filepath.Base(abs)))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", &usageError{err: fmt.Errorf("%s is not in the repository of the first file", arg), hint: "seal the files of each repository on their own"}
	}
	return filepath.ToSlash(rel), nil
}

// sealError makes one usage error of all that was refused. An error about the
// machine stays what it is.
func sealError(err error) error {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return err
	}
	var lines, hints []string
	for _, one := range joined.Unwrap() {
		var refused *encrypt.Error
		if !errors.As(one, &refused) {
			return err
		}
		lines = append(lines, refused.Error())
		if refused.Hint != "" && !slices.Contains(hints, refused.Hint) {
			hints = append(hints, refused.Hint)
		}
	}
	lines = append(lines, "nothing was sealed")
	return &usageError{err: errors.New(strings.Join(lines, "\n")), hint: strings.Join(hints, "\nhint: ")}
}

// writeSealed says what became of a file: how many values, by which rule, for
// whom.
func writeSealed(w io.Writer, f *encrypt.File, dryRun bool) {
	verb := "sealed"
	if dryRun {
		verb = "would seal"
	}
	fmt.Fprintf(w, "%s %s: %s\n", verb, report.Sanitize(f.Path), amounts(f))
	fmt.Fprintf(w, "  rule %s\n", report.Sanitize(ruleOf(f)))
	for _, r := range f.Recipients {
		fmt.Fprintf(w, "  for  %s\n", report.Sanitize(encrypt.Short(r)))
	}
}

func amounts(f *encrypt.File) string {
	if f.Format == secrets.Binary {
		return "the whole file"
	}
	out := count(f.Values, "value")
	if f.Comments > 0 {
		out += ", " + count(f.Comments, "comment")
	}
	if f.Open > 0 {
		out += fmt.Sprintf(" (%s left readable)", count(f.Open, "comment"))
	}
	return out
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func ruleOf(f *encrypt.File) string {
	where := "given with --age"
	if f.Rule != (finding.Span{}) {
		where = f.Rule.String()
	}
	switch sel := f.Selection; {
	case f.Format == secrets.Binary:
		return where
	case sel.EncryptedRegex != "":
		return where + ", keys that match " + sel.EncryptedRegex
	case sel.UnencryptedRegex != "":
		return where + ", keys that do not match " + sel.UnencryptedRegex
	case sel.EncryptedSuffix != "":
		return where + ", keys that end in " + sel.EncryptedSuffix
	case sel.UnencryptedSuffix != "":
		return where + ", keys that do not end in " + sel.UnencryptedSuffix
	}
	return where + ", selected by comments"
}

// writeNotes says what is still to do.
func writeNotes(w io.Writer, f *encrypt.File) {
	for _, warning := range f.Warnings {
		fmt.Fprintf(w, "warning: %s: %s\n", report.Sanitize(warning.Span.String()), report.Sanitize(warning.Message))
	}
	path := report.Sanitize(f.Path)
	if f.Unnamed {
		fmt.Fprintf(w, "note: %s: sops needs --input-type %s --output-type %s for it, as its name does not end in .env\n", path, f.Format, f.Format)
	}
	if f.Rule == (finding.Span{}) {
		fmt.Fprintf(w, "note: %s: add a rule with these recipients to %s, so that the next one seals for the same\n", path, secrets.CreationRulesName)
	}
	switch f.Committed {
	case "":
	case "HEAD":
		fmt.Fprintf(w, "note: %s: HEAD holds these values in the open; if it was ever pushed, rotate them\n", path)
	default:
		fmt.Fprintf(w, "note: %s: the values were pushed in the open and stay in the history; rotate them\n", path)
	}
}
