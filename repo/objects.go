package repo

import (
	"errors"
	"fmt"
)

// errNoHistory says that a snapshot is one commit and nothing else.
var errNoHistory = errors.New("a commit that was fetched by itself has no history here")

// Object is one file of a commit and the id of the Git object that holds its
// bytes: a blob, the target of a symbolic link, or the commit of a submodule.
type Object struct {
	Entry
	ID string
}

// FromObjects returns the snapshot of a commit that the caller has listed, and
// whose blobs read gives by their ids. It is for callers without a Git program:
// everything that Open refuses of a commit is refused here too, a symbolic link,
// a submodule and a file over [MaxFileSize] when it is read, and a path that no
// Git would check out at once.
//
// revision is the SHA of the commit. read may be called from several goroutines,
// and must give bytes whose hash is the id; its error is returned as it is. The
// snapshot has no root on disk and no history: [Snapshot.Root] is empty, and
// [Snapshot.At], [Snapshot.Base] and [Snapshot.Commits] fail.
func FromObjects(revision string, files []Object, read func(id string) ([]byte, error)) (*Snapshot, error) {
	items := make([]item, len(files))
	for i, f := range files {
		if f.ID == "" {
			return nil, fmt.Errorf("commit %s: path %q has no object", revision, f.Path)
		}
		items[i] = item{Entry: f.Entry, object: f.ID}
		if f.Mode == Submodule {
			items[i].Size = -1
		}
	}
	s, err := newSnapshot(Snapshot{kind: kindCommit, revision: revision, load: read}, items)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", revision, err)
	}
	return s, nil
}

// ParseMode returns the mode that Git writes in octal digits, as in a tree. It is
// false for one that no Git writes, and for a tree.
func ParseMode(octal string) (Mode, bool) { return parseMode(octal) }
