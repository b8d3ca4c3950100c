package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sallyport/sallyport/gate"
)

// deployDir is what the tests of deployment are about.
const deployDir = "../../deploy"

// overlays are what people apply. Others may stand on them, so that not all are
// targets of their own.
var overlays = []string{
	"job", "cronjob", "deployment", "drift", "monitoring", "recover", "example", "tenant/dedicated", "tenant/impersonated",
}

// TestDeployIsClean holds that the gate has nothing to say against our own
// manifests, warnings included, and that it knows every kind in them.
func TestDeployIsClean(t *testing.T) {
	s, out, stderr := world(nil)
	code := run(t.Context(), s, []string{"check", deployDir, "--strict", "--fail-on", "warning", "--no-cache"})
	if code != exitClean {
		t.Errorf("exit code %d\n%s%s", code, out, stderr)
	}
}

// rendered returns the objects of an overlay.
func rendered(t *testing.T, overlay string) []*unstructured.Unstructured {
	t.Helper()
	return renderedAt(t, filepath.Join(deployDir, overlay))
}

// renderedAt returns the objects of a target, sealed.
func renderedAt(t testing.TB, target string) []*unstructured.Unstructured {
	t.Helper()
	s, out, stderr := world(nil)
	if code := run(t.Context(), s, []string{"render", target}); code != exitClean {
		t.Fatalf("%s: exit code %d: %s", target, code, stderr)
	}
	var objects []*unstructured.Unstructured
	for _, doc := range strings.Split(out.String(), "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		objects = append(objects, u)
	}
	return objects
}

