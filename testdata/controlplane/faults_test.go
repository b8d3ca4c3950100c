package controlplane

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const configMaps = "/api/v1/namespaces/default/configmaps"

func TestRestartKeepsData(t *testing.T) {
	c := Start(t, Options{APIServerOnly: true})
	create(t, c, "kept")
	c.RestartAPIServer(t)
	if err := c.admin.do(http.MethodGet, configMaps+"/kept", nil, nil); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	c.StopAPIServer(t)
	if err := c.admin.do(http.MethodGet, configMaps+"/kept", nil, nil); err == nil {
		t.Error("it answers though it is stopped")
	}
	if events := c.Audit(t); len(events) == 0 {
		t.Error("the audit log of a stopped server cannot be read")
	}
	if _, err := c.command("stop-apiserver"); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("stopped twice: %v", err)
	}
	c.StartAPIServer(t)
	if err := c.admin.do(http.MethodGet, configMaps+"/kept", nil, nil); err != nil {
		t.Errorf("after a stop and a start: %v", err)
	}
}

func TestBadNetwork(t *testing.T) {
	c := Start(t, Options{APIServerOnly: true})
	get := func() error { return c.admin.do(http.MethodGet, configMaps, nil, nil) }

	t.Run("delay", func(t *testing.T) {
		const d = 50 * time.Millisecond
		c.Delay(t, d)
		began := time.Now()
		if err := get(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 2*d {
			t.Errorf("a request and its answer take %s, but each should take %s", took, d)
		}
	})
	t.Run("refuse", func(t *testing.T) {
		c.Refuse(t, true)
		if err := get(); err == nil {
			t.Error("it is not refused")
		}
		c.Refuse(t, false)
		if err := get(); err != nil {
			t.Error(err)
		}
	})
	t.Run("drop", func(t *testing.T) {
		watcher := keeping(t, c)
		watch, err := watcher.http.Get(watcher.server + configMaps + "?watch=1")
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Body.Close()
		c.DropConnections(t)
		for buf := make([]byte, 1<<10); err == nil; {
			_, err = watch.Body.Read(buf) // until the connection is gone
		}
		if err := get(); err != nil {
			t.Errorf("a new connection: %v", err)
		}
	})
	t.Run("lose the answer", func(t *testing.T) {
		loser := keeping(t, c)
		if err := loser.do(http.MethodGet, configMaps, nil, nil); err != nil {
			t.Fatal(err)
		}
		c.LoseAnswer(t)
		if err := loser.do(http.MethodPost, configMaps, configMap("lost"), nil); err == nil {
			t.Error("the answer is not lost")
		}
		if err := c.admin.do(http.MethodGet, configMaps+"/lost", nil, nil); err != nil {
			t.Errorf("the request is lost: %v", err)
		}
	})
}

// keeping returns an administrator's client that uses its connection again.
func keeping(t *testing.T, c *Cluster) *client {
	k, err := newClient(c.Admin)
	if err != nil {
		t.Fatal(err)
	}
	k.http.Transport.(*http.Transport).DisableKeepAlives = false
	t.Cleanup(k.http.CloseIdleConnections)
	return k
}

func create(t *testing.T, c *Cluster, name string) {
	t.Helper()
	if err := c.admin.do(http.MethodPost, configMaps, configMap(name), nil); err != nil {
		t.Fatal(err)
	}
}

func configMap(name string) any {
	return map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}}
}

func TestStartSaysWhatFailed(t *testing.T) {
	_, err := start(Binary(t), Options{APIServerOnly: true, APIServerFlags: []string{"--no-such-flag"}})
	if err == nil || !strings.Contains(err.Error(), "kube-apiserver ended by itself") || !strings.Contains(err.Error(), "--no-such-flag") {
		t.Errorf("a wrong flag: %v", err)
	}
}

func TestStopRemovesEverything(t *testing.T) {
	c, err := start(Binary(t), Options{APIServerOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(c.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", c.Dir, err)
	}
	if _, err := c.command("drop"); err == nil || !strings.Contains(err.Error(), "it has ended") {
		t.Errorf("a command after the end: %v", err)
	}
}

func TestBuildWithoutProxy(t *testing.T) {
	src, err := findSource()
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOMODCACHE="+t.TempDir())
	err = build(src, filepath.Join(t.TempDir(), "e2e"), env)
	if err == nil || !strings.Contains(err.Error(), "module proxy") {
		t.Errorf("want an error that says what to do: %v", err)
	}
}

func TestVersionIsTheModules(t *testing.T) {
	src, err := findSource()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(src, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`k8s\.io/kubernetes (v\S+)`).FindSubmatch(content); m == nil || string(m[1]) != Version {
		t.Errorf("go.mod has %s, the stamp says %s", m, Version)
	}
}

// TestControllersSurviveRestart holds that a restart is one for all clients,
// and that all come back.
func TestControllersSurviveRestart(t *testing.T) {
	c := Start(t, Options{Nodes: 1})
	c.RestartAPIServer(t)
	ns := c.Namespace(t) // needs the controller manager
	c.Kubectl(t, "-n", ns, "create", "deployment", "web", "--image=a")
	c.Kubectl(t, "-n", ns, "wait", "--for=condition=Available", "--timeout=90s", "deployment/web")
	if nodes := c.Kubectl(t, "get", "nodes", "-o", "name"); nodes != "node/node-0\n" {
		t.Errorf("want one node, got %s", nodes)
	}
}
