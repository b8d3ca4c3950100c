package controlplane

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"
)

// Event is an entry of the audit log, at the level Metadata: what was asked for
// and by whom, once for each request. See audit.k8s.io/v1.
type Event struct {
	Stage            string // ResponseComplete, ResponseStarted (of a watch) or Panic
	RequestURI       string
	Verb             string // get, list, create, patch, …; of paths without objects the HTTP method in lower case
	User             User
	ImpersonatedUser *User
	UserAgent        string
	ObjectRef        ObjectRef // zero for paths without objects
	ResponseStatus   Status
	Received         time.Time         `json:"requestReceivedTimestamp"`
	Annotations      map[string]string // among them authorization.k8s.io/decision
	Raw              []byte            `json:"-"` // the line of the log
}

// User is who asked.
type User struct {
	Username string
	Groups   []string
}

// ObjectRef is what was asked about.
type ObjectRef struct {
	APIGroup, APIVersion, Resource, Subresource, Namespace, Name string
}

// Status is what was answered.
type Status struct {
	Code            int
	Reason, Message string
}

// DryRun says whether the request could change nothing because it asked so.
func (e Event) DryRun() bool {
	u, err := url.Parse(e.RequestURI)
	return err == nil && u.Query().Get("dryRun") == "All"
}

// Audit returns all events of requests that were answered before it was called,
// oldest first. If the API server can be reached, it is waited for; otherwise
// these are the events that it wrote before.
func (c *Cluster) Audit(t testing.TB) []Event {
	t.Helper()
	// An event is written after its answer is sent, so one more request is made
	// of which the event is waited for.
	mark := fmt.Sprintf("/version?mark=%d", serial.Add(1))
	reached := c.admin.do(http.MethodGet, mark, nil, nil) == nil
	const (
		patience = 10 * time.Second
		interval = 20 * time.Millisecond
	)
	for deadline := time.Now().Add(patience); ; time.Sleep(interval) {
		content, err := os.ReadFile(c.AuditPath)
		if err != nil {
			t.Fatalf("control plane: audit log: %v", err)
		}
		if !reached || bytes.Contains(content, []byte(mark)) {
			return parseAudit(t, content)
		}
		if time.Now().After(deadline) {
			t.Fatal("control plane: audit log: the event of a request did not come")
		}
	}
}

func parseAudit(t testing.TB, content []byte) []Event {
	t.Helper()
	var events []Event
	for line := range bytes.Lines(content) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // being written
		}
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("control plane: audit log: %v", err)
		}
		e.Raw = line
		events = append(events, e)
	}
	return events
}
