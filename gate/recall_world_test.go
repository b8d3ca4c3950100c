package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/fleet"
)

// spot is a path with what may stand there: "" is nothing, "link to x" a symbolic
// link.
type spot struct {
	path     string
	variants []string
}

// ordinary is the variant that a spot has unless another is tried.
const ordinary = 1

// newWorld lists the places of a small repository with every kind of target, and
// every kind of file that a verdict may depend on.
func newWorld(t *testing.T) []spot {
	t.Helper()
	dir := t.TempDir()
	if err := fleet.Write(dir, fleet.Options{Apps: 1, Envs: 1}); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "apps/*/overlays/*/credentials.enc.yaml"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v: %v", found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	encrypted := string(data)
	_, recipient, _ := strings.Cut(encrypted, "recipient: ")
	recipient, _, _ = strings.Cut(recipient, "\n")
	rules := "creation_rules: [{encrypted_regex: '^(data|stringData)$', age: " + recipient + "}]\n"
	return append(worldOfTargets(), []spot{
		{"base/db.enc.yaml", []string{"", encrypted, "# moved\n" + encrypted, strings.Replace(encrypted, "name:", "namespace: shop\n  name:", 1)}},
		{"copy.enc.yaml", []string{encrypted, "", strings.Replace(encrypted, "ENC[", "ENC [", 1)}},
		{".sops.yaml", []string{"", rules, strings.ReplaceAll(rules, recipient, "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"), rules + "broken: [\n"}},
		{"base/.sops.yaml", []string{rules, "", strings.ReplaceAll(rules, "stringData", "none")}},
	}...)
}

const (
	worldPod = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: web, image: nginx:1.29.1, envFrom: [{configMapRef: {name: conf}}, {secretRef: {name: db}}]}
`
	worldWidget     = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: gear, namespace: shop}\nspec: {size: 3}\n"
	worldDefinition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}
`
	worldFlux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec:
  interval: 10m
  prune: true
  path: ./delivered
  sourceRef: {kind: GitRepository, name: flux-system}
  targetNamespace: shop
  postBuild: {substitute: {size: "3"}}
  patches:
    - target: {kind: ConfigMap}
      patch: |
        - {op: add, path: /data/more, value: patched}
`
	worldArgo = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: app, namespace: argocd}
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  source: {repoURL: https://git.shop.example/repo.git, path: applied, targetRevision: HEAD, kustomize: {namePrefix: a-}}
`
	worldConfig = "apiVersion: sallyport.dev/v1\nkind: Config\npolicies: [policies]\npolicyData: [policies/data.yaml]\n"
	worldPolicy = `# METADATA
# title: Pods are owned
# custom: {id: pod-owner}
package main

import rego.v1

deny contains "a Pod has no owner" if {
	input.kind == "Pod"
	not input.metadata.labels.owner
}
`
	worldReader = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: shop}]
