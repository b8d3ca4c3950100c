package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// The groups of commands in the help.
const (
	groupMain = "main"
	groupMore = "more"
)

// run executes the command line and returns the exit code. A second interrupt
// kills the process at once.
func run(ctx context.Context, s *streams, args []string) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRoot(s)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Canceled // whatever an interrupted step made of it
	}
	printError(s.err, err, hintFor(cmd, err))
	return exitCode(err)
}

func newRoot(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "sallyport",
		Short: "Check a GitOps repository before it is merged, and again before it is applied",
		Long: `sallyport checks a GitOps repository before it is merged. It finds what the
repository deploys, renders every target in memory without any key, and judges
the result: does it render, would the API server accept it, does it follow the
policies, is every secret encrypted and does it stay where it belongs. That needs
no cluster, no key and no network, and no configuration to begin with.

In the cluster, apply has the same commit judged again, decrypts its secrets in
memory and applies it.`,
		Example: `  sallyport check                    check what the current directory and those below it deploy
  sallyport check --staged           check what the next commit would contain
  sallyport targets                  list what is deployed, and why it counts as that
  sallyport render overlays/prod     print one target as it would be applied
  sallyport explain secret-plaintext what a finding means and how to put it right`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noUnknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if wanted, _ := cmd.Flags().GetBool("version"); wanted {
				return writeVersion(s, "text")
			}
			return cmd.Help()
		},
	}
	root.Flags().Bool("version", false, "print the version, as the command version does")
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, plainFlagError(err)) })
	root.SuggestionsMinimumDistance = suggestWithin
	root.SetUsageTemplate(usageTemplate(root.UsageTemplate()))
	root.AddGroup(&cobra.Group{ID: groupMain, Title: "Commands:"}, &cobra.Group{ID: groupMore, Title: "More:"})
	root.AddCommand(newCheck(s), newRender(s), newTargets(s), newDiff(s), newSeal(s), newSecrets(s), newPolicy(s), newExplain(s), newVersion(s), newCompletion(s))
	root.AddCommand(newInit(s), newReport(s), newApply(s), newDrift(s), newStatus(s))
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID(groupMore)
	return root
}

// suggestWithin is how many letters may differ between a typo and the command
// that is suggested, cobra's own default.
const suggestWithin = 2

// usageTemplate changes cobra's template so that a command that only has
// subcommands gets one usage line, not two, and a COMMAND is written as one.
func usageTemplate(template string) string {
	template = strings.Replace(template, "{{if .Runnable}}", "{{if not .HasAvailableSubCommands}}", 1)
	template = strings.Replace(template, "{{.CommandPath}} [command]{{end}}", "{{.CommandPath}} COMMAND [flags]{{end}}", 1)
	template = strings.Replace(template, "Available Commands:", "Commands:", 1)
	return strings.Replace(template, `Use "{{.CommandPath}} [command] --help" for more information about a command.`, `{{.CommandPath}} COMMAND --help says more about a command.`, 1)
}

// newHelp replaces cobra's help command, which takes an unknown topic for a
// success.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command",
		GroupID: groupMore,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usage(cmd.Root(), fmt.Errorf("unknown command %q", strings.Join(args, " ")))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

// plainFlagError leaves out which Go function could not read a number.
func plainFlagError(err error) error {
	var number *strconv.NumError
	if !errors.As(err, &number) {
		return err
	}
	return errors.New(strings.Replace(err.Error(), number.Error(), number.Err.Error(), 1))
}

// usage makes a mistake in the command line of cmd out of err.
func usage(cmd *cobra.Command, err error) error {
	return &usageError{err: err, hint: cmd.CommandPath() + " --help shows what it takes"}
}

// noUnknownCommand is the Args of a command that only has subcommands.
func noUnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", strings.TrimSpace(args[0]))
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return &usageError{err: err, hint: "did you mean " + cmd.CommandPath() + " " + near[0] + "?"}
	}
	return usage(cmd, err)
}

// arguments is the Args of a command that takes from least to most of them,
// called names in the message.
func arguments(least, most int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > most && most == 0:
			return usage(cmd, fmt.Errorf("%s takes no argument, got %q", cmd.CommandPath(), args[0]))
		case len(args) > most:
			return usage(cmd, fmt.Errorf("%s takes one %s, got %d arguments", cmd.CommandPath(), names, len(args)))
		case len(args) < least:
			return usage(cmd, errors.New(cmd.CommandPath()+" needs a "+names))
		}
		return nil
	}
}
