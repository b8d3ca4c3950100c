package repo

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Status says how an entry differs from that of the base.
type Status uint8

// The statuses of a [Change]. A file that became executable is Modified; one
// that became a symbolic link or a submodule is TypeChanged.
const (
	Added Status = iota + 1
	Deleted
	Modified
	TypeChanged
)

func (s Status) String() string {
	switch s {
	case Added:
		return "added"
	case Deleted:
		return "deleted"
	case Modified:
		return "modified"
	case TypeChanged:
		return "type changed"
	}
	return fmt.Sprintf("status %d", uint8(s))
}

// Change is a path at which two snapshots differ.
type Change struct {
	Path   string
	Status Status
}

// Changed lists the paths at which the snapshot differs from base, sorted.
// Renames are not looked for: one is a deletion and an addition.
//
// Raw bytes are compared, before any filter or conversion, those of a work tree
// with its untracked files. What the index proves unchanged is not read; a file
// that cannot be read counts as modified. A submodule is compared by the commit
// that Git has recorded for it, and that of a work tree is in the index. Both
// snapshots must be of the same repository, or both outside Git.
func (s *Snapshot) Changed(ctx context.Context, base *Snapshot) ([]Change, error) {
	if (s.git == nil) != (base.git == nil) || s.git != nil && s.git.sha256 != base.git.sha256 {
		return nil, errors.New("snapshots of different repositories cannot be compared")
	}
	d := diff{now: s, base: base, modes: sync.OnceValues(func() (bool, error) { return s.modesTrusted(ctx, base) })}
	d.pair()
	if err := d.identify(ctx); err != nil {
		return nil, err
	}
	return d.changes()
}

// diff compares two snapshots entry by entry.
type diff struct {
	now, base *Snapshot
	modes     func() (trusted bool, err error)
	pairs     []pair
}

// pair is the entries at one path, -1 where there is none.
type pair struct{ now, base int }

// pair merges the two sorted lists.
func (d *diff) pair() {
	a, b := d.now.entries, d.base.entries
	d.pairs = make([]pair, 0, max(len(a), len(b)))
	for i, j := 0, 0; i < len(a) || j < len(b); {
		order := 0
		switch {
		case i == len(a):
			order = 1
		case j == len(b):
			order = -1
		default:
			order = strings.Compare(a[i].Path, b[j].Path)
		}
		switch {
		case order < 0:
			d.pairs = append(d.pairs, pair{i, -1})
			i++
		case order > 0:
			d.pairs = append(d.pairs, pair{-1, j})
			j++
		default:
			d.pairs = append(d.pairs, pair{i, j})
			i, j = i+1, j+1
		}
	}
}

// identify learns the ids that decide, many at once.
func (d *diff) identify(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() error {
			for n := w; n < len(d.pairs); n += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				if p := d.pairs[n]; d.doubtful(p) {
					d.now.identify(p.now)
					d.base.identify(p.base)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// doubtful reports whether only the content can tell two entries apart.
func (d *diff) doubtful(p pair) bool {
	if p.now < 0 || p.base < 0 {
		return false
	}
	a, b := d.now.entries[p.now], d.base.entries[p.base]
	return kindOf(a.Mode) == kindOf(b.Mode) && !resized(a, b)
}

func (d *diff) changes() ([]Change, error) {
	var changes []Change
	for _, p := range d.pairs {
		switch {
		case p.base < 0:
			changes = append(changes, Change{d.now.entries[p.now].Path, Added})
			continue
		case p.now < 0:
			changes = append(changes, Change{d.base.entries[p.base].Path, Deleted})
			continue
		}
		status, err := d.compare(p)
		if err != nil {
			return nil, err
		}
		if status != 0 {
			changes = append(changes, Change{d.now.entries[p.now].Path, status})
		}
	}
	return changes, nil
}

// compare returns zero for equal entries.
func (d *diff) compare(p pair) (Status, error) {
	a, b := d.now.entries[p.now], d.base.entries[p.base]
	if kindOf(a.Mode) != kindOf(b.Mode) {
		return TypeChanged, nil
	}
	if resized(a, b) {
		return Modified, nil
	}
	if id := d.now.identify(p.now); id == "" || id != d.base.identify(p.base) {
		return Modified, nil
	}
	if a.Mode == b.Mode {
		return 0, nil
	}
	trusted, err := d.modes()
	if err != nil || !trusted {
		return 0, err
	}
	return Modified, nil
}

// modesTrusted reports whether both snapshots tell which files are executable. A
// disk may not: Git finds that out when it makes a repository, and keeps it in
// core.fileMode.
func (s *Snapshot) modesTrusted(ctx context.Context, base *Snapshot) (bool, error) {
	if s.git == nil || s.disk == nil && base.disk == nil {
		return true, nil
	}
	out, err := s.git.with(ctx).run("config", "--type=bool", "--default=true", "--get", "core.fileMode")
	return strings.TrimSpace(string(out)) == "true", err
}

func kindOf(m Mode) Mode {
	if m == Executable {
		return File
	}
	return m
}

// resized reports whether the sizes of two entries are known and differ.
func resized(a, b Entry) bool { return a.Size >= 0 && b.Size >= 0 && a.Size != b.Size }
