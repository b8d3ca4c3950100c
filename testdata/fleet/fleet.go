// Package fleet writes a large, believable GitOps repository for benchmarks:
// many applications, each with a base and an overlay for every environment,
// two shared components, and in each overlay four patches (two strategic, two
// JSON 6902), a merging generator and one encrypted Secret.
//
// The same options give the same bytes on every machine. Every overlay renders
// to [ObjectsPerOverlay] objects that are valid for Kubernetes 1.35, with images
// pinned by digest, probes, resources and security contexts.
package fleet

import (
	"fmt"
	"path"
)

// The default size is 1,000 overlays.
const (
	DefaultApps = 50
	DefaultEnvs = 20
)

// ObjectsPerOverlay is how many objects each overlay renders to: eight of the
// base, three of the components, one Secret.
const ObjectsPerOverlay = 12

// Options is the size of the repository; zero means the default.
type Options struct {
	Apps int
	Envs int
}

func (o Options) withDefaults() Options {
	if o.Apps == 0 {
		o.Apps = DefaultApps
	}
	if o.Envs == 0 {
		o.Envs = DefaultEnvs
	}
	return o
}

// Overlays returns how many leaf overlays the repository has.
func (o Options) Overlays() int {
	o = o.withDefaults()
	return o.Apps * o.Envs
}

// Write writes the repository into dir, which it makes if need be. Files that
// are there already are overwritten, not removed.
func Write(dir string, opts Options) error {
	opts = opts.withDefaults()
	if opts.Apps < 0 || opts.Envs < 0 {
		return fmt.Errorf("fleet: negative size: %d applications in %d environments", opts.Apps, opts.Envs)
	}
	w, err := newWriter(dir)
	if err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	w.expand(".", "root", map[string]string{"Recipient": recipient})
	w.expand("components", "components", map[string]string{"Digest": imageDigest("collector")})
	for i := range opts.Apps {
		app := newApp(i)
		home := path.Join("apps", app.App)
		w.expand(path.Join(home, "base"), "base", app)
		for j := range opts.Envs {
			o := newOverlay(app, j)
			below := path.Join(home, "overlays", o.Env)
			w.expand(below, "overlay", o)
			w.write(path.Join(below, "credentials.enc.yaml"), credentials(o))
		}
	}
	if w.err != nil {
		return fmt.Errorf("fleet: %w", w.err)
	}
	return nil
}
