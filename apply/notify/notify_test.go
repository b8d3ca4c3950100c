package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

type received struct {
	path   string
	header http.Header
	body   []byte
}

// catch is a receiver's end: it keeps the last request and answers in turn with
// the given statuses, then with 200.
func catch(t *testing.T, statuses ...int) (*httptest.Server, *received, *atomic.Int32) {
	t.Helper()
	var got received
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = received{r.URL.EscapedPath(), r.Header, body}
		if i := int(n.Add(1)); i <= len(statuses) {
			w.WriteHeader(statuses[i-1])
			fmt.Fprint(w, "c4n4ry-answer")
		}
	}))
	t.Cleanup(s.Close)
	return s, &got, &n
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "credential")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

var message = Message{
	Environment: "overlays/prod", Revision: "0123456789abcdef0123456789abcdef01234567", State: Applied,
	Title: "applied <14> objects & healthy", Details: []string{"configured Deployment.apps/shop/web"}, Time: time.Unix(1700000000, 0),
}

func send(r Receiver, m Message) error {
	return Send(context.Background(), http.DefaultClient, []Receiver{r}, m)
}

func TestSlack(t *testing.T) {
	s, got, _ := catch(t)
	if err := send(Slack{URLFile: file(t, s.URL+"/services/c4n4ry\n")}, message); err != nil {
		t.Fatal(err)
	}
	var body struct{ Text string }
	if err := json.Unmarshal(got.body, &body); err != nil {
		t.Fatal(err)
	}
	const want = "✓ *overlays/prod*: applied &lt;14&gt; objects &amp; healthy (0123456789ab)\n• configured Deployment.apps/shop/web"
	if body.Text != want {
		t.Errorf("got %q, want %q", body.Text, want)
	}
}

func TestWebhookIsSigned(t *testing.T) {
	s, got, _ := catch(t)
	if err := send(Webhook{URL: s.URL + "/hook", SecretFile: file(t, "shared")}, message); err != nil {
		t.Fatal(err)
	}
	if signature := got.header.Get(SignatureHeader); signature != Sign([]byte("shared"), message.Time, got.body) || signature == Sign([]byte("other"), message.Time, got.body) {
		t.Errorf("signature %q", signature)
	}
	const want = `{"apiVersion":"sallyport.dev/v1","kind":"Notification","environment":"overlays/prod","revision":"0123456789abcdef0123456789abcdef01234567","state":"applied","title":"applied \u003c14\u003e objects \u0026 healthy","details":["configured Deployment.apps/shop/web"],"time":"2023-11-14T22:13:20Z"}`
	if string(got.body) != want {
		t.Errorf("got %s", got.body)
	}
}

// TestSignKnown pins the scheme: receivers have code for it.
func TestSignKnown(t *testing.T) {
	const want = "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
	if got := Sign([]byte("key"), time.Unix(1700000000, 0), []byte("{}")); got != want {
		t.Errorf("got %s", got)
	}
}

func TestCommitStatuses(t *testing.T) {
	s, got, n := catch(t)
	gh := GitHub{API: s.URL, Repository: "shop/fleet", TokenFile: file(t, "ghs_x")}
	if err := send(gh, message); err != nil {
		t.Fatal(err)
	}
	if got.path != "/repos/shop/fleet/statuses/"+message.Revision || got.header.Get("Authorization") != "Bearer ghs_x" || !strings.Contains(string(got.body), `"state":"success"`) || !strings.Contains(string(got.body), `"context":"sallyport/overlays/prod"`) {
		t.Errorf("%s %s", got.path, got.body)
	}
	gl := GitLab{API: s.URL + "/api/v4/", Project: "shop/fleet", TokenFile: file(t, "glpat"), Context: "prod"}
	failed := message
	failed.State = Failed
	if err := send(gl, failed); err != nil {
		t.Fatal(err)
	}
	if got.path != "/api/v4/projects/shop%2Ffleet/statuses/"+message.Revision || got.header.Get("PRIVATE-TOKEN") != "glpat" || !strings.Contains(string(got.body), `"name":"prod"`) || !strings.Contains(string(got.body), `"state":"failed"`) {
		t.Errorf("%s %s", got.path, got.body)
	}
	before := n.Load()
	drifted := message
	drifted.State = Drifted
	if err := Send(context.Background(), http.DefaultClient, []Receiver{gh, gl}, drifted); err != nil || n.Load() != before {
		t.Errorf("drift says nothing about a commit: %v", err)
	}
}

func TestTriesAgain(t *testing.T) {
	s, _, n := catch(t, 503, 429)
	if err := send(Webhook{URL: s.URL}, message); err != nil || n.Load() != 3 {
		t.Errorf("%v after %d attempts", err, n.Load())
	}
	s, _, n = catch(t, 403)
	if err := send(Webhook{URL: s.URL}, message); err == nil || err.Error() != "notify webhook: answered with status 403" || n.Load() != 1 {
		t.Errorf("%v after %d attempts", err, n.Load())
	}
}

// TestErrorsKeepCredentials: neither an address, nor a token, nor an answer is
// in an error, and one receiver's failure does not silence the next.
func TestErrorsKeepCredentials(t *testing.T) {
	refuses, _, _ := catch(t, 400)
	s, _, n := catch(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	err := Send(context.Background(), http.DefaultClient, []Receiver{
		Slack{URLFile: file(t, gone.URL+"/c4n4ry-path")},
		Slack{URLFile: file(t, "c4n4ry-no-url")},
		Slack{URLFile: file(t, "c4n4ry\nc4n4ry")},
		Webhook{URL: refuses.URL + "/c4n4ry-hook"},
		GitHub{API: s.URL, Repository: "fleet", TokenFile: file(t, "c4n4ry")},
		Webhook{URL: s.URL},
	}, message)
	if err == nil || strings.Contains(err.Error(), "c4n4ry") {
		t.Fatal(err)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 5 || n.Load() != 1 {
		t.Errorf("%d failures, %d delivered:\n%v", lines, n.Load(), err)
	}
}

// TestFollowsNoRedirect: a token must not travel to wherever an answer points.
func TestFollowsNoRedirect(t *testing.T) {
	elsewhere, _, n := catch(t)
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(s.Close)
	err := send(GitLab{API: s.URL, Project: "shop/fleet", TokenFile: file(t, "glpat")}, message)
	if err == nil || err.Error() != "notify gitlab: answered with status 307" || n.Load() != 0 {
		t.Errorf("%v, %d requests elsewhere", err, n.Load())
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	s, got, _ := catch(t)
	long := message
	long.Title = strings.Repeat("ä", 4000)
	for i := range 100 {
		long.Details = append(long.Details, fmt.Sprint("object ", i))
	}
	if err := send(Webhook{URL: s.URL}, long); err != nil {
		t.Fatal(err)
	}
	var n notification
	if err := json.Unmarshal(got.body, &n); err != nil {
		t.Fatal(err)
	}
	if len(n.Title) > maxText || !strings.HasSuffix(n.Title, "ä…") || len(n.Details) != MaxDetails+1 || n.Details[MaxDetails] != "and 81 more" {
		t.Errorf("%d bytes, %d details, last %q", len(n.Title), len(n.Details), n.Details[len(n.Details)-1])
	}
}
