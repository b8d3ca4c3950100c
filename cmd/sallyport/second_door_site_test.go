//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// door is the second door as shipped: an empty cluster, the image, and overlays
// of deploy with the configuration of a site.
type door struct {
	*controlplane.Cluster
	*image
	fleet    *estate
	dir      string            // a copy of deploy, and the site's overlays beside it
	outputs  map[string]string // all that was ever said, by what said it
	leftover map[string]string // files that pods left behind, by path
	first    string            // SHA of the first commit
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{image: buildImage(t), fleet: newEstate(t), dir: t.TempDir(), outputs: map[string]string{}, leftover: map[string]string{}}
	d.Cluster = controlplane.Start(t, controlplane.Options{})
	if err := os.CopyFS(filepath.Join(d.dir, "deploy"), os.DirFS(deployDir)); err != nil {
		t.Fatal(err)
	}
	return d
}

// overlay writes an overlay of the site.
func (d *door) overlay(t testing.TB, name string, files map[string]string) {
	t.Helper()
	for path, text := range files {
		file := filepath.Join(d.dir, name, path)
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		if err == nil {
			err = os.WriteFile(file, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// configMap is the part of an overlay that puts the site's configuration in the
// place of the shipped one.
const configMap = `configMapGenerator:
  - name: sallyport-config
    namespace: sallyport
    behavior: replace
    files: [config.yaml, .sops.yaml]
    options: {disableNameSuffixHash: true}
`

// config is the configuration of the site's runner; more is lines of its apply
// section.
func (d *door) config(include []string, more ...string) string {
	return "apiVersion: sallyport.dev/v1\nkind: Config\ntargets:\n  include: [" + strings.Join(include, ", ") + "]\napply:\n" +
		"  identities: {secret: sallyport/sallyport-age}\n  health: {timeout: 10m, stable: 1s}\n  " + strings.Join(more, "\n  ") + "\n"
}

func (d *door) overHTTPS() string {
	return "source: {url: \"" + d.fleet.https + "\", ref: main, mirror: /tmp/mirror, tokenFile: /etc/sallyport-credentials/git-token, caFile: /etc/sallyport-credentials/git-ca.crt}"
}

func (d *door) overSSH() string {
	return "source: {url: \"" + d.fleet.ssh + "\", ref: main, mirror: /tmp/mirror, sshKeyFile: /etc/sallyport-credentials/ssh-key, knownHostsFile: /etc/sallyport-credentials/known_hosts}"
}

// customRules is a patch with a line for each custom kind, as base/workloads.yaml
// asks for, and for the volumes of the cluster that hold the real repository's.
func (d *door) customRules() string {
	byGroup := map[string][]string{"": {"persistentvolumes"}, "storage.k8s.io": {"storageclasses"}}
	for _, name := range slices.Sorted(maps.Keys(d.fleet.kinds)) {
		k := d.fleet.kinds[name]
		byGroup[k.group] = append(byGroup[k.group], k.plural)
	}
	text := "  - target: {kind: ClusterRole, name: sallyport-workloads}\n    patch: |-\n"
	for _, group := range slices.Sorted(maps.Keys(byGroup)) {
		text += fmt.Sprintf("      - {op: add, path: /rules/-, value: {apiGroups: [%q], resources: [%s], verbs: [get, list, create, patch, delete]}}\n",
			group, strings.Join(byGroup[group], ", "))
	}
	return text
}

// lasting is a patch that has the pods of a workload go on until this test, in
// the place of a kubelet, says that they have ended.
func lasting(kind, name, template string) string {
	return fmt.Sprintf("  - target: {kind: %s, name: %s}\n    patch: |-\n      - {op: add, path: %s/metadata/annotations, value: {%s: 24h}}\n",
		kind, name, template, controlplane.RunsFor)
}

func (d *door) install(t testing.TB, overlay string) {
	t.Helper()
	d.Kubectl(t, "apply", "--server-side", "--force-conflicts", "-k", filepath.Join(d.dir, overlay))
}

// may waits until the API server knows a right that was just granted: a run that
// comes before would be refused.
func (d *door) may(t testing.TB, user string, r right) {
	t.Helper()
	(&deployed{d.Cluster}).ask(t, question{user, r})
}

// read decodes what kubectl prints as JSON.
func (im *image) read(t testing.TB, c *controlplane.Cluster, into any, args ...string) {
	t.Helper()
	if err := json.Unmarshal([]byte(c.Kubectl(t, append(args, "-o", "json")...)), into); err != nil {
		t.Fatal(err)
	}
}

// podOf waits for a pod of a Job that has not ended.
func (d *door) podOf(t testing.TB, ctx context.Context, namespace, job string) *pod {
	t.Helper()
	for ctx.Err() == nil {
		var list struct{ Items []*pod }
		d.read(t, d.Cluster, &list, "-n", namespace, "get", "pods", "-l", "job-name="+job)
		for _, p := range list.Items {
			if p.Status.Phase == "Running" {
				return p
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// play runs the container of a pod and tells the API server how it ended, as
// its kubelet would.
func (d *door) play(t testing.TB, p *pod) said {
	t.Helper()
	out := d.run(t, d.Cluster, p)
	name := p.Metadata.Namespace + "/" + p.Metadata.Name
	d.outputs[name+" stdout"], d.outputs[name+" stderr"] = out.stdout, out.stderr
	d.collect(t, name)
	phase := "Succeeded"
	if out.code != 0 {
		phase = "Failed"
	}
	d.Kubectl(t, "-n", p.Metadata.Namespace, "patch", "pod", p.Metadata.Name, "--subresource=status", "--type=merge", "-p", fmt.Sprintf(
		`{"status": {"phase": %q, "containerStatuses": [{"name": "sallyport", "image": "i", "imageID": "i", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": %d}}}]}}`,
		phase, out.code))
	return out
}

// collect keeps every file that is in the container's file system when a pod has
// ended, except for what was mounted.
func (d *door) collect(t testing.TB, name string) {
	t.Helper()
	err := filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(d.root, path)
		switch {
		case err != nil:
			return err
		case rel == "sallyport", rel == "usr", rel == "etc":
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case "/"+rel == tokenDir:
			return fs.SkipDir
		case !e.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		d.leftover[name+" /"+rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// once runs a CronJob of the site now, with further arguments.
func (d *door) once(t testing.TB, namespace, cronjob string, args ...string) said {
	t.Helper()
	name := fmt.Sprintf("now-%d", len(d.outputs))
	var job map[string]any
	d.read(t, d.Cluster, &job, "-n", namespace, "create", "job", name, "--from=cronjob/"+cronjob, "--dry-run=client")
	container := job["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)
	for _, arg := range args {
		container["args"] = append(container["args"].([]any), arg)
	}
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	d.Apply(t, string(text))
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	p := d.podOf(t, ctx, namespace, name)
	if p == nil {
		t.Fatalf("no pod of job %s runs", name)
	}
	return d.play(t, p)
}

// must fails the test unless a run ended well.
func (s said) must(t testing.TB) said {
	t.Helper()
	if s.code != 0 {
		t.Fatalf("exit code %d\n%s%s", s.code, s.stdout, s.stderr)
	}
	return s
}

// outcome reads -o json.
func (s said) outcome(t testing.TB) outcomeJSON {
	t.Helper()
	var out outcomeJSON
	if err := json.Unmarshal([]byte(s.stdout), &out); err != nil {
		t.Fatalf("%v\n%s%s", err, s.stdout, s.stderr)
	}
	return out
}

// done are the actions of an outcome, without what did not change.
func done(out outcomeJSON) []string {
	all := []string{}
	for _, target := range out.Targets {
		for _, a := range target.Actions {
			if a.Verb != "unchanged" {
				all = append(all, strings.TrimSpace(string(a.Verb)+" "+a.Object))
			}
		}
	}
	slices.Sort(all)
	return all
}

// recover runs the one command of disaster recovery while pods of its Job run as
// they would in a cluster.
func (d *door) recover(t *testing.T, overlay string) {
	t.Helper()
	credentials := t.TempDir()
	for name, text := range d.fleet.credentials {
		if err := os.WriteFile(filepath.Join(credentials, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	key := filepath.Join(t.TempDir(), "cluster.agekey")
	text, err := os.ReadFile(d.fleet.identity)
	if err == nil {
		err = os.WriteFile(key, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "sh", filepath.Join(d.dir, "deploy/recover/recover.sh"), "-k", key, "-c", credentials, "-o", filepath.Join(d.dir, overlay))
	cmd.Env = []string{"KUBECTL=" + controlplane.Binary(t) + " kubectl", "KUBECONFIG=" + d.Admin, "HOME=" + d.Dir, "PATH=" + os.Getenv("PATH")}
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(ctx)
	failed := make(chan error, 1)
	go func() {
		failed <- cmd.Wait()
		end()
	}()
	last := said{}
	for p := d.podOf(t, ended, "sallyport", "sallyport"); p != nil; p = d.podOf(t, ended, "sallyport", "sallyport") {
		last = d.play(t, p)
	}
	err = <-failed
	d.outputs["recover.sh"] = out.String()
	if err != nil {
		t.Fatalf("%v\n%s%s%s", err, out.String(), last.stdout, last.stderr)
	}
}
