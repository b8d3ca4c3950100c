package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/report"
)

// The files of a pod's ServiceAccount, as the kubelet mounts them.
const podNamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// minInterval keeps --interval from becoming a busy loop.
const minInterval = 5 * time.Second

// clusterFlags say which cluster, and as whom. The commands for a cluster share
// them.
type clusterFlags struct {
	kubeconfig, context, namespace string
}

func (f *clusterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "use the kubeconfig `FILE` instead of the pod's ServiceAccount")
	flags.StringVar(&f.context, "context", "", "use the context `NAME` of the kubeconfig")
	flags.StringVar(&f.namespace, "namespace", "", "the `NAMESPACE` of inventory, status and lease (default: the pod's own)")
}

// own is the namespace of the runner.
func (f *clusterFlags) own() string {
	if f.namespace != "" {
		return f.namespace
	}
	data, err := os.ReadFile(podNamespaceFile)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// jobFlags are those of apply and drift.
type jobFlags struct {
	clusterFlags
	config, directory, revision, expect string
	jobs                                int
	format                              string
	quiet                               bool
}

func (f *jobFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.config, "config", "", "the cluster's own configuration `FILE`, outside the repository (required)")
	flags.StringVar(&f.directory, "directory", "", "take the repository in `DIR` instead of fetching apply.source.url")
	flags.StringVar(&f.revision, "revision", "", "take this `REV` instead of the configured branch, tag or commit")
	flags.StringVar(&f.expect, "expect-digest", "", "refuse a sealed render other than this `DIGEST`, or other than those of a JSON report of check")
	f.clusterFlags.add(cmd)
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "render and check with `N` workers (default: one for each processor)")
	flags.StringVarP(&f.format, "output", "o", "text", "print as `FORMAT`: text or json")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing on standard error while at work")
	complete(cmd, "output", "text", "json")
}

// job makes the job that the flags describe.
func (f *jobFlags) job(cmd *cobra.Command, s *streams, targets []string) (*job.Job, error) {
	if f.format != "text" && f.format != "json" {
		return nil, usage(cmd, fmt.Errorf("-o %q: unknown format (known: text, json)", f.format))
	}
	holder, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this host: %w", err)
	}
	opts := job.Options{
		Config: f.config, Directory: f.directory, Revision: f.revision, Targets: targets, Expect: f.expect,
		Kubeconfig: f.kubeconfig, Context: f.context, Namespace: f.own(), Holder: fmt.Sprintf("%s-%d", holder, os.Getpid()),
		ToolVersion: readBuild().Version, Jobs: f.jobs,
	}
	if !f.quiet {
		opts.Tell = s.teller()
	}
	return job.New(opts)
}

// teller writes lines of progress to standard error, from any goroutine.
func (s *streams) teller() func(string) {
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(s.err, report.Sanitize(line))
	}
}

func newApply(s *streams) *cobra.Command {
	f := &jobFlags{}
	var interval time.Duration
	var once bool
	var listen string
	cmd := &cobra.Command{
		Use:   "apply [TARGET...]",
		Short: "In the cluster: check a commit again, decrypt it in memory, and apply it",
		Long: `apply takes one commit into the cluster that it runs in. It fetches the commit,
checks it once more by the cluster's own configuration, decrypts its secrets in
memory, applies it server-side, waits until it is healthy, and prunes what it does
not have any more. What the repository says about itself does not count: policies,
waivers and recipients are those of --config.

Without --interval it runs once. With it, it runs until it is stopped, takes up
new commits, and reports or corrects drift.`,
		Example: `  sallyport apply --config /etc/sallyport/config.yaml
  sallyport apply overlays/prod --config config.yaml --revision 4f2a9c1
  sallyport apply --config config.yaml --expect-digest report.json
  sallyport apply --config config.yaml --interval 1m --listen :8080`,
		GroupID: groupMain,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case once && interval > 0:
				return usage(cmd, errors.New("--once and --interval exclude each other"))
			case interval != 0 && interval < minInterval:
				return usage(cmd, fmt.Errorf("--interval must be %s or more", minInterval))
			case listen != "" && interval == 0:
				return usage(cmd, errors.New("--listen needs --interval: one run is over before anybody asks"))
			}
			if err := harden(); err != nil {
				return fmt.Errorf("keep secrets out of core dumps: %w", err)
			}
			j, err := f.job(cmd, s, args)
			if err != nil {
				return err
			}
			if interval > 0 {
				return f.loop(cmd.Context(), s, j, interval, listen)
			}
			out, err := j.Run(cmd.Context())
			return f.finish(s, out, err)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&once, "once", false, "run once (the default)")
	cmd.Flags().DurationVar(&interval, "interval", 0, "run again after each `DURATION`, such as 1m, until stopped")
	cmd.Flags().StringVar(&listen, "listen", "", "serve /metrics and /healthz at `ADDRESS`, such as :8080")
	return cmd
}

// loop runs until it is stopped, which is its good end.
func (f *jobFlags) loop(ctx context.Context, s *streams, j *job.Job, interval time.Duration, listen string) error {
	if listen != "" {
		stop, err := serve(listen, j.Handler(job.Unhealthy(interval)), s)
		if err != nil {
			return err
		}
		defer stop()
	}
	var usage error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first, told := true, []string{}
	j.Loop(ctx, interval, func(out *job.Outcome, err error) {
		notes := out.Notes
		if slices.Equal(notes, told) && f.format == "text" {
			out.Notes = nil // once is enough, as long as nothing is new
		}
		told = notes
		var wrong *gate.UsageError
		// A wrong Deployment ends at once, so that it is seen. What was right once is
		// looked at again: the next version of the configuration may be on its way.
		if err := f.finish(s, out, err); first && errors.As(err, &wrong) && out.Revision == "" {
			usage = err
			cancel()
		} else {
			printError(s.err, err, "")
		}
		first = false
	})
	return usage
}

// The times of a client of /metrics: nobody may hold a connection for long.
const serveTimeout = 10 * time.Second

// serve answers until stop is called.
func serve(address string, h http.Handler, s *streams) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: h, ReadTimeout: serveTimeout, WriteTimeout: serveTimeout, MaxHeaderBytes: 16 << 10}
	var done sync.WaitGroup
	done.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			printError(s.err, err, "")
		}
	})
	return func() {
		_ = server.Close()
		done.Wait()
	}, nil
}

// finish writes how a run went and turns what happened into an error for the exit
// code: what the gate or the cluster refuses is a finding.
func (f *jobFlags) finish(s *streams, out *job.Outcome, err error) error {
	if writeErr := writeOutcome(s, f.format, out, err); writeErr != nil {
		return writeErr
	}
	if job.IsFinding(err) {
		return errFindings
	}
	return err
}
