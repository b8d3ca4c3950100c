package smoke

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// once lets a check fail at its first attempt, so that no test waits.
const once = time.Nanosecond

func server(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func run(t *testing.T, c Check) Result {
	t.Helper()
	return Run(context.Background(), http.DefaultClient, []Check{c})[0]
}

func TestAnswers(t *testing.T) {
	const canary = "c4n4ry-body-7719"
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/json":
			fmt.Fprintf(w, `{"status":"ok","checks":[{"name":"db","up":true,"ms":3}],"token":%q}`, canary)
		case "/moved":
			http.Redirect(w, r, "/json", http.StatusFound)
		case "/down":
			http.Error(w, canary, http.StatusServiceUnavailable)
		case "/method":
			fmt.Fprint(w, r.Method, r.Header.Get("X-Probe"), r.Host)
		case "/large":
			w.Write(make([]byte, MaxBody+1))
		}
	})
	tests := []struct {
		name  string
		check Check
		want  string // of the error; "" passes
	}{
		{"status", Check{URL: "/json"}, ""},
		{"other status", Check{URL: "/down"}, "status 503, expected 200 to 299"},
		{"listed status", Check{URL: "/down", Status: []int{200, 503}}, ""},
		{"unlisted status", Check{URL: "/json", Status: []int{301, 302}}, "status 200, expected 301 or 302"},
		{"redirects are answers", Check{URL: "/moved"}, "status 302, expected 200 to 299"},
		{"body", Check{URL: "/json", Contains: `"status":"ok"`}, ""},
		{"other body", Check{URL: "/json", Contains: "ready"}, "the body lacks the expected text"},
		{"pattern", Check{URL: "/json", Matches: regexp.MustCompile(`"up":\s*true`)}, ""},
		{"other pattern", Check{URL: "/json", Matches: regexp.MustCompile(`^ok$`)}, "the body does not match the expected pattern"},
		{"JSON path", Check{URL: "/json", JSON: []Expectation{{Path: "$.status", Equals: "ok"}, {Path: "$.checks[?@.name == 'db'].up", Equals: "true"}, {Path: "$..ms", Equals: "3"}}}, ""},
		{"other value", Check{URL: "/json", JSON: []Expectation{{Path: "$.token", Equals: "x"}}}, "the value at JSON path $.token is not the expected one"},
		{"a collection", Check{URL: "/json", JSON: []Expectation{{Path: "$.checks", Equals: "[]"}}}, "the value at JSON path $.checks is not the expected one"},
		{"nothing there", Check{URL: "/json", JSON: []Expectation{{Path: "$.ready"}}}, "the body has nothing at JSON path $.ready"},
		{"no JSON", Check{URL: "/method", JSON: []Expectation{{Path: "$"}}}, "the body is not JSON"},
		{"method and headers", Check{URL: "/method", Method: "POST", Headers: map[string]string{"X-Probe": "1", "Host": "shop.example"}, Contains: "POST1shop.example"}, ""},
		{"endless body", Check{URL: "/large"}, "the answer is larger than 1048576 bytes"},
		{"latency", Check{URL: "/json", Latency: 1}, "answered after"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.check
			c.Name, c.URL, c.Interval = tt.name, s.URL+c.URL, time.Minute
			r := run(t, c)
			switch {
			case tt.want == "" && r.Err != nil:
				t.Fatal(r.Err)
			case tt.want != "" && (r.Err == nil || !strings.HasPrefix(r.Err.Error(), tt.want)):
				t.Fatalf("got %v, want %s", r.Err, tt.want)
			case r.Err != nil && strings.Contains(fmt.Sprintf("%+v", r), canary):
				t.Fatal("the result quotes the answer")
			}
		})
	}
}

func TestRepeatsUntilItPasses(t *testing.T) {
	var n atomic.Int32
	s := server(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	r := run(t, Check{Name: "web", URL: s.URL, Interval: time.Millisecond})
	if r.Err != nil || r.Attempts != 3 {
		t.Fatalf("%+v", r)
	}
}

// TestKeepsTheReason: the end of the time must not hide what was wrong before.
func TestKeepsTheReason(t *testing.T) {
	var n atomic.Int32
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) > 1 {
			<-r.Context().Done()
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	r := run(t, Check{Name: "web", URL: s.URL, Interval: time.Millisecond, Within: 2 * time.Second})
	if r.Err == nil || !strings.HasPrefix(r.Err.Error(), "status 502") {
		t.Fatalf("%+v", r)
	}
}

func TestNoAnswer(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	r := run(t, Check{Name: "web", URL: strings.Replace(closed.URL, "http://", "http://user:c4n4ry-user@", 1) + "/?token=c4n4ry-query", Within: once})
	if text := fmt.Sprintf("%+v %v", r, r.Err); r.Err == nil || strings.Contains(text, "c4n4ry") {
		t.Fatal(text)
	}

	slow := server(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r = run(t, Check{Name: "web", URL: slow.URL, Timeout: 20 * time.Millisecond, Within: once})
	if r.Err == nil || r.Err.Error() != "no answer in time" {
		t.Fatalf("%+v", r)
	}
}

func TestValidate(t *testing.T) {
	for want, c := range map[string]Check{
		"needs a name":        {URL: "http://a"},
		"http:// or https://": {Name: "a", URL: "ftp://a"},
		"no HTTP status":      {Name: "a", URL: "http://a", Status: []int{42}},
		"JSON path $[":        {Name: "a", URL: "http://a", JSON: []Expectation{{Path: "$["}}},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
}
