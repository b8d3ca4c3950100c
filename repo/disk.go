package repo

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"syscall"
)

// openTries is how often a file is opened that changes at the same moment, as
// when an editor renames a new version over it.
const openTries = 3

// errChanged says that a name meant another file when it was opened than when
// it was looked at.
var errChanged = errors.New("it changes while it is read")

// maxDirs bounds the directories that are held open. Overlays share their bases
// and components, so that few are opened twice; 1,024 files are what a process
// may have open on many systems.
const maxDirs = 256

// disk reads regular files below a root, and follows no symbolic link.
// [os.Root] alone follows those that stay below it, so each component is looked
// at first, and what was opened must be what was looked at: a link that is put
// there in between is noticed.
type disk struct {
	root *os.Root

	mu   sync.RWMutex // held while a directory of dirs is used, for writing while it may be closed
	dirs map[string]*os.Root
}

func newDisk(dir string) (*disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, cause(err)
	}
	return &disk{root: root, dirs: map[string]*os.Root{}}, nil // closed when they are collected
}

// read returns the content of the file at a clean path.
func (d *disk) read(name string) ([]byte, error) {
	f, err := d.open(name)
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		refused.Path = name
		return nil, refused
	case isAbsent(err):
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	case err != nil:
		return nil, refuse(name, ruleRenderError, "cannot be read: "+cause(err).Error())
	}
	defer f.Close()
	return readAll(f, name)
}

func readAll(f *os.File, name string) ([]byte, error) {
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil {
		b.Grow(int(min(info.Size(), MaxFileSize)) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, refuse(name, ruleRenderError, "cannot be read: "+cause(err).Error())
	}
	if b.Len() > MaxFileSize {
		return nil, tooLarge(name)
	}
	return b.Bytes(), nil
}

func (d *disk) open(name string) (f *os.File, err error) {
	err = errChanged
	for try := 0; try < openTries && errors.Is(err, errChanged); try++ {
		err = d.within(path.Dir(name), func(dir *os.Root) (err error) {
			f, err = openFile(dir, path.Base(name))
			return err
		})
	}
	return f, err
}

// readlink returns the target of a symbolic link.
func (d *disk) readlink(name string) (target string, err error) {
	err = d.within(path.Dir(name), func(dir *os.Root) (err error) {
		target, err = dir.Readlink(path.Base(name))
		return err
	})
	return target, err
}

// within calls fn with a directory, which stays open meanwhile.
func (d *disk) within(dir string, fn func(*os.Root) error) error {
	d.mu.RLock()
	in, ok := d.dirs[dir]
	if ok {
		defer d.mu.RUnlock()
		return fn(in)
	}
	d.mu.RUnlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.dirs) >= maxDirs {
		d.closeDirs()
	}
	in, err := d.enter(dir)
	if err != nil {
		return err
	}
	return fn(in)
}

// enter opens a directory, component by component.
func (d *disk) enter(dir string) (*os.Root, error) {
	if dir == "." {
		return d.root, nil
	}
	if in, ok := d.dirs[dir]; ok {
		return in, nil
	}
	parent, err := d.enter(path.Dir(dir))
	if err != nil {
		return nil, err
	}
	in, err := openDir(parent, path.Base(dir))
	if err != nil {
		return nil, err
	}
	d.dirs[dir] = in
	return in, nil
}

func (d *disk) closeDirs() {
	for _, dir := range d.dirs {
		dir.Close()
	}
	clear(d.dirs)
}

func openDir(in *os.Root, name string) (*os.Root, error) {
	seen, err := in.Lstat(name)
	if err != nil {
		return nil, err
	}
	if seen.Mode()&fs.ModeSymlink != 0 {
		return nil, refuse("", rulePathEscape, "lies behind a symbolic link")
	}
	dir, err := in.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if got, err := dir.Stat("."); err != nil || !os.SameFile(seen, got) {
		dir.Close()
		return nil, errors.Join(err, errChanged)
	}
	return dir, nil
}

func openFile(in *os.Root, name string) (*os.File, error) {
	seen, err := in.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case seen.Mode()&fs.ModeSymlink != 0:
		return nil, refuse("", rulePathEscape, "is a symbolic link, which is not followed")
	case !seen.Mode().IsRegular():
		return nil, refuse("", ruleRenderError, "is not a regular file")
	}
	// A fifo that takes the file's place now does not block, and is noticed.
	f, err := in.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if got, err := f.Stat(); err != nil || !os.SameFile(seen, got) {
		f.Close()
		return nil, errors.Join(err, errChanged)
	}
	return f, nil
}
