// Package notify tells people and systems how an apply went: a Slack channel,
// any webhook (signed), and the commit's status at GitHub or GitLab.
//
// Credentials are read from files for each message, so that a rotated Secret
// counts at once. They never appear in an error: neither tokens nor addresses,
// for the address of a Slack webhook is its credential.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// The limits of a delivery.
const (
	// MaxDetails is how many details a message carries; a person who wants more
	// asks `sallyport status`.
	MaxDetails = 20
	// maxText bounds one line of text in bytes. Slack cuts a section at 3,000.
	maxText = 300
	// maxCredential bounds what is read from a credential's file in bytes.
	maxCredential = 64 << 10
	// maxAnswer is how much of an answer is drained, so that the connection can
	// be used again.
	maxAnswer = 64 << 10
	// attempts and pause: a receiver that is down for longer than a restart
	// must not hold up the next apply.
	attempts = 3
	pause    = 500 * time.Millisecond
	timeout  = 10 * time.Second // of one attempt
)

// State is how far an apply of a revision has come, or what became of it.
type State string

// The states.
const (
	Started State = "started"
	Applied State = "applied" // and healthy
	Failed  State = "failed"
	Drifted State = "drifted"
	Gone    State = "gone" // from the repository; nobody is told, a status says so
)

// Message is one thing that happened. None of its texts may hold a secret:
// whoever makes one has redacted it.
type Message struct {
	Environment string // what was applied: a target or a set of them
	Revision    string // full commit SHA; "" where the source is a directory
	State       State
	Title       string   // one line
	Details     []string // a line each
	Time        time.Time
}

// details are those that fit, and a line that says how many do not.
func (m Message) details() []string {
	if len(m.Details) <= MaxDetails {
		return m.Details
	}
	kept := append([]string(nil), m.Details[:MaxDetails]...)
	return append(kept, fmt.Sprintf("and %d more", len(m.Details)-MaxDetails))
}

// Receiver is somebody to tell. Slack, Webhook, GitHub and GitLab are ones.
type Receiver interface {
	// request makes the request for a message; nil where the receiver has no
	// use for it.
	request(ctx context.Context, m Message) (*http.Request, error)
	// name is what messages call the receiver.
	name() string
}

// Send tells every receiver and returns what went wrong, joined. One that fails
// does not keep the others from being told.
func Send(ctx context.Context, client *http.Client, receivers []Receiver, m Message) error {
	var failed []error
	for _, r := range receivers {
		if err := deliver(ctx, client, r, m); err != nil {
			failed = append(failed, fmt.Errorf("notify %s: %w", r.name(), err))
		}
	}
	return errors.Join(failed...)
}

// deliver tries a few times, as long as trying again can help.
func deliver(ctx context.Context, client *http.Client, r Receiver, m Message) error {
	for n := 1; ; n++ {
		again, err := attempt(ctx, client, r, m)
		if err == nil || !again || n == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(n) * pause):
		}
	}
}

func attempt(ctx context.Context, client *http.Client, r Receiver, m Message) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := r.request(ctx, m)
	if err != nil || req == nil {
		return false, err
	}
	req.Header.Set("User-Agent", "sallyport")
	// A redirect would carry a token to wherever the answer points.
	still := *client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := still.Do(req)
	if err != nil {
		return true, reason(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode < 300 {
		return false, nil
	}
	again = resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500
	return again, fmt.Errorf("answered with status %d", resp.StatusCode)
}

// reason is a network error without the address that was asked for.
func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return errors.New("the connection failed")
}

// credential reads one from a file. The file's name may be shown, its text not.
func credential(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCredential+1))
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(data))
	if text == "" || len(data) > maxCredential || strings.ContainsAny(text, "\r\n\x00") {
		return "", fmt.Errorf("%s: not a single line", file)
	}
	return text, nil
}

// post makes a JSON request; target may be a credential and is not shown.
func post(ctx context.Context, target string, body any) (*http.Request, []byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, nil, err
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, nil, errors.New("the address is not a URL of http or https")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(data))
	if err != nil {
		return nil, nil, errors.New("the request cannot be made")
	}
	req.Header.Set("Content-Type", "application/json")
	return req, data, nil
}

// cut shortens a text to what a receiver shows, at a rune's border.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[:limit-len("…")]
	return strings.ToValidUTF8(s, "") + "…"
}

// short is a commit as people name it.
func short(sha string) string {
	if len(sha) > 12 {
		return sha[:12]
	}
	return sha
}
