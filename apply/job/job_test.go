package job_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/drift"
	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/apply/notify"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestApply is the life of one environment: made, left alone, changed, pruned.
func TestApply(t *testing.T) {
	s := ugly(t)
	out := s.apply()
	got := actions(out)
	if len(got) != 4 || !slices.ContainsFunc(got, func(a string) bool { return strings.HasPrefix(a, "created ConfigMap settings-") }) {
		t.Fatalf("first run: %v", got)
	}
	if value := s.get("secret", "db", "-o", "jsonpath={.data.password}"); value != base64.StdEncoding.EncodeToString([]byte(password)) {
		t.Errorf("the Secret holds something else: %d bytes", len(value))
	}
	if ready := s.get("deployment", "web", "-o", "jsonpath={.status.readyReplicas}"); ready != "2" {
		t.Errorf("applied before it was healthy: %s ready", ready)
	}
	if out.Revision != s.git("rev-parse", "HEAD") {
		t.Errorf("revision %s", out.Revision)
	}

	if got := actions(s.apply()); len(got) != 0 {
		t.Errorf("a run without news: %v", got)
	}

	s.write("overlays/prod/web.yaml", s.web("nginx:2"))
	s.commit("new image")
	if got := actions(s.apply()); !slices.Equal(got, []string{"configured Deployment web"}) {
		t.Errorf("a new image: %v", got)
	}

	s.write("overlays/prod/web.yaml", strings.SplitN(s.web("nginx:2"), "---\n", 2)[1])
	s.commit("no service")
	if got := actions(s.apply()); !slices.Equal(got, []string{"pruned Service web"}) {
		t.Errorf("an object less: %v", got)
	}
	if left := s.get("service", "--ignore-not-found", "web"); left != "" {
		t.Errorf("left: %s", left)
	}
	s.silent(out)
}

// silent holds that nothing that was told holds the password.
func (s *shop) silent(more ...any) {
	s.t.Helper()
	texts := slices.Clone(s.told)
	texts = append(texts, s.plane.Kubectl(s.t, "get", "events,configmaps", "-A", "-o", "yaml"))
	for _, v := range more {
		texts = append(texts, fmt.Sprintf("%+v %#v", v, v))
	}
	for _, text := range texts {
		for _, form := range []string{password, base64.StdEncoding.EncodeToString([]byte(password))} {
			if strings.Contains(text, form) {
				s.t.Fatalf("a text of %d bytes holds the password", len(text))
			}
		}
	}
}

// TestRefuses: what the gate refuses changes nothing, and no key is touched.
func TestRefuses(t *testing.T) {
	s := ugly(t)
	s.write("overlays/prod/plain.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {token: c4n4ry-plain-8d2e}\n")
	s.write("overlays/prod/kustomization.yaml", "namespace: "+s.namespace+"\nresources: [web.yaml, secret.yaml, plain.yaml]\n")
	// The repository's own waiver does not count.
	s.write(".sallyport.yaml", "waivers: [{rule: secret-plaintext, path: '**', reason: a, owner: b, expires: 2999-01-01}]\nrules: {secret-plaintext: {severity: \"off\"}}\n")
	s.commit("plaintext")
	if err := os.Remove(s.identity); err != nil {
		t.Fatal(err)
	}
	out, err := s.job().Run(t.Context())
	if !errors.Is(err, job.ErrRefused) || !job.IsFinding(err) {
		t.Fatalf("got %v", err)
	}
	if left := s.get("all,secrets,configmaps", "-o", "name"); strings.Contains(left, "web") || strings.Contains(left, "db") {
		t.Errorf("the cluster was changed: %s", left)
	}
	if statuses := s.statuses(); len(statuses) != 1 || statuses[0].State != notify.Failed || statuses[0].Stage != job.StageGate || !strings.Contains(strings.Join(statuses[0].Errors, "\n"), "[secret-plaintext]") {
		t.Errorf("statuses: %+v", statuses)
	}
	s.silent(out)
}

