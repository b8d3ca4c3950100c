package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/net/http2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/klog/v2"
)

const (
	// requestTimeout is how long one attempt may take: the API server's own
	// --request-timeout, after which it would not answer anyway.
	requestTimeout = time.Minute
	// retryTime is how long a request is sent again: longer than an API server
	// takes to be replaced, short enough for a person to wait.
	retryTime = 2 * time.Minute
	// firstPause and longestPause bound the pauses between attempts, which
	// double: a restart on the same machine is bridged in under a second, and a
	// server that struggles is asked every few seconds.
	firstPause   = 200 * time.Millisecond
	longestPause = 8 * time.Second
)

// retry runs a request until it succeeds, fails for good, or retryTime is over.
func (c *Cluster) retry(ctx context.Context, request func(context.Context) error) error {
	ctx = klog.NewContext(ctx, logr.Discard()) // client-go would write to standard error
	end := time.Now().Add(retryTime)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		attempt, cancel := context.WithTimeout(ctx, requestTimeout)
		err := request(attempt)
		cancel()
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		// Half of the pause is left to chance, so that many runners do not come
		// back to a server at the same moment.
		wait := pause/2 + rand.N(pause/2) //nolint:gosec // not a secret
		if asked, ok := apierrors.SuggestsClientDelay(err); ok {
			wait = max(wait, min(time.Duration(asked)*time.Second, longestPause))
		}
		if time.Now().Add(wait).After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// passing says whether a failure is of the kind that goes away.
func passing(err error) bool {
	if meta.IsNoMatchError(err) {
		return false
	}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		switch status.Status().Code {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return apierrors.IsServerTimeout(err) // 500, and says by its reason that it may be sent again
	}
	return lost(err)
}

// lost says whether the connection failed, for a reason other than the server's
// certificate or a refused account, which will not get better.
func lost(err error) bool {
	var certificate *tls.CertificateVerificationError
	var refused *refusedAccount
	if errors.As(err, &certificate) || errors.As(err, &refused) {
		return false
	}
	var network net.Error
	var request *url.Error
	var stream http2.StreamError // of an answer that began and did not end
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) || errors.As(err, &request) || errors.As(err, &stream)
}