// TestDeploySubjects holds who is granted what: above all that an overlay with
// a namespace of its own grants nothing to the account of another.
func TestDeploySubjects(t *testing.T) {
	base := []string{"sallyport sallyport-books: sallyport/sallyport", "sallyport sallyport-key: sallyport/sallyport"}
	cluster := []string{" sallyport-cluster: sallyport/sallyport", " sallyport-workloads: sallyport/sallyport", " sallyport-rbac: sallyport/sallyport"}
	drift := "sallyport sallyport-drift: sallyport/sallyport-drift"
	for overlay, want := range map[string][]string{
		"job": base, "cronjob": base, "deployment": base, "monitoring": base,
		"drift":   append(slices.Clone(base), drift),
		"recover": append(slices.Clone(base), cluster...),
		"example": append(slices.Clone(base), drift, "shop sallyport-workloads: sallyport/sallyport, sallyport/sallyport-drift"),
		"tenant/dedicated": {
			"sallyport-tenant-a sallyport-books: sallyport-tenant-a/sallyport", "sallyport-tenant-a sallyport-key: sallyport-tenant-a/sallyport",
			"tenant-a sallyport-workloads: sallyport-tenant-a/sallyport",
		},
		"tenant/impersonated": append(slices.Clone(base), "sallyport-tenant-a sallyport-deployer: sallyport-tenant-a/sallyport-deployer",
			"tenant-a sallyport-workloads: sallyport-tenant-a/sallyport-deployer", "sallyport-tenant-a sallyport-impersonation: sallyport/sallyport"),
	} {
		var got []string
		for _, u := range rendered(t, overlay) {
			if strings.HasSuffix(u.GetKind(), "RoleBinding") {
				got = append(got, grant(u))
			}
		}
		slices.Sort(got)
		if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
			t.Errorf("%s grants\n%s\nwant\n%s", overlay, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// grant is a binding as "namespace role: subjects".
func grant(u *unstructured.Unstructured) string {
	role, _, _ := unstructured.NestedString(u.Object, "roleRef", "name")
	subjects, _, _ := unstructured.NestedSlice(u.Object, "subjects")
	var names []string
	for _, s := range subjects {
		subject := s.(map[string]any)
		names = append(names, fmt.Sprintf("%v/%v", subject["namespace"], subject["name"]))
	}
	return fmt.Sprintf("%s %s: %s", u.GetNamespace(), role, strings.Join(names, ", "))
}

// TestDeployVerbs holds that no role has a wildcard or a verb that makes whoever
// holds it more than he is; impersonate is for one account by name.
func TestDeployVerbs(t *testing.T) {
	usual := []string{"get", "list", "create", "patch", "delete"}
	for _, overlay := range overlays {
		for _, u := range rendered(t, overlay) {
			rules, _, _ := unstructured.NestedSlice(u.Object, "rules")
			if u.GetKind() != "Role" && u.GetKind() != "ClusterRole" {
				continue
			}
			for _, r := range rules {
				var rule struct{ APIGroups, Resources, ResourceNames, Verbs []string }
				remarshal(t, r, &rule)
				what := strings.Join(rule.Resources, " ")
				for _, verb := range rule.Verbs {
					switch {
					case slices.Contains(usual, verb):
					case verb == "update" && what == "leases", verb == "impersonate" && what == "serviceaccounts":
						if len(rule.ResourceNames) != 1 {
							t.Errorf("%s: %s %s: %s of any name", overlay, u.GetName(), what, verb)
						}
					default:
						t.Errorf("%s: %s: verb %s on %s", overlay, u.GetName(), verb, what)
					}
				}
				if slices.Contains(slices.Concat(rule.APIGroups, rule.Resources), "*") {
					t.Errorf("%s: %s has a wildcard", overlay, u.GetName())
				}
			}
		}
	}
}

func remarshal(t *testing.T, from, into any) {
	t.Helper()
	data, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// podOf returns the pod template's spec of a workload; nil for anything else.
func podOf(u *unstructured.Unstructured) map[string]any {
	for _, path := range [][]string{{"spec", "template", "spec"}, {"spec", "jobTemplate", "spec", "template", "spec"}} {
		if spec, found, _ := unstructured.NestedMap(u.Object, path...); found {
			return spec
		}
	}
	return nil
}

// TestDeployPods holds that all ways of running are one pod: they differ in what
// is named here and in nothing else. What the pod is like, the API server's Pod
// Security judges.
func TestDeployPods(t *testing.T) {
	var first map[string]any
	pods := 0
	for _, overlay := range overlays {
		for _, u := range rendered(t, overlay) {
			spec := podOf(u)
			if spec == nil {
				continue
			}
			pods++
			container := spec["containers"].([]any)[0].(map[string]any)
			parse(t, overlay, container["args"].([]any))
			for _, key := range []string{"args", "ports", "livenessProbe", "readinessProbe"} {
				delete(container, key)
			}
			for _, key := range []string{"serviceAccountName", "restartPolicy", "terminationGracePeriodSeconds"} {
				delete(spec, key)
			}
			delete(spec["volumes"].([]any)[0].(map[string]any)["configMap"].(map[string]any), "name")
			if first == nil {
				first = spec
			}
			if !reflect.DeepEqual(spec, first) {
				t.Errorf("%s: the pod of %s differs from that of %s", overlay, u.GetKind(), overlays[0])
			}
		}
	}
	if pods < len(overlays) {
		t.Errorf("%d pods in %d overlays", pods, len(overlays))
	}
}

// parse holds that the arguments of a container are a command line of ours.
func parse(t *testing.T, overlay string, given []any) {
	t.Helper()
	var args []string
	for _, a := range given {
		args = append(args, a.(string))
	}
	s, _, _ := world(nil)
	cmd, rest, err := newRoot(s).Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil {
		t.Fatalf("%s: %v: %v", overlay, args, err)
	}
	config, namespace := cmd.Flag("config").Value.String(), cmd.Flag("namespace").Value.String()
	if config != "/etc/sallyport/config.yaml" || namespace != "$(POD_NAMESPACE)" || len(cmd.Flags().Args()) > 0 {
		t.Errorf("%s: %v: configuration %s, namespace %s", overlay, args, config, namespace)
	}
}

// TestDeployConfigurations holds that every shipped configuration is one, and
// that the Role about the age identities names the Secret that it names.
func TestDeployConfigurations(t *testing.T) {
	for _, overlay := range overlays {
		readable := map[string]bool{}
		var named []string
		for _, u := range rendered(t, overlay) {
			if u.GetKind() == "Role" && strings.Contains(fmt.Sprint(u.Object["rules"]), "[sallyport-age]") {
				readable[u.GetNamespace()+"/sallyport-age"] = true
			}
			if text, found, _ := unstructured.NestedString(u.Object, "data", "config.yaml"); found {
				named = append(named, configured(t, overlay, text))
			}
		}
		if len(named) == 0 {
			t.Errorf("%s has no configuration", overlay)
		}
		for _, secret := range named {
			if !readable[secret] {
				t.Errorf("%s: nobody may read %s, only %v", overlay, secret, slices.Sorted(maps.Keys(readable)))
			}
		}
	}
}

// configured reads a configuration and returns its Secret of identities.
func configured(t *testing.T, overlay, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := gate.ReadOwn(file)
	if err != nil {
		t.Fatalf("%s: %v", overlay, err)
	}
	if config.Apply.Source.URL == "" || len(config.Targets.Include) == 0 {
		t.Errorf("%s: the configuration takes nothing from anywhere", overlay)
	}
	return config.Apply.Identities.Secret
}

// TestDeployAlerts holds that alerts ask for metrics that exist and that each
// has its part of the runbook.
func TestDeployAlerts(t *testing.T) {
	dir := filepath.Join(deployDir, "components", "monitoring")
	rules, err := os.ReadFile(filepath.Join(dir, "prometheusrule.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	runbook, err := os.ReadFile(filepath.Join(dir, "RUNBOOK.md"))
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := os.ReadFile("../../apply/job/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`sallyport_(\w+)`).FindAllStringSubmatch(string(rules), -1) {
		if base := strings.TrimSuffix(name[1], "_count"); !regexp.MustCompile(`"(sallyport_)?` + base + `"`).Match(metrics) {
			t.Errorf("there is no metric %s", name[0])
		}
	}
	alerts := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1)
	for _, a := range alerts {
		if !strings.Contains(string(runbook), "\n## "+a[1]+"\n") || !strings.Contains(string(rules), "RUNBOOK.md#"+strings.ToLower(a[1])+"\n") {
			t.Errorf("%s: no way to its part of the runbook", a[1])
		}
	}
	if len(alerts) == 0 {
		t.Error("no alerts")
	}
}

// TestDeployExample holds that the README's command turns the example into one
// that stands by itself: every base is an address of a directory that is here.
func TestDeployExample(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(deployDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^sed -E '(.*)' (deploy/\S+) > my-cluster/kustomization.yaml$`).FindStringSubmatch(string(readme))
	if line == nil {
		t.Fatal("the README has no such command")
	}
	out, err := exec.Command("sed", "-E", line[1], filepath.Join("../..", line[2])).Output()
	if err != nil {
		t.Fatal(err)
	}
	var example struct{ Resources, Components []string }
	if err := yaml.Unmarshal(out, &example); err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`^https://github\.com/sallyport/sallyport//deploy/(.*)\?ref=v`)
	for _, base := range append(example.Resources, example.Components...) {
		if base == "shop.yaml" {
			continue
		}
		m := address.FindStringSubmatch(base)
		if m == nil {
			t.Errorf("%s is no address", base)
		} else if _, err := os.Stat(filepath.Join(deployDir, m[1], "kustomization.yaml")); err != nil {
			t.Error(err)
		}
	}
}