`
)

func worldOfTargets() []spot {
	base := "resources: [pod.yaml]\nconfigMapGenerator: [{name: conf, files: [app.conf], envs: [app.env]}]\n"
	map1 := func(name string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {size: \"${size:=1}\"}\n"
	}
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {password: Tr0ub4dor-and-3-horses}\n"
	return []spot{
		{"base/kustomization.yaml", []string{
			"", base, base + "generators: [gen.yaml]\n", base + "secretGenerator: [{name: db, envs: [app.env]}]\n", base + "patches: [{path: patch.yaml}]\n",
			base + "patches: [{path: patch.yaml, target: {kind: Secret}}]\n", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" + base,
			"resources: [pod.yaml, db.enc.yaml]\n", "resources: [pod.yaml, ../crds]\n", "resources: [pod.yaml\n", "# moved\n" + base,
			strings.Replace(base, "pod.yaml", "https://git.shop.example/x.yaml", 1), base + "transformers: [patch.yaml]\n", base + "openapi: {path: app.conf}\n",
		}},
		{"base/kustomization.yml", []string{base, ""}},
		{"base/pod.yaml", []string{
			"", worldPod, "# moved\n" + worldPod, strings.Replace(worldPod, "1.29.1", "latest", 1), strings.Replace(worldPod, "name: db", "name: other", 1),
			strings.Replace(worldPod, "image:", "imagine:", 1), strings.Replace(worldPod, "v1", "v2", 1), "link to ../plain/map.yaml", worldPod + "---\n" + worldWidget,
		}},
		{"base/patch.yaml", []string{"", "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {owner: me}}\n", "[{op: add, path: /stringData, value: {password: Tr0ub4dor-and-3-horses}}]\n"}},
		{"base/app.conf", []string{"", "size = 3\n", "token = ghp_0123456789abcdefghijABCDEFGHIJ012345\n", "{\"kind\": \"CustomResourceDefinition\"}\n"}},
		{"base/app.env", []string{"", "SIZE=3\n", "PASSWORD=Tr0ub4dor-and-3-horses\n", "SIZE=4\n"}},
		{"base/gen.yaml", []string{
			"", "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: made}\nenvs: [app.env]\n", "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: db}\nenvs: [app.env]\n",
		}},
		{"made/kustomization.yaml", []string{"", "generators: [gen.yaml]\n"}},
		{"made/gen.yaml", []string{
			"", "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: made}\nenvs: [made.env]\n", "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: made}\nenvs: [made.env]\n",
		}},
		{"made/made.env", []string{"", "PASSWORD=Tr0ub4dor-and-3-horses\n"}},
		{"overlays/prod/kustomization.yaml", []string{
			"", "namespace: shop\nresources: [../../base]\n", "namespace: prod\nresources: [../../base]\ncomponents: [../../component]\n", "resources: [../../base, ../../plain]\n",
			"resources: [../../base, ../link]\n", "resources: [../../../outside]\n",
		}},
		{"overlays/dev/kustomization.yaml", []string{"", "namespace: dev\nresources: [../../base]\n", "namespace: shop\nresources: [../../base]\n", "resources: [../prod]\n"}},
		{"overlays/link", []string{"", "link to ../base", "link to ../../elsewhere"}},
		{"component/kustomization.yaml", []string{"", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {owner: me}}]\n", "labels: [{pairs: {owner: me}}]\n"}},
		{"crds/kustomization.yaml", []string{"", "resources: [widgets.yaml]\n", "resources: []\n"}},
		{"crds/widgets.yaml", []string{
			"", worldDefinition, strings.Replace(worldDefinition, "integer", "string", 1), strings.Replace(worldDefinition, "served: true", "served: false", 1),
			strings.Replace(worldDefinition, "example.com", "example.org", 3), "# moved\n" + worldDefinition,
		}},
		{"plain/crd.yaml", []string{worldDefinition, "", "{{ if .Values.crds }}\n" + worldDefinition}},
		{"plain/widget.yaml", []string{"", worldWidget, strings.Replace(worldWidget, "3", "large", 1), strings.Replace(worldWidget, "/v1", "/v2", 1)}},
		{"plain/map.yaml", []string{"", map1("conf"), "# moved\n" + map1("conf"), strings.Replace(map1("conf"), "ConfigMap", "ConfigMop", 1), map1("conf") + "---\n" + map1("conf")}},
		{"plain/secret.yaml", []string{secret, "", strings.Replace(secret, "stringData", "data", 1)}},
		{"plain/reader.yaml", []string{worldReader, "", strings.Replace(worldReader, "secrets", "configmaps", 1)}},
		{"plain/Chart.yaml", []string{"apiVersion: v2\nname: chart\nversion: 1.0.0\n", ""}},
		{"plain/kustomization.yaml", []string{"resources: [map.yaml]\n", "", "resources: [map.yaml, widget.yaml]\n"}},
		{"plain/link.yaml", []string{"link to map.yaml", "", "link to /etc/hosts"}},
		{"delivered/map.yaml", []string{"", map1("given"), "# moved\n" + map1("given"), map1("given") + "---\n" + worldWidget}},
		{"delivered/kustomization.yaml", []string{"resources: [map.yaml]\n", "", "resources: [map.yaml, ../plain]\n"}},
		{"flux/app.yaml", []string{
			"", worldFlux, "# moved\n" + worldFlux, strings.Replace(worldFlux, "substitute: {size: \"3\"}", "substituteFrom: [{kind: Secret, name: db}]", 1),
			strings.Replace(worldFlux, "./delivered", "./applied", 1), strings.Replace(worldFlux, "/data/more", "/nothing/more", 1), strings.Replace(worldFlux, "shop", "prod", 1),
		}},
		{"applied/kustomization.yaml", []string{"resources: [map.yaml]\n", ""}},
		{"applied/map.yaml", []string{"", map1("taken"), map1("given")}},
		{"argo/app.yaml", []string{
			"", worldArgo, "# moved\n" + worldArgo, strings.Replace(worldArgo, "kustomize: {namePrefix: a-}", "directory: {recurse: true, include: '*.yaml'}", 1),
			strings.Replace(worldArgo, "kustomize: {namePrefix: a-}", "directory: {recurse: true, exclude: 'map*'}", 1), strings.Replace(worldArgo, "applied", "plain", 1),
		}},
		{"policies/p.rego", []string{"", worldPolicy, strings.Replace(worldPolicy, "Pod\"", "ConfigMap\"", 1), "package main\n!"}},
		{"policies/data.yaml", []string{"", "owners: [me]\n", "owners: []\n"}},
		{ConfigName, []string{
			"", worldConfig, worldConfig + "kubernetesVersions: ['1.29']\n", worldConfig + "targets: {exclude: ['overlays/dev']}\n",
			worldConfig + "waivers: [{rule: image-digest, path: 'base/**', reason: later, owner: me, expires: 2027-01-31}]\n",
			worldConfig + "waivers: [{rule: image-digest, path: 'base/**', reason: later, owner: me, expires: 2026-01-31}]\n",
			worldConfig + "waivers: [{rule: no-such-rule, path: 'base/**', reason: later, owner: me, expires: 2027-01-31}]\n",
			worldConfig + "rules: {image-digest: {severity: warning}, pod-owner: {severity: 'off'}}\n", "apiVersion: sallyport.dev/v1\nkind: Config\n",
			worldConfig + "secrets: {bind: [{files: 'base/**', namespaces: [shop]}], external: [Secret/*/other]}\n",
			worldConfig + "secrets: {environments: [{name: prod, targets: ['overlays/prod'], recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]}]}\n",
			worldConfig + "secrets: {substitute: [size]}\nbundled: {disable: [image-digest]}\n",
		}},
		{".gitignore", []string{"secret.yaml\n", "", "plain/\n", "*.env\n"}},
		{"notes.txt", []string{"token = ghp_0123456789abcdefghijABCDEFGHIJ012345\n", "", secret}},
	}
}
