package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/repo"
)

// readFlags are the flags of every command that reads a repository.
type readFlags struct {
	staged       bool
	rev          string
	config       string
	jobs         int
	offline      bool
	allowNetwork bool
	color        string
	verbose      bool
}

func (f *readFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.staged, "staged", false, "read the Git index: what the next commit would contain")
	flags.StringVar(&f.rev, "rev", "", "read the commit that `REV` names, instead of the work tree")
	flags.StringVar(&f.config, "config", "", "read the configuration from `FILE`, instead of the nearest .sallyport.yaml")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "work on `N` targets at a time (default: one for each processor)")
	flags.BoolVar(&f.offline, "offline", true, "use no network; what wants it is a finding or an error")
	flags.BoolVar(&f.allowNetwork, "allow-network", false, "lift --offline: fetch remote references and schemas")
	flags.StringVar(&f.color, "color", "auto", "colour the output: `WHEN` is auto, always or never; NO_COLOR is honoured")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "say on standard error how long each stage took")
	complete(cmd, "color", "auto", "always", "never")
}

// options makes the gate's options of the flags.
func (f *readFlags) options(cmd *cobra.Command) (gate.Options, error) {
	switch {
	case f.staged && f.rev != "":
		return gate.Options{}, usage(cmd, errors.New("--staged and --rev exclude each other"))
	case cmd.Flags().Changed("rev") && f.rev == "":
		return gate.Options{}, usage(cmd, errors.New("--rev needs a revision"))
	case f.jobs < 0:
		return gate.Options{}, usage(cmd, fmt.Errorf("--jobs %d is less than one", f.jobs))
	case f.allowNetwork && f.offline && cmd.Flags().Changed("offline"):
		return gate.Options{}, usage(cmd, errors.New("--offline and --allow-network exclude each other"))
	case !slices.Contains([]string{"auto", "always", "never"}, f.color):
		return gate.Options{}, usage(cmd, fmt.Errorf("--color %q is not auto, always or never", f.color))
	}
	return gate.Options{
		Selector:     repo.Selector{Staged: f.staged, Rev: f.rev},
		ConfigFile:   f.config,
		Jobs:         f.jobs,
		AllowNetwork: f.allowNetwork || !f.offline,
		ToolVersion:  readBuild().Version,
	}, nil
}

// targetFlag narrows a command to some targets.
func targetFlag(cmd *cobra.Command, into *[]string) {
	cmd.Flags().StringArrayVar(into, "target", nil, "only targets whose path matches `GLOB`; ** crosses directories (repeatable)")
}

// policyFlags are the flags that say which policies are loaded, as in conftest.
type policyFlags struct {
	policies, data, namespaces []string
}

func (f *policyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&f.policies, "policy", "p", nil, "also load Rego policies from `DIR` (repeatable)")
	flags.StringSliceVarP(&f.data, "data", "d", nil, "give policies the JSON and YAML files at `PATH` as data (repeatable)")
	flags.StringSliceVarP(&f.namespaces, "namespace", "n", nil, "evaluate the Rego package `NAME` (repeatable; default main)")
}

func (f *policyFlags) apply(o *gate.Options) {
	o.Policies, o.Data, o.Namespaces = f.policies, f.data, f.namespaces
}

// watch runs fn, which only reads, and does not wait for it long after an
// interrupt. The options report to standard error meanwhile: timings with -v,
// else a line of progress where it can be redrawn.
func (s *streams) watch(ctx context.Context, f *readFlags, o *gate.Options, fn func() error) error {
	if f.verbose {
		o.Trace = func(stage string, d time.Duration) {
			fmt.Fprintf(s.err, "%-24s %8.3fs\n", stage, d.Seconds())
		}
		return promptly(ctx, fn)
	}
	if !s.redraws() {
		return promptly(ctx, fn)
	}
	p := startProgress(s.err)
	defer p.stop()
	o.Trace = p.finished
	return promptly(ctx, fn)
}

// leaveAfter is how long work that only reads may take to stop after an
// interrupt. What heeds it needs milliseconds; a build in kustomize cannot be
// cancelled, and goes on for as long as it takes.
const leaveAfter = time.Second

// promptly runs work that only reads, and leaves it behind where it does not stop
// soon after ctx is done; the process ends then, and the work with it.
func promptly(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(leaveAfter):
		return ctx.Err()
	}
}

// complete offers values for a flag to shells.
func complete(cmd *cobra.Command, flag string, values ...string) {
	// The only error is an unknown flag, which the tests would show.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		out := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !strings.HasPrefix(v, prefix) })
		return out, cobra.ShellCompDirectiveNoFileComp
	})
}
