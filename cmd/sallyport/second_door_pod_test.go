//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// image is the container image, unpacked, and what its configuration says.
type image struct {
	root       string
	Entrypoint []string
	Env        []string
	WorkingDir string
}

// buildImage builds the image as "make image" does, for this platform, and
// unpacks it. Running it needs chroot, and that root.
func buildImage(t testing.TB) *image {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the image")
	}
	if os.Geteuid() != 0 {
		t.Skip("runs the image's root filesystem under chroot, which needs root")
	}
	out := t.TempDir()
	cmd := exec.Command("go", "run", ".", "-source", "../..", "-o", out, "-platforms", "linux/"+runtime.GOARCH)
	cmd.Dir = filepath.Join(deployDir, "image")
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000", "GOWORK=off")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("image: %v\n%s", err, said)
	}
	layout := filepath.Join(out, "oci")
	var index, manifest struct {
		Manifests []struct{ Digest string }
		Config    struct{ Digest string }
		Layers    []struct{ Digest string }
	}
	var config struct{ Config *image }
	im := &image{root: t.TempDir()}
	config.Config = im
	readJSON(t, filepath.Join(layout, "index.json"), &index)
	readJSON(t, blob(layout, index.Manifests[0].Digest), &manifest)
	readJSON(t, blob(layout, manifest.Config.Digest), &config)
	// Whoever makes the directory of a test keeps it to himself.
	for dir := im.root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, layer := range manifest.Layers {
		unpackLayer(t, blob(layout, layer.Digest), im.root)
	}
	return im
}

func blob(layout, digest string) string {
	return filepath.Join(layout, "blobs", strings.ReplaceAll(digest, ":", "/"))
}

func readJSON(t testing.TB, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// unpackLayer writes a layer with the modes that it states.
func unpackLayer(t testing.TB, file, root string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stream, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(stream); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(root, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(to, 0o755)
		} else {
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(to, data, 0o600)
			}
		}
		if err == nil {
			err = syscall.Chmod(to, uint32(h.Mode)) // os.Chmod has another sticky bit
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pod is what is read of one: of the API server's answer, so after all defaults
// and admission.
type pod struct {
	Metadata struct {
		Name, Namespace string
		UID             string
	}
	Spec struct {
		NodeName           string
		ServiceAccountName string
		SecurityContext    struct {
			RunAsUser, RunAsGroup, FSGroup uint32
		}
		Containers []struct {
			Args         []string
			Env          []struct{ Name, Value string }
			VolumeMounts []struct{ Name, MountPath string }
		}
		Volumes []struct {
			Name      string
			ConfigMap *struct{ Name string }
			Secret    *struct{ SecretName string }
			EmptyDir  *struct{}
		}
	}
	Status struct{ Phase string }
}

const tokenDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// mount makes the volumes of a pod and the files of its account, as a kubelet
// does. What an earlier pod had is gone, so that each begins with an empty /tmp.
func (im *image) mount(t testing.TB, c *controlplane.Cluster, p *pod) {
	t.Helper()
	for _, dir := range []string{"tmp", "var", "etc/sallyport", "etc/sallyport-credentials"} {
		if err := os.RemoveAll(filepath.Join(im.root, dir)); err != nil {
			t.Fatal(err)
		}
	}
	group := int(p.Spec.SecurityContext.FSGroup)
	files := map[string]string{
		tokenDir + "/token":     c.Token(t, p.Metadata.Namespace, p.Spec.ServiceAccountName),
		tokenDir + "/namespace": p.Metadata.Namespace,
	}
	ca, err := os.ReadFile(c.CA)
	if err != nil {
		t.Fatal(err)
	}
	files[tokenDir+"/ca.crt"] = string(ca)
	paths := map[string]string{}
	for _, m := range p.Spec.Containers[0].VolumeMounts {
		paths[m.Name] = m.MountPath
	}
	for _, v := range p.Spec.Volumes {
		at := paths[v.Name]
		switch {
		case at == "" || strings.HasPrefix(at, tokenDir):
		case v.EmptyDir != nil:
			im.emptyDir(t, at, group)
		case v.ConfigMap != nil:
			var u struct{ Data map[string]string }
			im.read(t, c, &u, "-n", p.Metadata.Namespace, "get", "configmap", v.ConfigMap.Name)
			for name, text := range u.Data {
				files[at+"/"+name] = text
			}
		case v.Secret != nil:
			var u struct{ Data map[string][]byte }
			im.read(t, c, &u, "-n", p.Metadata.Namespace, "get", "secret", v.Secret.SecretName)
			for name, data := range u.Data {
				files[at+"/"+name] = string(data)
			}
		}
	}
	for name, text := range files {
		to := filepath.Join(im.root, name)
		err := os.MkdirAll(filepath.Dir(to), 0o755)
		if err == nil {
			err = os.WriteFile(to, []byte(text), 0o440)
		}
		if err == nil {
			err = os.Chown(to, 0, group)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (im *image) emptyDir(t testing.TB, at string, group int) {
	t.Helper()
	dir := filepath.Join(im.root, at)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.Chown(dir, 0, group)
	}
	if err == nil {
		err = os.Chmod(dir, 0o2777|os.ModeSetgid)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// command is the container of a pod: the image's entrypoint with the pod's
// arguments, in the image's root filesystem alone, as the pod's user.
func (im *image) command(t testing.TB, c *controlplane.Cluster, p *pod) *exec.Cmd {
	t.Helper()
	im.mount(t, c, p)
	server, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(server.Host)
	if err != nil {
		t.Fatal(err)
	}
	container := p.Spec.Containers[0]
	args := append([]string{}, im.Entrypoint[1:]...)
	for _, arg := range container.Args {
		args = append(args, strings.ReplaceAll(arg, "$(POD_NAMESPACE)", p.Metadata.Namespace))
	}
	cmd := exec.Command(im.Entrypoint[0], args...)
	cmd.Dir = im.WorkingDir
	cmd.Env = append([]string{"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port, "POD_NAMESPACE=" + p.Metadata.Namespace}, im.Env...)
	security := p.Spec.SecurityContext
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: im.root, Pdeathsig: syscall.SIGKILL,
		Credential: &syscall.Credential{Uid: security.RunAsUser, Gid: security.RunAsGroup, Groups: []uint32{security.FSGroup}},
	}
	return cmd
}

// said is what came of a container.
type said struct {
	stdout, stderr string
	code           int
	state          *os.ProcessState
}

// run runs a pod to its end.
func (im *image) run(t testing.TB, c *controlplane.Cluster, p *pod) said {
	t.Helper()
	cmd := im.command(t, c, p)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runtime.LockOSThread() // Pdeathsig is about the thread
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return said{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), cmd.ProcessState}
}
