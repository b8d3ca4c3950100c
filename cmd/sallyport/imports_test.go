package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sallyport/sallyport/"

// allowed says which packages of ours each package may import. What is not
// listed may not exist: a new package states its place here first.
var allowed = map[string][]string{
	"repo":                  {},
	"finding":               {},
	"policies":              {},
	"source":                {"finding"},
	"render":                {"repo", "source", "finding"},
	"secrets":               {"repo", "source", "finding", "render"},
	"secrets/encrypt":       {"repo", "source", "finding", "secrets"},
	"validate":              {"repo", "source", "finding", "render"},
	"policy":                {"finding", "render"},
	"diff":                  {"finding", "render"},
	"gate":                  {"repo", "source", "finding", "render", "secrets", "validate", "policy", "policies", "diff"},
	"report":                {"finding", "diff"},
	"secrets/decrypt":       {"repo", "source", "finding", "render", "secrets"},
	"apply/cluster":         {},
	"apply/inventory":       {"apply/cluster"},
	"apply/health":          {"apply/cluster"},
	"apply/hook":            {"apply/cluster", "apply/health"},
	"apply/smoke":           {},
	"apply/notify":          {},
	"apply/fetch":           {"repo"},
	"apply":                 {"apply/cluster", "apply/inventory"},
	"apply/drift":           {"apply", "apply/cluster", "apply/inventory"},
	"apply/job":             {"repo", "source", "finding", "render", "secrets", "secrets/decrypt", "gate", "apply", "apply/cluster", "apply/inventory", "apply/health", "apply/hook", "apply/smoke", "apply/notify", "apply/fetch", "apply/drift"},
	"cmd/sallyport":         {"repo", "source", "finding", "render", "secrets", "secrets/encrypt", "policy", "diff", "gate", "report", "apply", "apply/job", "apply/cluster", "apply/drift", "apply/notify"},
	"testdata/peer":         {},
	"testdata/attacks":      {"testdata/peer"},
	"testdata/fleet":        {},
	"testdata/corpora":      {"testdata/peer"},
	"testdata/controlplane": {"testdata/peer"},
}

// sole says which packages alone may import a dependency, tests aside.
var sole = map[string][]string{
	"github.com/spf13/cobra":                 {"cmd/sallyport"},
	"sigs.k8s.io/kustomize/":                 {"render"},
	"github.com/yannh/kubeconform/":          {"validate"},
	"github.com/santhosh-tekuri/jsonschema/": {"validate"},
	"github.com/open-policy-agent/opa/":      {"policy"},
	"github.com/getsops/sops/":               {"secrets/encrypt", "secrets/decrypt"}, // encrypt knows public keys only
	"filippo.io/age":                         {"secrets/encrypt", "secrets/decrypt"},
	"k8s.io/client-go/":                      {"apply/cluster"},
	"github.com/go-git/":                     {"apply/fetch"},
}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// list asks the go command, so that build tags and vendoring count.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range list(t) {
		room, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		permitted, known := allowed[room]
		if !known {
			t.Errorf("%s has no place in the import rules", room)
			continue
		}
		for _, imported := range p.Imports {
			if other, ours := strings.CutPrefix(imported, module); ours && !slices.Contains(permitted, other) {
				t.Errorf("%s imports %s", room, other)
			}
			for prefix, owners := range sole {
				if strings.HasPrefix(imported, prefix) && !slices.Contains(owners, room) {
					t.Errorf("%s imports %s, which only %s may", room, imported, strings.Join(owners, " and "))
				}
			}
		}
	}
}

// TestNoKeys holds the promise that the gate cannot reach a key: nothing that
// can decrypt is linked into the way of check, render or targets.
func TestNoKeys(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != module+"gate" {
			continue
		}
		for _, dep := range p.Deps {
			for _, keys := range []string{"filippo.io/age", "github.com/getsops/", "k8s.io/client-go"} {
				if strings.HasPrefix(dep, keys) {
					t.Errorf("gate reaches %s", dep)
				}
			}
		}
	}
}

// TestHouseStyle keeps process-wide effects where they belong.
func TestHouseStyle(t *testing.T) {
	banned := map[string]bool{"util": true, "utils": true, "common": true, "types": true, "helpers": true}
	forbidden := map[string]bool{"os.Exit": true, "os.Stdout": true, "os.Stderr": true, "os.Getenv": true, "os.LookupEnv": true, "os.Environ": true, "log.Fatal": true}
	err := filepath.WalkDir("../..", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel("../..", p)
		if e.IsDir() {
			if e.Name() == ".git" || rel == "testdata" || rel == filepath.Join("validate", "gen") || rel == filepath.Join("deploy", "image") {
				return filepath.SkipDir
			}
			if banned[e.Name()] {
				t.Errorf("%s: a package says what it is about", rel)
			}
			return nil
		}
		if path.Ext(p) != ".go" || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		inCmd := strings.HasPrefix(filepath.ToSlash(rel), "cmd/")
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, p, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s: init function", files.Position(n.Pos()))
				}
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				name := ""
				if ok {
					name = x.Name + "." + n.Sel.Name
				}
				if forbidden[name] && !inCmd && !excused(filepath.ToSlash(rel), name) {
					t.Errorf("%s: %s outside cmd", files.Position(n.Pos()), name)
				}
				if name == "os.Exit" && e.Name() != "main.go" {
					t.Errorf("%s: os.Exit outside main.go", files.Position(n.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// excused lists the two places that must touch the process: git's environment
// is the caller's, and kustomize prints to standard error by itself.
func excused(file, name string) bool {
	return name == "os.Environ" && strings.HasPrefix(file, "repo/") || name == "os.Stderr" && file == "render/process.go"
}
