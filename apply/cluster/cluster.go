// Package cluster is the connection to one Kubernetes API server.
//
// It is the only room that knows client-go. Everything it sends goes under one
// field manager, with strict field validation, without force unless asked, with
// a deadline, and is sent again where the failure says that this helps: refused
// or lost connections, 429, 502, 503, 504 and timeouts, never any other 500,
// because a type error comes back as one and the server logs the value.
//
// Every failure is an [Error]. Its text about a Secret is the object, the code
// and the paths of fields. Its text about anything else quotes no field value
// and has passed [Options.Redact].
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Manager is the field manager of every request, unless one says otherwise.
const Manager = "sallyport"

// Options says how to connect. The zero value is the service account of the
// pod that runs.
type Options struct {
	Kubeconfig  string              // a file; empty means in-cluster configuration
	Context     string              // of the kubeconfig; empty means its current one
	Impersonate string              // a user, such as system:serviceaccount:shop:deployer
	UserAgent   string              // empty means "sallyport"
	Redact      func(string) string // applied to every text that came from the server; nil changes nothing
}

// Cluster is a connection. It is safe for concurrent use.
type Cluster struct {
	*connection
	redact func(string) string
}

// connection is what several Clusters with different redaction share.
type connection struct {
	config   *rest.Config
	client   *http.Client
	dynamic  dynamic.Interface
	requests atomic.Int64
	warnings *warnings
	kinds    kinds
}

// Connect prepares a connection. It reads files but sends nothing: whether the
// server answers shows with the first request.
func Connect(_ context.Context, opts Options) (*Cluster, error) {
	config, err := restConfig(opts)
	if err != nil {
		return nil, err
	}
	conn := &connection{config: config, warnings: &warnings{}}
	config.WarningHandlerWithContext = conn.warnings
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &wire{next: next, requests: &conn.requests} })
	if conn.client, err = rest.HTTPClientFor(config); err != nil {
		return nil, fmt.Errorf("cluster transport: %w", err)
	}
	if conn.dynamic, err = dynamic.NewForConfigAndClient(config, conn.client); err != nil {
		return nil, fmt.Errorf("cluster client: %w", err)
	}
	found, err := discovery.NewDiscoveryClientForConfigAndClient(config, conn.client)
	if err != nil {
		return nil, fmt.Errorf("cluster discovery: %w", err)
	}
	conn.kinds = kinds{server: found}
	return (&Cluster{connection: conn}).Redacting(opts.Redact), nil
}

// Redacting returns the same connection with another redaction: the one to use
// from the moment on when values are decrypted.
func (c *Cluster) Redacting(redact func(string) string) *Cluster {
	if redact == nil {
		redact = func(s string) string { return s }
	}
	return &Cluster{connection: c.connection, redact: redact}
}

// Requests is how many HTTP requests were sent so far, those that were sent
// again included.
func (c *Cluster) Requests() int { return int(c.requests.Load()) }

// Warnings lists what the server warned of so far, such as deprecated versions:
// sorted, each once, one line each, redacted. Warnings about Secrets are not kept.
func (c *Cluster) Warnings() []string {
	kept := c.warnings.sorted()
	for i := range kept {
		kept[i] = OneLine(c.redact(kept[i]), maxText)
	}
	return kept
}

func restConfig(opts Options) (*rest.Config, error) {
	config, err := rest.InClusterConfig()
	if opts.Kubeconfig != "" {
		config, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: opts.Kubeconfig},
			&clientcmd.ConfigOverrides{CurrentContext: opts.Context},
		).ClientConfig()
	}
	switch {
	case errors.Is(err, rest.ErrNotInCluster):
		return nil, errors.New("cluster configuration: this is no pod of a cluster: give --kubeconfig")
	case clientcmd.IsEmptyConfig(err): // client-go advises a variable that nobody reads here
		return nil, fmt.Errorf("cluster configuration: %s has no current context: give one by --context", opts.Kubeconfig)
	case err != nil:
		return nil, fmt.Errorf("cluster configuration: %w", err)
	}
	config.UserAgent = opts.UserAgent
	if config.UserAgent == "" {
		config.UserAgent = Manager
	}
	config.Impersonate.UserName = opts.Impersonate
	// The server's own fairness protects it. client-go's limit of 5 requests a
	// second would make an apply of 200 objects take over a minute.
	config.QPS = -1
	return config, nil
}

// maxWarnings bounds what a chatty webhook can make a long-lived process keep.
const maxWarnings = 100

// warnings keeps the server's warnings.
type warnings struct {
	mu   sync.Mutex
	text map[string]bool
}
