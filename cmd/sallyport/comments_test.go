package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// remark is a comment on a pull request, or a note on a merge request.
type remark struct {
	id   int
	user string
	bot  bool
	body string
}

// discussion plays the parts of the APIs of GitHub and GitLab that keep one
// comment up to date.
type discussion struct {
	*httptest.Server

	mu      sync.Mutex
	remarks []remark
	calls   []string
	tokens  map[string]bool
	refuse  int    // status of every write; 0 permits them
	user    string // whom the token belongs to; empty for a token without user
	plain   bool   // < and > as they are in JSON
}

func newDiscussion(t *testing.T, user string, remarks ...remark) *discussion {
	d := &discussion{remarks: remarks, user: user, tokens: map[string]bool{}}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

// written returns the calls that wrote, in order.
func (d *discussion) written() []string {
	var out []string
	for _, c := range d.calls {
		if !strings.HasPrefix(c, http.MethodGet) {
			out = append(out, c)
		}
	}
	return out
}

func (d *discussion) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, r.Method+" "+r.URL.Path)
	d.tokens[r.Header.Get("Authorization")+r.Header.Get("PRIVATE-TOKEN")] = true
	switch {
	case r.URL.Path == "/user" && d.user == "":
		http.Error(w, `{"message":"Resource not accessible by integration"}`, http.StatusForbidden)
	case r.URL.Path == "/user":
		d.answer(w, http.StatusOK, map[string]any{"login": d.user, "id": userID(d.user), "type": "User"})
	case r.Method == http.MethodGet:
		d.list(w, r)
	case d.refuse != 0:
		http.Error(w, `{"message":"no"}`, d.refuse)
	default:
		d.write(w, r)
	}
}

// userID is a number for a name.
func userID(name string) int {
	n := 7
	for _, c := range name {
		n = n*31 + int(c)
	}
	return n
}

func (d *discussion) list(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	from := min((page-1)*size, len(d.remarks))
	out := []any{}
	for _, c := range d.remarks[from:min(from+size, len(d.remarks))] {
		kind := "User"
		if c.bot {
			kind = "Bot"
		}
		who := map[string]any{"login": c.user, "username": c.user, "id": userID(c.user), "type": kind, "bot": c.bot}
		out = append(out, map[string]any{"id": c.id, "body": c.body, "user": who, "author": who, "reactions": map[string]any{"id": 1, "url": "x"},
			"labels": []any{1, "id", map[string]any{"id": 2, "body": "<!-- sallyport -->"}}})
	}
	d.answer(w, http.StatusOK, out)
}

func (d *discussion) answer(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(!d.plain)
	_ = enc.Encode(v) // a client that went away shows in the test
}

// write takes a body as JSON, as GitHub does, or as a form, as GitLab does.
func (d *discussion) write(w http.ResponseWriter, r *http.Request) {
	var in struct{ Body string }
	if strings.Contains(r.Header.Get("Content-Type"), "json") {
		data, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(data, &in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	} else {
		in.Body = r.FormValue("body")
	}
	last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	for i, c := range d.remarks {
		if fmt.Sprint(c.id) == last && r.Method != http.MethodPost {
			d.remarks[i].body = in.Body
			d.answer(w, http.StatusOK, map[string]any{"id": c.id})
			return
		}
	}
	if r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	id := 900000 + len(d.remarks)
	d.remarks = append(d.remarks, remark{id: id, user: d.user, bot: d.user == "", body: in.Body})
	d.answer(w, http.StatusCreated, map[string]any{"id": id})
}
