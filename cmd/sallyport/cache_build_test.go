package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"
)

// TestProgramsAreTold holds that programs which differ in anything that is compiled
// or linked in have different IDs, and builds of the same have one. What only a
// clean commit would vouch for is among it: files that Git ignores, flags that
// -trimpath takes out of the build information.
func TestProgramsAreTold(t *testing.T) {
	dir := t.TempDir()
	build := func(flags ...string) string {
		t.Helper()
		program := filepath.Join(t.TempDir(), "program")
		cmd := exec.Command("go", append(append([]string{"build", "-buildvcs=false", "-trimpath", "-o", program}, flags...), ".")...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return toolchainID(program)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/program\n\ngo 1.24\n")
	write("main.go", "package main\n\nimport _ \"embed\"\n\n//go:embed rules.txt\nvar rules string\nvar mode = \"strict\"\n\nfunc main() { println(mode, rules) }\n")
	write("rules.txt", "all of them")
	first := build()
	if first == "" || build() != first {
		t.Fatalf("two builds of the same: %q and another", first)
	}
	known := map[string]string{first: "the first"}
	for _, c := range []struct{ what, id string }{
		{"a variable set by the linker", build("-ldflags=-X main.mode=lax")},
		{"another embedded file", func() string { write("rules.txt", "none of them"); return build() }()},
		{"another source", func() string { write("more.go", "package main\n\nfunc init() { mode = \"lax\" }\n"); return build() }()},
	} {
		if other, same := known[c.id]; same || c.id == "" {
			t.Errorf("%s: %q is the ID of %s", c.what, c.id, other)
		}
		known[c.id] = c.what
	}
	for _, flag := range []string{"-ldflags=-buildid=", "-ldflags=-buildid=redacted"} {
		if id := build(flag); id != "" {
			t.Errorf("%s: ID %q, want none", flag, id)
		}
	}
}

// TestReleased holds that build information stands for a program only where
// checksums cover all of it.
func TestReleased(t *testing.T) {
	sum := func(sum string) debug.Module { return debug.Module{Path: "example.com/m", Version: "v1.0.0", Sum: sum} }
	replaced := sum("")
	replaced.Replace = &debug.Module{Path: "../m"}
	dep, local := sum("h1:x"), sum("")
	for what, c := range map[string]struct {
		info debug.BuildInfo
		want bool
	}{
		"a released module":          {debug.BuildInfo{Main: sum("h1:x"), Deps: []*debug.Module{&dep}}, true},
		"a work tree":                {debug.BuildInfo{Main: sum("")}, false},
		"a clean commit":             {debug.BuildInfo{Main: sum(""), Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "1"}, {Key: "vcs.modified", Value: "false"}}}, false},
		"a module of the work space": {debug.BuildInfo{Main: sum("h1:x"), Deps: []*debug.Module{&local}}, false},
		"a replaced module":          {debug.BuildInfo{Main: sum("h1:x"), Deps: []*debug.Module{&replaced}}, false},
		"flags that are left out":    {debug.BuildInfo{Main: sum("h1:x"), Settings: []debug.BuildSetting{{Key: "-trimpath", Value: "true"}}}, false},
	} {
		if got := released(&c.info); got != c.want {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}
