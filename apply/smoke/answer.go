package smoke

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
	"slices"
	"strings"
	"time"

	"github.com/theory/jsonpath"
)

// attempt makes the request once. A redirect is an answer like any other: who
// expects one lists its status.
func (c Check) attempt(ctx context.Context, client *http.Client) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, or(c.Timeout, defaultTimeout))
	defer cancel()
	method := c.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL, nil)
	if err != nil {
		return 0, errors.New("the request cannot be made")
	}
	for name, value := range c.Headers {
		req.Header.Set(name, value)
		if strings.EqualFold(name, "Host") {
			req.Host = value
		}
	}
	still := *client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	begin := time.Now()
	resp, err := still.Do(req)
	if err != nil {
		return time.Since(begin), reason(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	took := time.Since(begin)
	switch {
	case err != nil:
		return took, reason(err)
	case len(body) > MaxBody:
		return took, fmt.Errorf("the answer is larger than %d bytes", MaxBody)
	}
	return took, c.judge(resp.StatusCode, body, took)
}

// reason is a network error without the URL, which may hold a credential.
func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("no answer in time")
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// judge compares an answer with what is expected, the plainest thing first.
func (c Check) judge(status int, body []byte, took time.Duration) error {
	switch {
	case len(c.Status) == 0 && (status < 200 || status > 299):
		return fmt.Errorf("status %d, expected 200 to 299", status)
	case len(c.Status) > 0 && !slices.Contains(c.Status, status):
		return fmt.Errorf("status %d, expected %s", status, join(c.Status))
	case c.Contains != "" && !bytes.Contains(body, []byte(c.Contains)):
		return errors.New("the body lacks the expected text")
	case c.Matches != nil && !c.Matches.Match(body):
		return errors.New("the body does not match the expected pattern")
	}
	if err := c.judgeJSON(body); err != nil {
		return err
	}
	if c.Latency > 0 && took > c.Latency {
		return fmt.Errorf("answered after %s, expected within %s", took.Round(time.Millisecond), c.Latency)
	}
	return nil
}

func (c Check) judgeJSON(body []byte) error {
	if len(c.JSON) == 0 {
		return nil
	}
	var doc any
	if json.Unmarshal(body, &doc) != nil {
		return errors.New("the body is not JSON")
	}
	for _, e := range c.JSON {
		path, err := jsonpath.Parse(e.Path)
		if err != nil {
			return fmt.Errorf("JSON path %s: %w", e.Path, err)
		}
		nodes := path.Select(doc)
		switch {
		case len(nodes) == 0:
			return fmt.Errorf("the body has nothing at JSON path %s", e.Path)
		case e.Equals != "" && !slices.ContainsFunc(nodes, e.holds):
			return fmt.Errorf("the value at JSON path %s is not the expected one", e.Path)
		}
	}
	return nil
}

// holds compares the text of a JSON scalar; a collection never equals.
func (e Expectation) holds(node any) bool {
	switch v := node.(type) {
	case string:
		return v == e.Equals
	case map[string]any, []any:
		return false
	}
	text, err := json.Marshal(node)
	return err == nil && string(text) == e.Equals
}

func join(status []int) string {
	texts := make([]string, len(status))
	for i, s := range status {
		texts[i] = fmt.Sprint(s)
	}
	return strings.Join(texts, " or ")
}
