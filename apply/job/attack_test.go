package job_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/testdata/attacks"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// attacked is the cluster that the attacks of testdata/attacks aim at. It runs
// the base branch, and its operator has a copy of what that branch says about
// itself: policies, bindings, creation rules.
type attacked struct {
	plane    *controlplane.Cluster
	workshop *attacks.Workshop
	client   *cluster.Cluster
	runner   string
	said     []string // everything that was told, returned or stored
	canaries map[string]bool
}

// rows are those of the threat table that the second door answers, and how many
// of the fixtures of a row are played here: all where the door has a check of its
// own, some where the gate's is the only one, which cmd/sallyport plays in full.
// Row 3 is TestRights, and 13 is TestOneCommit as well.
func rows() map[string]int {
	const all = 100
	return map[string]int{
		"01": all, "02": all, "04": all, "05": 3, "06": all, "07": 2, "08": 3, "09": 3, "10": all,
		"12": 6, "13": all, "14": 4, "15": 2, "16": all, "17": 2, "19": 4,
	}
}

// signed are the attacks that only a signature tells from an honest change: what
// they write is valid, and nothing says what was there before.
func signed() []string {
	return []string{
		"02-copied-secret/renamed", "02-copied-secret/renamed-by-patch", "06-planted-recipient/removed-keeps-data-key",
		"10-forged-or-old/forged", "10-forged-or-old/old-file",
	}
}

// vain are the attacks on what judges a commit, which here is the operator's own:
// nothing is left of them, and the commit changes nothing.
func vain() []string {
	return []string{"08-request-forgery/policy", "12-weakened-rules/ci", "12-weakened-rules/schema", "13-merge-skew/moving-branch"}
}

// gateOnly are attacks that the gate alone has to do with: within one domain of
// trust, one key and one namespace, that a ciphertext is in two places; and
// creation rules in the repository, which count for nothing at apply.
func gateOnly() []string {
	return []string{"02-copied-secret/bytes", "02-copied-secret/key-renamed", "16-plugin-recipient/in-new-rule", "16-plugin-recipient/in-rules"}
}

