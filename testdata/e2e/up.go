package main

import (
	"bufio"

	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// options are the flags of "up".
type options struct {
	dir            string
	kcm            bool
	scheduler      bool
	kwok           bool
	nodes          int
	apiserverFlags []string
	users          []string // name:group,group
}

// up starts the control plane, says where it is in one line of JSON on standard
// output, answers each command on standard input with another such line, and
// ends everything on SIGTERM, SIGINT or the end of standard input.
func up() int {
	// Children die with the thread that started them: all are started on this one.
	runtime.LockOSThread()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := run(ctx, cancel, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "e2e up:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, cancel func(), args []string, in io.Reader, out io.Writer) error {
	opts, err := parse(args)
	if err != nil {
		return err
	}
	if opts.dir == "" {
		if opts.dir, err = os.MkdirTemp("", "e2e-"); err != nil {
			return err
		}
		defer os.RemoveAll(opts.dir)
	}
	commands := read(in, cancel)
	began := time.Now()
	c, err := start(ctx, opts)
	if err != nil {
		return err
	}
	defer c.stop()
	users, err := c.users(opts.users)
	if err != nil {
		return err
	}
	answers := json.NewEncoder(out)
	if err := answers.Encode(c.describe(users, time.Since(began))); err != nil {
		return err
	}
	return c.serve(ctx, commands, answers)
}

func parse(args []string) (options, error) {
	var (
		o     options
		flags = flag.NewFlagSet("e2e up", flag.ContinueOnError)
		apis  string
	)
	flags.StringVar(&o.dir, "dir", "", "where data, keys and logs go; without it a directory that is removed at the end")
	flags.BoolVar(&o.kcm, "kcm", true, "run the controller manager")
	flags.BoolVar(&o.scheduler, "scheduler", true, "run the scheduler")
	flags.BoolVar(&o.kwok, "kwok", true, "run kwok, which plays kubelets")
	flags.IntVar(&o.nodes, "nodes", 3, "how many nodes kwok plays")
	flags.StringVar(&apis, "apiserver-flags", "", "further flags of the API server, separated by blanks")
	flags.Func("user", "name:group,group that gets a kubeconfig (repeatable)", func(s string) error {
		o.users = append(o.users, s)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	o.apiserverFlags = strings.Fields(apis)
	if o.dir != "" {
		dir, err := filepath.Abs(o.dir)
		o.dir = dir
		return o, errors.Join(err, os.MkdirAll(dir, 0o700))
	}
	return o, nil
}

// read sends the lines of standard input and calls done at its end, also while
// the control plane is still starting: whoever started us is gone then.
func read(in io.Reader, done func()) <-chan string {
	lines := make(chan string)
	go func() {
		defer done()
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}
