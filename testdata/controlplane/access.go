package controlplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Kubectl runs kubectl as the administrator and returns what it prints on
// standard output. If it fails, so does the test.
func (c *Cluster) Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := c.KubectlAs(t, c.Admin, "", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Apply applies manifests as the administrator, server-side, as the field
// manager kubectl.
func (c *Cluster) Apply(t testing.TB, manifests string) {
	t.Helper()
	if _, err := c.KubectlAs(t, c.Admin, manifests, "apply", "--server-side", "-f", "-"); err != nil {
		t.Fatal(err)
	}
}

// KubectlAs runs kubectl with a kubeconfig and standard input, and returns what
// it prints on standard output; the error has what it prints on standard error.
func (c *Cluster) KubectlAs(t testing.TB, kubeconfig, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(c.bin, append([]string{"kubectl"}, args...)...)
	cmd.Env = []string{"KUBECONFIG=" + kubeconfig, "HOME=" + c.Dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// Token returns a token of a service account, as a pod would be given one.
func (c *Cluster) Token(t testing.TB, namespace, serviceAccount string) string {
	t.Helper()
	var request struct {
		Status struct{ Token string }
	}
	path := "/api/v1/namespaces/" + namespace + "/serviceaccounts/" + serviceAccount + "/token"
	body := map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
	if err := c.admin.do(http.MethodPost, path, body, &request); err != nil {
		t.Fatalf("control plane: token: %v", err)
	}
	return request.Status.Token
}

// TokenKubeconfig returns a kubeconfig with a token of a service account.
func (c *Cluster) TokenKubeconfig(t testing.TB, namespace, serviceAccount string) string {
	t.Helper()
	type named map[string]any
	content, err := json.Marshal(named{
		"apiVersion": "v1", "kind": "Config", "current-context": "e2e",
		"clusters": []named{{"name": "e2e", "cluster": named{"server": c.URL, "certificate-authority-data": c.admin.ca}}},
		"users":    []named{{"name": serviceAccount, "user": named{"token": c.Token(t, namespace, serviceAccount)}}},
		"contexts": []named{{"name": "e2e", "context": named{"cluster": "e2e", "user": serviceAccount, "namespace": namespace}}},
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

// Namespace makes a namespace that no other test of this process has, in which
// pods may be created, and has it deleted after the test, without waiting.
func (c *Cluster) Namespace(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d", slug(t.Name()), serial.Add(1))
	body := map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}
	if err := c.admin.do(http.MethodPost, "/api/v1/namespaces", body, nil); err != nil {
		t.Fatalf("control plane: namespace: %v", err)
	}
	t.Cleanup(func() { _ = c.admin.do(http.MethodDelete, "/api/v1/namespaces/"+name, nil, nil) })
	if c.PIDs["kube-controller-manager"] != 0 {
		c.waitFor(t, "/api/v1/namespaces/"+name+"/serviceaccounts/default")
	}
	return name
}

// serial makes names unique in this process, and so in any control plane of its.
var serial atomic.Int64

// slug makes a name of a test a part of a DNS label (RFC 1123), with room for a
// number.
func slug(test string) string {
	const longest = 50
	s := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(test), "-")
	return strings.Trim(s[:min(len(s), longest)], "-")
}

// waitFor waits until there is an object at path.
func (c *Cluster) waitFor(t testing.TB, path string) {
	t.Helper()
	const (
		patience = time.Minute
		interval = 20 * time.Millisecond
	)
	for deadline := time.Now().Add(patience); ; time.Sleep(interval) {
		err := c.admin.do(http.MethodGet, path, nil, nil)
		if err == nil {
			return
		}
		if !errors.Is(err, errNotFound) || time.Now().After(deadline) {
			t.Fatalf("control plane: %v", err)
		}
	}
}
