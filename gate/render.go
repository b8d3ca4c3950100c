package gate

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// Render returns one target as YAML: sealed, or with encrypted set as kustomize
// builds it from the repository as it is. A target is named by its path,
// relative to the repository root, to opts.Path, or to the current directory;
// any kustomization will do, a leaf or not. Without an error and without YAML
// the target does not render, and the findings say why.
func Render(ctx context.Context, opts Options, target string, encrypted bool) ([]byte, []finding.Finding, error) {
	g, err := open(ctx, opts)
	if err != nil {
		return nil, nil, err
	}
	if _, inside := within(g.snap, target); !inside && isDir(target) {
		// A directory of another repository names that repository too.
		opts.Path, target = target, "."
		if g, err = open(ctx, opts); err != nil {
			return nil, nil, err
		}
	}
	t, err := g.target(ctx, target)
	if err != nil {
		return nil, nil, err
	}
	builder := g.builder
	if encrypted {
		builder = render.NewBuilder(g.snap, render.Options{AllowNetwork: opts.AllowNetwork})
	}
	r, err := builder.Build(ctx, t)
	if err != nil {
		return nil, nil, fmt.Errorf("render %s: %w", t.Path, err)
	}
	findings := r.Findings
	if r.Reason != "" {
		return nil, finding.Merge(findings), nil
	}
	if !encrypted {
		findings = append(findings, g.sealed.CheckRendered(r)...)
	}
	out, err := r.YAML()
	if err != nil {
		return nil, nil, fmt.Errorf("render %s: %w", t.Path, err)
	}
	return out, finding.Merge(findings), nil
}

// target finds the target that a person names.
func (g *gate) target(ctx context.Context, name string) (render.Target, error) {
	candidates := []string{path.Join(g.snap.Scope(), filepath.ToSlash(name)), path.Clean(filepath.ToSlash(name))}
	if inside, ok := within(g.snap, name); ok {
		candidates = append(candidates, inside)
	}
	found, err := render.Discover(ctx, g.sealed, render.DiscoverOptions{})
	if err != nil {
		return render.Target{}, fmt.Errorf("discover: %w", err)
	}
	for _, c := range candidates {
		for _, t := range found.Targets {
			if t.Path == c {
				return t, nil
			}
		}
		if t, ok := render.Named(g.snap, c); ok {
			return t, nil
		}
	}
	return render.Target{}, &UsageError{fmt.Errorf("no target %s; sallyport targets lists them", name)}
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
