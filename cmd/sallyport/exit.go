package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/report"
)

// The exit codes. Where several apply, usage beats could-not-look beats
// findings.
const (
	exitClean       = 0
	exitFindings    = 1
	exitUsage       = 2
	exitNoLook      = 3
	exitInterrupted = 130 // 128 + SIGINT, as shells count
)

// errFindings ends a command that did its work and found something. It prints
// nothing: the report has said it.
var errFindings = errors.New("findings")

// usageError is a mistake in the command line, with the way to put it right.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// exitCode turns the error of a command into its exit code.
func exitCode(err error) int {
	var usage *usageError
	var config *gate.UsageError
	switch {
	case err == nil:
		return exitClean
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &config):
		return exitUsage
	case err == errFindings:
		return exitFindings
	}
	return exitNoLook
}

// printError writes "error: …" and, where there is a next step, "hint: …".
func printError(w io.Writer, err error, hint string) {
	if err == nil || err == errFindings {
		return
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	for i, line := range lines {
		lines[i] = report.Sanitize(line)
	}
	fmt.Fprintf(w, "error: %s\n", strings.Join(lines, "\n       "))
	if hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}

// hintFor returns the next step after an error of cmd, where one is known.
func hintFor(cmd *cobra.Command, err error) string {
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		return usage.hint
	case errors.Is(err, gate.ErrNoTargets):
		return hintNoTargets(cmd)
	case errors.Is(err, repo.ErrUnborn), errors.Is(err, repo.ErrShallow):
		return "" // the error says what to do, or there is nothing to fetch
	case errors.Is(err, repo.ErrRevision):
		return "git fetch brings a missing commit"
	}
	return ""
}

// hintNoTargets names only what helps cmd: not targets where targets has failed,
// and no flag that it lacks.
func hintNoTargets(cmd *cobra.Command) string {
	switch flags := cmd.Flags(); {
	case flags.Changed("target"):
		return "sallyport targets lists the targets"
	case flags.Changed("only"):
		return "--allow-empty accepts that there is nothing"
	case flags.Lookup("allow-empty") != nil:
		return "sallyport check --only secrets judges the files alone; --allow-empty accepts that there is nothing"
	}
	return "sallyport check --only secrets judges the files alone"
}

// exitCodesDoc is the topic exit-codes of explain.
const exitCodesDoc = `  0    clean; warnings are allowed
  1    at least one finding at or above --fail-on (error, unless changed); for
       apply: refused or not healthy; for drift and status: something differs
  2    usage or configuration: an unknown flag, a mistake in .sallyport.yaml,
       or no target to check
  3    could not look: Git, the file system, the network or the cluster refused
  130  interrupted

Where several apply, 2 beats 3 beats 1. Nothing checked is never 0: where no
target is found the code is 2, unless --allow-empty is given. A target that
does not render is a finding (1).
`
