package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/report"
)

// diffOptions are the flags of diff.
type diffOptions struct {
	readFlags
	targets  []string
	between  bool
	ignore   []string
	noise    bool
	exitCode bool
	outputs  []string
}

func newDiff(s *streams) *cobra.Command {
	o := &diffOptions{}
	cmd := &cobra.Command{
		Use:   "diff [BASE]",
		Short: "Show what a change does to every target",
		Long: `diff renders every target that a change can affect, at the merge base with BASE
and in this snapshot, and shows which objects are added, removed and changed,
field by field, and where in the repository each new value is set. BASE is a
revision; without it the default branch of the upstream is taken (origin/HEAD,
else origin/main, origin/master, main or master).

What a prune would delete comes first. The same change in many targets is shown
once. Of Secrets only the keys are shown, never values. Labels and annotations
that change with every release are left out:

` + indent(strings.Join(diff.DefaultNoise(), "\n")) + `

With --between two targets of one snapshot are compared instead: what the second
lacks, has more, or sets to another value.`,
		Example: `  sallyport diff
  sallyport diff origin/main --target 'clusters/prod/**'
  sallyport diff --staged HEAD -o unified
  sallyport diff -o text -o markdown=comment.md --exit-code
  sallyport diff --between overlays/staging overlays/prod`,
		GroupID: groupMain,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.between {
				if len(args) != 2 {
					return usage(cmd, fmt.Errorf("--between takes two targets, got %d", len(args)))
				}
				return nil
			}
			return arguments(0, 1, "BASE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runDiff(cmd, s, o, args) },
	}
	targetFlag(cmd, &o.targets)
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&o.between, "between", false, "compare two targets of this snapshot: --between TARGET TARGET")
	flags.StringArrayVar(&o.ignore, "ignore-labels", nil, "also leave out labels and annotations whose key matches `PATTERN`, such as example.com/* (repeatable)")
	flags.BoolVar(&o.noise, "show-noise", false, "show the labels and annotations that are left out")
	flags.BoolVar(&o.exitCode, "exit-code", false, "exit with 1 if anything differs, or cannot be compared")
	flags.StringArrayVarP(&o.outputs, "output", "o", nil, "write the diff as `FORMAT[=FILE]`: "+strings.Join(report.DiffFormats(), ", ")+" (repeatable; default text)")
	o.readFlags.add(cmd)
	complete(cmd, "output", report.DiffFormats()...)
	return cmd
}

func runDiff(cmd *cobra.Command, s *streams, o *diffOptions, args []string) error {
	opts, err := o.options(cmd)
	if err != nil {
		return err
	}
	outputs, err := diffOutputs(o.outputs)
	if err != nil {
		return usage(cmd, err)
	}
	opts.Targets = o.targets
	opts.Diff = diff.Options{Ignore: o.ignore, ShowNoise: o.noise, Unified: wantsUnified(outputs)}
	var result *diff.Result
	err = s.watch(cmd.Context(), &o.readFlags, &opts, func() (err error) {
		switch {
		case o.between:
			result, err = gate.Between(cmd.Context(), opts, args[0], args[1])
		case len(args) == 1 && args[0] == "":
			err = usage(cmd, errors.New("BASE is empty; leave it out for the default branch"))
		default:
			result, err = gate.Diff(cmd.Context(), opts, strings.Join(args, ""))
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := o.write(s, outputs, result); err != nil {
		return err
	}
	if o.exitCode && result.Differs() {
		return errFindings
	}
	return nil
}

// diffOutputs reads the values of -o, as parseOutputs does for reports.
func diffOutputs(values []string) ([]output, error) {
	var out []output
	onStdout := 0
	for _, v := range values {
		format, file, named := strings.Cut(v, "=")
		switch {
		case !slices.Contains(report.DiffFormats(), format):
			return nil, fmt.Errorf("-o %q: unknown format (known: %s)", v, strings.Join(report.DiffFormats(), ", "))
		case named && file == "":
			return nil, fmt.Errorf("-o %q names no file", v)
		case file == "" || file == "-":
			file = ""
			onStdout++
		}
		out = append(out, output{format, file})
	}
	if onStdout > 1 {
		return nil, errors.New("only one -o can go to standard output; give the others a file: -o markdown=diff.md")
	}
	if len(values) == 0 {
		out = append(out, output{format: "text"})
	}
	return out, nil
}

func wantsUnified(outputs []output) bool {
	return wants(outputs, "unified") || wants(outputs, "html")
}

// write writes every diff that was asked for, standard output first.
func (o *diffOptions) write(s *streams, outputs []output, r *diff.Result) error {
	slices.SortStableFunc(outputs, func(a, b output) int { return strings.Compare(a.file, b.file) })
	for _, out := range outputs {
		if out.file == "" {
			if err := report.WriteDiff(s.out, out.format, r, report.DiffOptions{Color: s.color(o.color)}); err != nil {
				return err
			}
			continue
		}
		err := writeFile(out.file, func(w io.Writer) error { return report.WriteDiff(w, out.format, r, report.DiffOptions{}) })
		if err != nil {
			return fmt.Errorf("write %s: %w", out.file, err)
		}
	}
	return nil
}