// TestAttacks has the job apply each attack: it is refused, and the cluster is
// what it was. No program is started, nobody is called, and no value is said.
func TestAttacks(t *testing.T) {
	plane := controlplane.Shared(t)
	a := &attacked{plane: plane, workshop: attacks.NewWorkshop(t), runner: plane.Namespace(t), canaries: map[string]bool{}}
	var err error
	if a.client, err = cluster.Connect(t.Context(), cluster.Options{Kubeconfig: plane.Admin}); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{"shop", "payments"} {
		plane.Kubectl(t, "create", "namespace", namespace)
		t.Cleanup(func() { plane.Kubectl(t, "delete", "namespace", namespace, "--wait=false") })
	}
	left := rows()
	applied := false
	for _, one := range attacks.Read(t, "../../testdata/attacks") {
		if left[one.Name[:2]]--; left[one.Name[:2]] < 0 && one.Name != "19-replicated/in-file" {
			continue
		}
		t.Run(one.Name, func(t *testing.T) {
			r := a.workshop.Build(t, one)
			for _, value := range r.Canaries {
				a.canaries[value] = true
			}
			if !applied {
				if _, err := a.apply(t, r, a.own(t, r, false), attacks.BranchBase, ""); err != nil {
					t.Fatal(err)
				}
				applied = true
			}
			a.play(t, r)
			if one.Name == "01-token-flow/flux-substitute" {
				// What is refused is a target beside prod/shop, which is applied: its
				// ${password} stays as it is written, and is put back.
				if _, err := a.apply(t, r, a.own(t, r, false), attacks.BranchBase, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	a.silent(t)
}

// play applies the attack of one fixture: with the operator's configuration, and
// where decrypt has checks of its own once more with the gate's switched off.
func (a *attacked) play(t *testing.T, r *attacks.Repository) {
	t.Helper()
	row, verify := r.Attack.Name[:2], ""
	if slices.Contains(signed(), r.Attack.Name) {
		verify = "  verify: {require: commit, allowedSignersFile: signers}\n"
	}
	before := a.state(t)
	out, err := a.apply(t, r, a.own(t, r, false), attacks.BranchAttack, verify)
	a.unchanged(t, r, before)
	var e *job.Error
	switch isJob := errors.As(err, &e); {
	case slices.Contains(vain(), r.Attack.Name):
		if err != nil {
			t.Errorf("a commit with nothing wrong: %v", err)
		}
	case verify != "":
		if !isJob || e.Stage != job.StageFetch || !strings.Contains(err.Error(), "not signed") {
			t.Errorf("not refused for want of a signature: %v", err)
		}
	case !isJob || !job.IsFinding(err) && e.Stage != job.StageDecrypt:
		t.Errorf("not refused: %v", err)
	case e.Stage != job.StageGate && e.Stage != job.StageDecrypt && r.Attack.Name != "08-request-forgery/schema-in-crd" && r.Attack.Name != "01-token-flow/flux-substitute":
		t.Errorf("refused late, in %s: %v", e.Stage, err)
	case errors.Is(err, job.ErrRefused) && len(findings(out)) == 0:
		t.Error("refused without a finding")
	}
	if own := []string{"01", "02", "04", "05", "06", "10", "16"}; verify == "" && slices.Contains(own, row) && !slices.Contains(gateOnly(), r.Attack.Name) {
		if _, err := a.apply(t, r, a.own(t, r, true), attacks.BranchAttack, ""); err == nil {
			t.Error("applied with the gate's rules about secrets switched off")
		} else {
			t.Logf("by itself: %v", err)
		}
		a.unchanged(t, r, before)
	}
}

// own writes the operator's configuration: what the base branch says about
// itself. A lax operator has switched off every rule about secrets, and kept the
// bindings.
func (a *attacked) own(t *testing.T, r *attacks.Repository, lax bool) string {
	t.Helper()
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(r.Git("ls-tree", "-r", "-z", "--name-only", attacks.BranchBase), "\x00"), "\x00") {
		if strings.HasPrefix(name, "prod/") {
			continue
		}
		at := filepath.Join(dir, name)
		r.Must("", os.MkdirAll(filepath.Dir(at), 0o755))
		r.Must("", os.WriteFile(at, []byte(r.Git("show", attacks.BranchBase+":"+name)), 0o600))
	}
	if lax {
		_, bindings, _ := strings.Cut(r.Git("show", attacks.BranchBase+":.sallyport.yaml"), "\nsecrets:\n")
		text := "apiVersion: sallyport.dev/v1\nkind: Config\nsecrets:\n" + bindings + "\nrules:\n"
		for _, rule := range []string{"plaintext", "incomplete", "recipients", "key-type", "metadata", "leak", "moved", "reused"} {
			text += "  secret-" + rule + ": {severity: \"off\"}\n"
		}
		r.Must("", os.WriteFile(filepath.Join(dir, ".sallyport.yaml"), []byte(text), 0o600))
	}
	return dir
}

// apply runs once, and keeps everything that is said.
func (a *attacked) apply(t *testing.T, r *attacks.Repository, own, ref, more string) (*job.Outcome, error) {
	t.Helper()
	file := filepath.Join(own, ".sallyport.yaml")
	text, err := os.ReadFile(file)
	r.Must("", err)
	timeout := "60s"
	if ref == attacks.BranchAttack {
		timeout = "3s" // a kind that is not served is waited for
	}
	text = fmt.Appendf(text, "\napply:\n  source: {url: \"file://%s\"}\n  identities: {files: [%s]}\n  health: {timeout: %s, stable: 1ms}\n%s",
		r.Dir, a.workshop.Key("prod").File, timeout, more)
	r.Must("", os.WriteFile(file, text, 0o600))
	r.Must("", os.WriteFile(filepath.Join(own, "signers"), []byte(signer()), 0o600))
	j, err := job.New(job.Options{
		Config: file, Kubeconfig: a.plane.Admin, Namespace: a.runner, Holder: t.Name(), ToolVersion: "0.1.0", Revision: ref,
		Tell: func(line string) { a.said = append(a.said, line) },
	})
	r.Must("", err)
	a.workshop.Watch.Reset(t)
	r.Must("", os.RemoveAll(a.workshop.Marker)) // which building the fixture may have left
	out, err := j.Run(context.Background())
	if programs := a.workshop.Watch.Ran(t); len(programs) > 0 {
		t.Errorf("programs were run: %q", programs)
	}
	if n := a.workshop.Watch.Connections(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
	if _, err := os.Stat(a.workshop.Marker); err == nil {
		t.Error("a program of the repository was run")
	}
	a.said = append(a.said, fmt.Sprintf("%v %+v %#v", err, err, out))
	a.said = append(a.said, findings(out)...)
	return out, err
}

// signer is the line of somebody who signed nothing.
func signer() string {
	wire := "\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + strings.Repeat("k", 32)
	return "a@shop.example ssh-ed25519 " + base64.StdEncoding.EncodeToString([]byte(wire)) + "\n"
}

// state is every object that an attack could make or change, with its version.
func (a *attacked) state(t *testing.T) map[string]string {
	t.Helper()
	kinds := []string{
		"Secret", "ConfigMap", "ServiceAccount", "Service", "Pod", "Deployment.apps", "Job.batch", "Role.rbac.authorization.k8s.io",
		"RoleBinding.rbac.authorization.k8s.io", "Ingress.networking.k8s.io",
	}
	state := map[string]string{}
	for _, namespace := range []string{"shop", "payments"} {
		for _, kind := range kinds {
			list, err := a.client.List(t.Context(), schema.ParseGroupKind(kind), namespace, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range list {
				state[cluster.IDOf(u).String()] = u.GetResourceVersion()
			}
		}
	}
	return state
}

func (a *attacked) unchanged(t *testing.T, r *attacks.Repository, before map[string]string) {
	t.Helper()
	if after := a.state(t); r.Attack.Name != "01-token-flow/flux-substitute" && !maps.Equal(before, after) {
		t.Errorf("the cluster was changed:\n%v\nbefore:\n%v", after, before)
	}
}

// silent holds that nothing has any value of a Secret: what was told, statuses,
// events, every object but the Secrets, and the logs of the API server.
func (a *attacked) silent(t *testing.T) {
	t.Helper()
	texts := map[string]string{"what was said": strings.Join(a.said, "\n")}
	texts["objects"] = a.plane.Kubectl(t, "get", "events,configmaps,deployments,pods,leases", "-A", "-o", "yaml")
	for name, file := range map[string]string{"audit log": a.plane.AuditPath, "log of the API server": filepath.Join(a.plane.Dir, "kube-apiserver.log")} {
		a.plane.Audit(t) // until it is written
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(data)
	}
	if len(a.canaries) == 0 {
		t.Fatal("no canary, so this proves nothing")
	}
	for name, text := range texts {
		for value := range a.canaries {
			if holds(text, value) {
				t.Errorf("%s has %q", name, value)
			}
		}
	}
}

// TestOneCommit: a branch that moves while it is applied does not count before
// the next run; and one that moved since it was reviewed is refused, with both
// commits named.
func TestOneCommit(t *testing.T) {
	s := ugly(t)
	first := s.git("rev-parse", "HEAD")
	moved := ""
	out := s.apply(func(o *job.Options) {
		o.Tell = func(line string) {
			if line == "checking" {
				s.write("overlays/prod/web.yaml", s.web("nginx:moved"))
				moved = s.commit("moved")
			}
		}
	})
	if image := s.get("deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); out.Revision != first || image != "nginx" {
		t.Errorf("applied %s with image %s, want %s", out.Revision, image, first)
	}
	report := filepath.Join(t.TempDir(), "report.json")
	text := fmt.Sprintf(`{"apiVersion": "sallyport.dev/v1", "kind": "Report", "snapshot": {"kind": "commit", "revision": %q}, "targets": [{"path": "overlays/prod", "kind": "kustomize", "status": "passed", "digest": %q}]}`,
		first, out.Targets[0].Digest)
	if err := os.WriteFile(report, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	unchanged := s.untouched()
	_, err := s.job(func(o *job.Options) { o.Expect = report }).Run(t.Context())
	var e *job.Error
	if !errors.As(err, &e) || e.Stage != job.StageDigest || !strings.Contains(err.Error(), first) || !strings.Contains(err.Error(), moved) {
		t.Errorf("got %v", err)
	}
	unchanged()
}
