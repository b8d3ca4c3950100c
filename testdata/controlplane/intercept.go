package controlplane

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// Intercept returns a kubeconfig of an administrator each of whose requests is
// shown to seen before the API server has it: what seen does has happened by
// then. An answer other than 0 is the status that the client gets instead. Seen
// is called by several goroutines.
func (c *Cluster) Intercept(t testing.TB, seen func(*http.Request) int) string {
	t.Helper()
	target, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     c.admin.http.Transport,
		FlushInterval: -1, // watches are passed on as they come
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := seen(r); status != 0 {
			http.Error(w, "intercepted", status)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	type named map[string]any
	content, err := json.Marshal(named{
		"apiVersion": "v1", "kind": "Config", "current-context": "e2e",
		"clusters": []named{{"name": "e2e", "cluster": named{"server": server.URL}}},
		"users":    []named{{"name": "e2e", "user": named{}}},
		"contexts": []named{{"name": "e2e", "context": named{"cluster": "e2e", "user": "e2e"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
