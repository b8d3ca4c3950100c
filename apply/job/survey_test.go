package job_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/apply/job"
)

// more writes a target of its own, of one file.
func (s *shop) more(name, text string) {
	s.t.Helper()
	s.write("overlays/"+name+"/kustomization.yaml", "resources: [all.yaml]\n")
	s.write("overlays/"+name+"/all.yaml", text)
}

// TestSurvey: what is wrong with any target is found before anything of any is
// written, hooks included, and all of it is said at once.
func TestSurvey(t *testing.T) {
	s := ugly(t)
	configMap := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first, namespace: " + s.namespace + "}\n"
	s.more("a", configMap)
	s.more("x", fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: taken, namespace: %[1]s}\nspec: {clusterIP: 203.0.113.7, selector: {app: web}, ports: [{port: 80}]}\n"+
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: lost, namespace: %[1]s-nowhere}\n", s.namespace))
	s.more("y", fmt.Sprintf("apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, namespace: %s, annotations: {sallyport.dev/hook: before}}\n"+
		"spec: {activeDeadlineSeconds: 60, template: {spec: {restartPolicy: Never, priorityClassName: no-such-class, activeDeadlineSeconds: 99999999999, containers: [{name: a, image: a}]}}}\n---\n%s", s.namespace, strings.Replace(configMap, "first", "second", 1)))
	s.commit("more")
	text := s.refuses(job.StageApply,
		"overlays/a: apply: it is not applied, since others of this run are refused: overlays/x, overlays/y",
		"overlays/prod: apply: it is not applied, since others of this run are refused: overlays/x, overlays/y",
		"overlays/x: apply: preflight: 2 of 2 objects refused", "Service/$NS/taken", "ConfigMap/$NS-nowhere/lost",
		"overlays/y: hooks: hook Job.batch/$NS/migrate", "activeDeadlineSeconds")
	if left := s.get("deployment,service,secret,configmap,job", "-o", "name", "-l", "applyset.kubernetes.io/part-of"); left != "" {
		t.Errorf("something was written: %s\n%s", left, text)
	}
	if jobs := s.get("job", "-o", "name"); jobs != "" {
		t.Errorf("a hook was run: %s", jobs)
	}
	for _, status := range s.statuses() {
		if status.State != "failed" {
			t.Errorf("status %+v", status)
		}
	}
	s.git("rm", "-rq", "overlays/x", "overlays/y")
	s.commit("mended")
	s.apply()
}

// TestBrings: a target may need a kind, a newer version of a kind, or a namespace
// that another target of the same run brings.
func TestBrings(t *testing.T) {
	s := ugly(t)
	kind := strings.ReplaceAll(s.namespace, "-", "")
	fresh := s.namespace + "-fresh"
	t.Cleanup(func() {
		s.plane.Kubectl(t, "delete", "crd", kind+".brings.example", "--wait=false", "--ignore-not-found")
		s.plane.Kubectl(t, "delete", "namespace", fresh, "--wait=false", "--ignore-not-found")
	})
	definition := func(fields string) string {
		return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[1]s.brings.example}
spec:
  group: brings.example
  scope: Namespaced
  names: {kind: K%[1]s, plural: %[1]s}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {%[2]s}}}}]
---
apiVersion: v1
kind: Namespace
metadata: {name: %[3]s}
`, kind, fields, fresh)
	}
	object := func(field string) string {
		return fmt.Sprintf("apiVersion: brings.example/v1\nkind: K%s\nmetadata: {name: one, namespace: %s}\n%s: set\n---\n"+
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: late, namespace: %[2]s}\n", kind, fresh, field)
	}
	// By name the one that needs comes first.
	s.more("a", object("old"))
	s.more("b", definition("old: {type: string}"))
	s.commit("bootstrap")
	got := actions(s.apply())
	for _, want := range []string{"created CustomResourceDefinition " + kind + ".brings.example", "created K" + kind + " one", "created ConfigMap late", "created Deployment web"} {
		if !slices.Contains(got, want) {
			t.Errorf("lacks %q: %v", want, got)
		}
	}
	s.more("a", object("new"))
	s.more("b", definition("old: {type: string}, new: {type: string}"))
	s.commit("a new field")
	if got := actions(s.apply()); !slices.Contains(got, "configured K"+kind+" one") {
		t.Errorf("got %v", got)
	}
}