func (s *shop) statuses() []job.Status {
	s.t.Helper()
	c, err := cluster.Connect(s.t.Context(), cluster.Options{Kubeconfig: s.plane.Admin})
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := job.Statuses(s.t.Context(), c, s.runner)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func TestDigest(t *testing.T) {
	s := ugly(t)
	wrong := func(o *job.Options) { o.Expect = "sha256:" + strings.Repeat("0", 64) }
	out, err := s.job(wrong).Run(t.Context())
	var e *job.Error
	if !errors.As(err, &e) || e.Stage != job.StageDigest || !job.IsFinding(err) || s.get("deployment", "-o", "name") != "" {
		t.Fatalf("got %v", err)
	}
	digest := out.Admission.Targets[0].Digest
	s.apply(func(o *job.Options) { o.Expect = digest })
}

func TestDrift(t *testing.T) {
	s := ugly(t)
	s.apply()
	s.plane.Kubectl(t, "-n", s.namespace, "scale", "deployment", "web", "--replicas=3")
	s.plane.Kubectl(t, "-n", s.namespace, "set", "env", "deployment/web", "DEBUG=yes")
	s.plane.Kubectl(t, "-n", s.namespace, "patch", "secret", "db", "-p", `{"stringData":{"password":"c4n4ry-typed-by-hand"}}`)
	s.plane.Kubectl(t, "-n", s.namespace, "delete", "service", "web")

	out, err := s.job().Drift(t.Context())
	if err != nil {
		s.fatal(out, err)
	}
	text := ""
	for _, o := range out.Targets[0].Drift {
		text += o.String() + "\n"
	}
	for _, want := range []string{
		"Secret/" + s.namespace + "/db is changed\n  .data.password changed by kubectl-patch (Update, ",
		"Service/" + s.namespace + "/web is missing\n",
		"Deployment.apps/" + s.namespace + "/web is changed\n",
		".spec.replicas changed by kubectl (Update)\n", // scale, of which the server notes no time
		`.spec.template.spec.containers[name="web"].env[name="DEBUG"]`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q in\n%s", want, text)
		}
	}
	s.silent(text, out)

	// It is told, and by default not put back.
	out = s.apply()
	if got := actions(out); len(got) != 3 || s.get("deployment", "web", "-o", "jsonpath={.spec.replicas}") != "3" {
		t.Errorf("heal: never did %v", got)
	}
	if all := s.statuses(); len(all) != 2 || all[1].State != notify.Drifted {
		t.Errorf("statuses: %+v", all)
	}

	s.configure("drift: {heal: listed, listed: ['Service/*/web']}\n")
	if s.apply(); s.get("service", "web", "-o", "name") != "service/web" || s.get("deployment", "web", "-o", "jsonpath={.spec.replicas}") != "3" {
		t.Errorf("heal: listed: %q, %s replicas\n%s", s.get("service", "web", "-o", "name", "--ignore-not-found"), s.get("deployment", "web", "-o", "jsonpath={.spec.replicas}"), strings.Join(s.told, "\n"))
	}
	told := s.statuses()[1].Drift
	for _, want := range []string{"Service/" + s.namespace + "/web is missing, and was put back", "Secret/" + s.namespace + "/db is changed: .data.password changed by kubectl-patch (Update, "} {
		if !slices.ContainsFunc(told, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("lacks %q in %q", want, told)
		}
	}
	s.configure("drift: {heal: always, ignore: [{object: 'Deployment.apps/*/web', pointers: [/spec/replicas]}]}\n")
	if s.apply(); s.get("deployment", "web", "-o", "jsonpath={.spec.replicas}") != "3" {
		t.Error("an ignored field was put back")
	}
	out, err = s.job().Drift(t.Context())
	if err != nil || slices.ContainsFunc(out.Targets[0].Drift, func(o drift.Object) bool { return o.What != drift.Added }) {
		t.Errorf("after healing: %v %v", err, out.Targets[0].Drift)
	}
	s.configure("drift: {heal: always}\n")
	if s.apply(); s.get("deployment", "web", "-o", "jsonpath={.spec.replicas}") != "2" {
		t.Error("heal: always left the replicas")
	}
}

