package gate

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/secrets"
)

// Inventory is what is encrypted in a repository, and where it is used. Nothing
// in it comes from inside a ciphertext.
type Inventory struct {
	Snapshot    finding.Snapshot
	Files       []EncryptedFile // sorted by path
	NotRendered []string        // targets that do not render, so that their uses are not known
}

// EncryptedFile is one file that sops encrypted.
type EncryptedFile struct {
	Path       string
	Format     secrets.Format
	Rule       *secrets.CreationRule // that matches the path; nil where none does
	Recipients []secrets.Recipient   // whom it is encrypted for
	Values     int                   // how many are encrypted; 1 for a file that is encrypted as a whole
	Changed    time.Time             // when it was committed last; zero where no commit is known
	Age        time.Duration         // from Changed to Options.Now; 0 where Changed is zero
	Uses       []SecretUse           // sorted by target, object and field
}

// SecretUse is one field that a target renders from an encrypted value.
type SecretUse struct {
	Target  string
	Object  finding.Object
	Pointer string // RFC 6901, in Object
	Key     string // of the value in its file
}

// Secrets lists the encrypted files at or below the path of the options. With
// Options.Targets, only those that a chosen target uses.
func Secrets(ctx context.Context, opts Options) (*Inventory, error) {
	g, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	g.opts.AllowEmpty = g.opts.AllowEmpty || len(opts.Targets) == 0 // files are listed all the same
	if err := g.discover(ctx); err != nil {
		return nil, err
	}
	inv := &Inventory{Snapshot: finding.Snapshot{Kind: g.snap.Kind(), Revision: g.snap.Revision()}}
	uses, err := g.secretUses(ctx, inv)
	if err != nil {
		return nil, err
	}
	if err := g.encryptedFiles(ctx, inv, uses); err != nil {
		return nil, err
	}
	return inv, g.ages(ctx, inv.Files)
}

// secretUses renders every target and follows the encrypted values, by file.
func (g *gate) secretUses(ctx context.Context, inv *Inventory) (map[string][]SecretUse, error) {
	start := time.Now()
	jobs := g.opts.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	targets := g.discovery.Targets
	flows, failed := make([][]secrets.Flow, len(targets)), make([]bool, len(targets))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	for i, target := range targets {
		group.Go(func() error {
			r, err := g.builder.Build(ctx, target)
			if err != nil {
				return fmt.Errorf("render %s: %w", target.Path, err)
			}
			if failed[i] = r.Reason != ""; !failed[i] {
				flows[i] = g.sealed.Flows(r)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	uses := map[string][]SecretUse{}
	for i, target := range targets {
		if failed[i] {
			inv.NotRendered = append(inv.NotRendered, target.Path)
		}
		collectUses(uses, target, flows[i])
	}
	g.opts.Trace("targets", time.Since(start))
	return uses, nil
}

func collectUses(into map[string][]SecretUse, target render.Target, flows []secrets.Flow) {
	for _, f := range flows {
		if f.Encrypted {
			into[f.File] = append(into[f.File], SecretUse{Target: target.Path, Object: f.Object, Pointer: f.Pointer, Key: f.Key})
		}
	}
}

// encryptedFiles fills in the files that are asked for.
func (g *gate) encryptedFiles(ctx context.Context, inv *Inventory, uses map[string][]SecretUse) error {
	found, err := g.sealed.Encrypted(ctx)
	if err != nil {
		return err
	}
	creation := secrets.CreationFor(g.trusted) // nil where there are no rules
	for _, f := range found {
		if !g.inScope(f.Path) || len(g.opts.Targets) > 0 && len(uses[f.Path]) == 0 {
			continue
		}
		file := EncryptedFile{
			Path: f.Path, Format: f.Format, Recipients: f.Metadata.Recipients, Values: f.Values, Uses: uses[f.Path],
		}
		if creation != nil {
			file.Rule, _ = creation(f.Path)
		}
		slices.SortFunc(file.Uses, compareUses)
		file.Uses = slices.Compact(file.Uses)
		inv.Files = append(inv.Files, file)
	}
	return nil
}

func compareUses(a, b SecretUse) int {
	return cmp.Or(
		cmp.Compare(a.Target, b.Target),
		cmp.Compare(a.Object.Kind, b.Object.Kind),
		cmp.Compare(a.Object.Namespace, b.Object.Namespace),
		cmp.Compare(a.Object.Name, b.Object.Name),
		cmp.Compare(a.Pointer, b.Pointer),
		cmp.Compare(a.Key, b.Key),
	)
}

// ages asks Git when each file was changed.
func (g *gate) ages(ctx context.Context, files []EncryptedFile) error {
	start := time.Now()
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	changed, err := g.snap.LastChanged(ctx, paths)
	if err != nil {
		return err
	}
	now := g.opts.Now()
	for i := range files {
		if at, ok := changed[files[i].Path]; ok {
			files[i].Changed, files[i].Age = at, max(0, now.Sub(at))
		}
	}
	g.opts.Trace("history", time.Since(start))
	return nil
}
