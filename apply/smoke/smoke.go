// Package smoke asks a rolled-out application whether it really answers.
//
// Health says that pods are ready; a smoke test says that a request from inside
// the cluster gets the answer a user would want: status, body, a value in a
// JSON document, and all that in time. The checks come from the configuration
// of the cluster, never from the repository, since whoever writes them chooses
// which addresses the job talks to.
//
// Nothing of an answer is ever quoted: a body may hold a secret.
package smoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/theory/jsonpath"
)

// The limits of one check, and its defaults.
const (
	// MaxBody is how much of an answer is read, in bytes. What a health
	// endpoint or a page says fits; an endless answer must not fill the memory
	// of a job that holds decrypted secrets.
	MaxBody = 1 << 20

	defaultTimeout  = 5 * time.Second  // one request; a probe of the kubelet gets 1 s, a person waits 5
	defaultWithin   = 30 * time.Second // endpoints and ingress rules lag behind ready pods by seconds
	defaultInterval = time.Second      // between two attempts
)

// Check is one request and what its answer must be.
type Check struct {
	Name    string // for messages
	URL     string // http or https
	Method  string // "" is GET
	Headers map[string]string

	Status   []int          // any of these; empty takes 200 to 299
	Contains string         // must occur in the body, where not empty
	Matches  *regexp.Regexp // must match the body, where not nil
	JSON     []Expectation  // all must hold
	Latency  time.Duration  // of the whole answer; 0 is no bound

	Timeout  time.Duration // of one attempt
	Within   time.Duration // attempts are repeated until one passes, or until then
	Interval time.Duration
}

// Expectation is a value in a JSON document: at least one node that the path
// selects is a string, number, bool or null whose text is Equals. Path is in the
// syntax of RFC 9535. Without Equals the path has to select something.
type Expectation struct {
	Path   string
	Equals string // true and 3 stand for the JSON values too
}

// Result is how one check went. Err is nil where it passed; its text names what
// was expected, and never what the answer held.
type Result struct {
	Name     string
	URL      string // without credentials and query
	Attempts int
	Latency  time.Duration // of the last attempt
	Err      error
}

// Run makes every check, one after the other, and gives their results in the
// same order. It returns early, with fewer results, only when ctx ends.
func Run(ctx context.Context, client *http.Client, checks []Check) []Result {
	var results []Result
	for _, c := range checks {
		results = append(results, c.run(ctx, client))
		if ctx.Err() != nil {
			break
		}
	}
	return results
}

// Validate says what is wrong with a check, before any request is made.
func (c Check) Validate() error {
	u, err := url.Parse(c.URL)
	switch {
	case c.Name == "":
		return errors.New("a smoke test needs a name")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("smoke test %s: the URL must begin with http:// or https:// and name a host", c.Name)
	}
	for _, s := range c.Status {
		if s < 100 || s > 599 {
			return fmt.Errorf("smoke test %s: %d is no HTTP status", c.Name, s)
		}
	}
	for _, e := range c.JSON {
		if _, err := jsonpath.Parse(e.Path); err != nil {
			return fmt.Errorf("smoke test %s: JSON path %s: %w", c.Name, e.Path, err)
		}
	}
	return nil
}

// run repeats the request until it passes or the time is up. Its error is that
// of the last attempt that was not cut short by the end of the time.
func (c Check) run(ctx context.Context, client *http.Client) Result {
	r := Result{Name: c.Name, URL: plainURL(c.URL)}
	if r.Err = c.Validate(); r.Err != nil {
		return r
	}
	end := time.Now().Add(or(c.Within, defaultWithin))
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	for {
		took, err := c.attempt(ctx, client)
		if err == nil || ctx.Err() == nil || r.Err == nil {
			r.Latency, r.Err = took, err
		}
		if r.Attempts++; err == nil {
			return r
		}
		pause := or(c.Interval, defaultInterval)
		if time.Until(end) < pause {
			return r
		}
		select {
		case <-ctx.Done():
			return r
		case <-time.After(pause):
		}
	}
}

func or(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// plainURL drops what may be a credential: user and password, and the query.
func plainURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