// TestRevert: a rollout that fails goes back to what was healthy, and the status
// says both.
func TestRevert(t *testing.T) {
	s := ugly(t)
	s.configure("onFailure: revert\n" + failing())
	good := s.apply().Revision
	bad := s.play(controlplane.NeverReady)
	j := s.job()
	out, err := j.Run(t.Context())
	var e *job.Error
	if !errors.As(err, &e) || e.Stage != job.StageHealth || out.Reverted != good || out.Revision != bad {
		t.Fatalf("got %v, reverted to %q", err, out.Reverted)
	}
	if image := s.get("deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); image != "nginx" {
		t.Errorf("image %s", image)
	}
	all := s.statuses()
	if all[0].State != notify.Failed || all[0].Revision != bad || all[1].State != notify.Applied || all[1].Revision != good {
		t.Errorf("statuses: %+v", all)
	}
}

// TestHooks: Jobs run around a new revision, also where the target makes the
// namespace that they are in, and not again without news.
func TestHooks(t *testing.T) {
	s := ugly(t)
	fresh := s.namespace + "-fresh"
	t.Cleanup(func() { s.plane.Kubectl(t, "delete", "namespace", fresh, "--wait=false", "--ignore-not-found") })
	hook := func(name, when string) string {
		return "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: " + name + ", annotations: {sallyport.dev/hook: " + when + "}}\n" +
			"spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n"
	}
	s.write("overlays/prod/kustomization.yaml", "namespace: "+fresh+"\nresources: [web.yaml, secret.yaml, namespace.yaml, hooks.yaml]\nconfigMapGenerator: [{name: settings, literals: [colour=green]}]\n")
	s.write("overlays/prod/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
	s.write("overlays/prod/hooks.yaml", hook("migrate", "before")+hook("announce", "after"))
	s.commit("hooks")
	s.namespace = fresh
	s.apply()
	made := func() string {
		return s.get("jobs", "--sort-by=.metadata.creationTimestamp", "-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {end}")
	}
	first := made()
	if names := strings.Fields(first); len(names) != 4 || names[0] != "migrate" || names[2] != "announce" {
		t.Fatalf("hooks: %s", first)
	}
	order := strings.Join(s.told, "\n")
	if migrate, web := strings.Index(order, "running hook Job.batch/"+fresh+"/migrate"), strings.LastIndex(order, "apply Deployment.apps/"+fresh+"/web"); web < migrate {
		t.Errorf("the workload came before its hook:\n%s", order)
	}
	if s.apply(); made() != first {
		t.Error("hooks ran again without news")
	}
	s.write("overlays/prod/web.yaml", s.web("nginx:2"))
	s.commit("news")
	if s.apply(); made() == first {
		t.Error("hooks did not run for a new revision")
	}
}

// TestOrphans: a target that is gone is named, what it consists of stays, and its
// status says that it is gone, whatever the last run had said. What the patterns of
// the configuration leave out is the business of others.
func TestOrphans(t *testing.T) {
	s := ugly(t)
	s.apply()
	s.git("mv", "overlays/prod", "overlays/production")
	s.commit("another name")
	run := func(targets string) (*job.Outcome, error) {
		config := filepath.Join(s.own, "config.yaml")
		s.configure(quick)
		text, err := os.ReadFile(config)
		if err == nil {
			err = os.WriteFile(config, []byte(strings.Replace(string(text), "apply:\n", targets+"apply:\n", 1)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return s.job().Run(t.Context())
	}
	told := func(out *job.Outcome) bool {
		return slices.ContainsFunc(out.Notes, func(n string) bool {
			return strings.Contains(n, "set overlays-prod has no target any more, and its 4 objects stay")
		})
	}
	state := func() string {
		return s.plane.Kubectl(t, "-n", s.runner, "get", "configmap", "sallyport-status.overlays-prod", "-o", "jsonpath={.data.state}")
	}
	if out, _ := run("targets: {include: [\"overlays/production\"]}\n"); told(out) || state() != "applied" {
		t.Errorf("another runner's target: %q, %s", out.Notes, state())
	}
	out, err := run("targets: {include: [\"overlays/*\"]}\n")
	if err == nil || !strings.Contains(err.Error(), "set") {
		t.Errorf("objects that belong to a set were taken over by another: %v", err)
	}
	if !told(out) || state() != "gone" {
		t.Errorf("notes: %q, status %s", out.Notes, state())
	}
	if out, _ := run(""); !told(out) || state() != "gone" {
		t.Errorf("notes: %q, status %s", out.Notes, state())
	}
	s.git("mv", "overlays/production", "overlays/prod")
	s.commit("the old name")
	if s.apply(); state() != "applied" {
		t.Errorf("it is back, and its status is %s", state())
	}
}

// TestSameName: two targets whose inventories would have the same name share
// nothing; the second one is refused, and says whose name it has.
func TestSameName(t *testing.T) {
	s := ugly(t)
	s.apply()
	s.plane.Kubectl(t, "-n", s.runner, "annotate", "--overwrite", "configmap", "sallyport-overlays-prod", "sallyport.dev/source=overlays/.prod")
	s.write("overlays/prod/web.yaml", s.web("nginx:2"))
	s.commit("news")
	unchanged := s.untouched()
	s.refuses(job.StageApply, `sallyport-overlays-prod is the inventory of "overlays/.prod", and "overlays/prod" would have the same name: rename one of the two`)
	unchanged()
}

// TestHome: a commit cannot put anything beside the runner's books, configuration
// and keys, wherever they are and whoever it acts as.
func TestHome(t *testing.T) {
	s := ugly(t)
	s.plane.Kubectl(t, "-n", s.namespace, "create", "secret", "generic", "age", "--from-file=identity.agekey="+s.identity)
	config := filepath.Join(s.own, "config.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	files := "identities: {files: [" + s.identity + "]}"
	for name, test := range map[string]struct{ apply, namespace, want string }{
		"the runner's":             {files, s.namespace, "is the runner's own namespace"},
		"the runner's, as another": {files + "\n  impersonate: elsewhere/deployer", s.namespace, "is the runner's own namespace"},
		"the account's":            {files + "\n  impersonate: " + s.namespace + "/deployer", s.runner, "is the runner's own namespace"},
		"that of the keys":         {"identities: {secret: " + s.namespace + "/age}", s.runner, "is the namespace with the age identities"},
	} {
		if err := os.WriteFile(config, []byte(strings.Replace(string(text), files, test.apply, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := s.job(func(o *job.Options) { o.Namespace = test.namespace }).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.want) || s.get("deployment", "-o", "name") != "" {
			t.Errorf("%s: got %v", name, err)
		}
		s.silent(out)
	}
}

// TestSetName: no two targets share an inventory, and none of them has that of the
// runner's status or configuration.
func TestSetName(t *testing.T) {
	for path, want := range map[string]string{
		"overlays/prod": "overlays-prod", "overlays-prod": `overlays-prod-[0-9a-f]{8}`, "Overlays/prod": `overlays-prod-[0-9a-f]{8}`,
		".": `root-[0-9a-f]{8}`, strings.Repeat("a/", 30) + "a": `a(-a){19}-[0-9a-f]{8}`,
		"status": `status-[0-9a-f]{8}`, "config": `config-[0-9a-f]{8}`, "config/tenant/a": `config-tenant-a-[0-9a-f]{8}`, "configs": "configs",
		"overlays/prod/5c5d1f2a": `overlays-prod-5c5d1f2a-[0-9a-f]{8}`, // else what somebody chose to be the name of overlays-prod
	} {
		if got := job.SetName(path); !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestNotes: what nobody judges is said once, with the key to set, and is in the
// status; a configuration that says who judges has nothing to be told.
func TestNotes(t *testing.T) {
	s := ugly(t)
	holds := func(notes []string, want ...string) bool {
		return len(notes) == len(want) && !slices.ContainsFunc(want, func(w string) bool {
			return !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, w) })
		})
	}
	if out := s.apply(); !holds(out.Notes, "set apply.verify.require") {
		t.Errorf("with creation rules: %q", out.Notes)
	}
	if err := os.Remove(filepath.Join(s.own, ".sops.yaml")); err != nil {
		t.Fatal(err)
	}
	out := s.apply()
	if !holds(out.Notes, "set apply.verify.require", "secrets.recipients.from") {
		t.Errorf("without creation rules: %q", out.Notes)
	}
	if run := s.statuses()[0]; run.Target != "" || !slices.Equal(run.Warnings, out.Notes) {
		t.Errorf("status of the run: %+v", run)
	}
	digest := out.Targets[0].Digest
	file := filepath.Join(s.own, "config.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	environments := "secrets: {environments: [{name: prod, targets: ['**'], recipients: [" + s.recipient + "]}]}\n"
	if err := os.WriteFile(file, append(text, environments...), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := s.apply(func(o *job.Options) { o.Expect = digest }); len(out.Notes) != 0 {
		t.Errorf("keys are listed and the digest is expected: %q", out.Notes)
	}
}

// TestDriftSilent: what somebody wrote into the cluster can hold a value of the
// set, as a key of a ConfigMap or as the name of a field manager. It is not said.
func TestDriftSilent(t *testing.T) {
	s := ugly(t)
	// Of its own: other tests look for theirs in all ConfigMaps of the cluster.
	const password = "c4n4ry-drift-77a1-p4ssw0rd"
	s.seal("overlays/prod/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: "+password+"\n")
	s.commit("another password")
	s.apply()
	settings := s.get("deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].envFrom[0].configMapRef.name}")
	s.plane.Kubectl(t, "-n", s.namespace, "patch", "configmap", settings, "--field-manager="+password, "-p", `{"data":{"colour":"red","`+password+`":"x"}}`)
	out, err := s.job().Drift(t.Context())
	if err != nil {
		s.fatal(out, err)
	}
	text, err := json.Marshal(out.Targets[0].Drift)
	if err != nil || !strings.Contains(string(text), ".data.colour") || !strings.Contains(string(text), "••••••••") {
		t.Errorf("drift is not told: %v %s", err, text)
	}
	for _, o := range out.Targets[0].Drift {
		text = append(text, o.String()...)
	}
	if holds(string(text), password) {
		t.Errorf("drift says the password: %s", text)
	}
	s.write("overlays/prod/kustomization.yaml", "namespace: "+s.namespace+"\nresources: [web.yaml, secret.yaml]\nconfigMapGenerator: [{name: settings, literals: [colour=blue], options: {disableNameSuffixHash: true}}]\n")
	s.commit("colour")
	s.plane.Kubectl(t, "-n", s.namespace, "create", "configmap", "settings", "--from-literal=colour=red", "--field-manager="+password)
	_, err = s.job().Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), ".data.colour") || holds(err.Error(), password) {
		t.Errorf("a conflict with a manager of that name: %v", err)
	}
}

func TestWrongConfiguration(t *testing.T) {
	s := newShop(t, controlplane.Shared(t))
	for more, want := range map[string]string{
		"helth: {}\n": `unknown key "helth"; did you mean "health"?`,
		"health: {rules: [{kind: A, healthy: \"a ==\"}]}\n": "apply.health.rules: health rule for A: healthy:",
		"smoke: [{name: a, url: nowhere}]\n":                "apply.smoke: smoke test a: the URL",
		"drift: {ignore: [{object: A/b, pointers: [c]}]}\n": `apply.drift.ignore: "c" is no JSON pointer`,
		"notify: [{type: slack}]\n":                         "apply.notify[0]: slack needs urlFile",
		"impersonate: me\n":                                 `apply.impersonate: "me" is not namespace/name`,
		"prune: {share: 101}\n":                             "apply.prune.share: 101 of a hundred",
	} {
		s.configure(more)
		_, err := s.job().Run(t.Context())
		var wrong *gate.UsageError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) || job.IsFinding(err) {
			t.Errorf("%s: got %v, want %s", more, err, want)
		}
	}
	s.configure("")
	config := filepath.Join(s.own, "config.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := strings.Replace(string(text), "source: {url: \"file://"+s.dir+"\", ref: main}", "verify: {require: commit}", 1)
	if err := os.WriteFile(config, []byte(unsigned), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s.job(func(o *job.Options) { o.Directory = s.dir }).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "apply.verify: a directory has no signature") {
		t.Errorf("a directory passes for signed: %v", err)
	}
	if _, err := job.New(job.Options{Config: filepath.Join(s.own, "config.yaml")}); err == nil || !strings.Contains(err.Error(), "--namespace") {
		t.Errorf("got %v", err)
	}
}
