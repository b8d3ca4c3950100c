package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/policies"
	"github.com/sallyport/sallyport/policy"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// loadPolicies compiles the bundled policies with those of the repository and
// of the command line.
func (g *gate) loadPolicies(ctx context.Context) (*policy.Set, error) {
	opts, err := g.policyOptions()
	if err != nil {
		return nil, err
	}
	set, err := policy.Load(ctx, opts)
	if err != nil {
		for i, name := range g.config.Bundled.Disable {
			if strings.Contains(err.Error(), " "+name+";") {
				return nil, g.config.wrong(source.Pointer("bundled", "disable", fmt.Sprint(i)), err)
			}
		}
		return nil, &UsageError{fmt.Errorf("policies: %w", err)}
	}
	return set, nil
}

func (g *gate) policyOptions() (policy.Options, error) {
	modules, err := g.gather("policies", g.config.Policies, g.opts.Policies, ".rego")
	if err != nil {
		return policy.Options{}, usage("policies", err)
	}
	data, err := g.gather("policyData", g.config.PolicyData, g.opts.Data, ".yaml", ".yml", ".json")
	if err == nil {
		err = safe(data)
	}
	if err != nil {
		return policy.Options{}, usage("policy data", err)
	}
	return policy.Options{
		Bundled:    policies.FS,
		Disable:    g.config.Bundled.Disable,
		Enable:     slices.Sorted(maps.Keys(g.config.Rules)), // naming an opt-in rule asks for it
		Sources:    modules,
		Data:       data,
		Namespaces: g.opts.Namespaces,
	}, nil
}

// usage says what is to be put right, unless err does so by itself.
func usage(what string, err error) error {
	if placed := (*UsageError)(nil); errors.As(err, &placed) {
		return err
	}
	return &UsageError{fmt.Errorf("%s: %w", what, err)}
}

// gather reads files and directories: those of the configuration's field from
// the snapshot, those of the command line from the snapshot where they lie
// inside, else from disk.
func (g *gate) gather(field string, configured, named []string, extensions ...string) ([]policy.Source, error) {
	var out []policy.Source
	for i, p := range g.config.abs(configured) {
		found, err := fromTree(g.trusted, p, extensions)
		if err != nil {
			return nil, g.config.wrong(source.Pointer(field, fmt.Sprint(i)), err)
		}
		out = append(out, found...)
	}
	for _, p := range named {
		var found []policy.Source
		var err error
		if inside, ok := within(g.snap, p); ok {
			found, err = fromTree(g.trusted, inside, extensions)
		} else {
			found, err = fromDisk(p, extensions)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b policy.Source) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(out, func(a, b policy.Source) bool { return a.Path == b.Path }), nil
}

// mount is where a data file of the directory at hangs in the policies' data:
// under its own directory, as with conftest's --data.
func mount(at, file string) string {
	if file == at {
		return ""
	}
	below := strings.TrimPrefix(strings.TrimPrefix(path.Dir(file), at), "/")
	if below == "." {
		return ""
	}
	return below
}

// safe refuses data files that could hurt the parser of the policy engine.
func safe(files []policy.Source) error {
	for _, f := range files {
		for _, p := range source.Check(f.Path, f.Data) {
			if p.Fatal {
				return fmt.Errorf("%s: %s", p.Span, p.Message)
			}
		}
	}
	return nil
}

func fromTree(tree repo.Tree, at string, extensions []string) ([]policy.Source, error) {
	at = path.Clean(at)
	var out []policy.Source
	for _, e := range tree.Files() {
		below := at == "." || strings.HasPrefix(e.Path, at+"/")
		if e.Path != at && !(below && slices.Contains(extensions, path.Ext(e.Path))) {
			continue
		}
		data, err := tree.ReadFile(e.Path)
		if err != nil {
			return nil, err
		}
		out = append(out, policy.Source{Path: e.Path, Data: data, Mount: mount(at, e.Path)})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: %w, or no %s file in it", at, fs.ErrNotExist, strings.Join(extensions, ", "))
	}
	return out, nil
}

func fromDisk(at string, extensions []string) ([]policy.Source, error) {
	var out []policy.Source
	err := filepath.WalkDir(at, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if p != at && !slices.Contains(extensions, filepath.Ext(p)) {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() || info.Size() > repo.MaxFileSize {
			return fmt.Errorf("%s: not a regular file of at most %d MiB", p, repo.MaxFileSize>>20)
		}
		data, err := os.ReadFile(p)
		out = append(out, policy.Source{Path: filepath.ToSlash(p), Data: data, Mount: mount(filepath.ToSlash(at), filepath.ToSlash(p))})
		return err
	})
	if err == nil && len(out) == 0 {
		err = errors.New(at + ": no " + strings.Join(extensions, ", ") + " file in it")
	}
	return out, err
}

// PolicyTest runs the unit tests of the loaded policies, the bundled ones
// included.
func PolicyTest(ctx context.Context, opts Options) (policy.TestReport, error) {
	g, err := open(ctx, opts)
	if err != nil {
		return policy.TestReport{}, err
	}
	loaded, err := g.policyOptions()
	if err != nil {
		return policy.TestReport{}, err
	}
	report, err := policy.Test(ctx, loaded)
	if invalid := (*policy.ConfigError)(nil); errors.As(err, &invalid) {
		err = &UsageError{fmt.Errorf("policies: %w", err)}
	}
	return report, err
}
