package repo

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// openTries is how often a file is opened that changes at the same moment, as
// when an editor renames a new version over it.
const openTries = 3

// errChanged says that a name meant another file when it was opened than when
// it was looked at.
var errChanged = errors.New("it changes while it is read")

// readDisk reads the regular file at a clean path below root. No symbolic link
// is followed, and nothing else that could block is opened.
func readDisk(root *os.Root, name string) ([]byte, error) {
	var f *os.File
	err := errChanged
	for try := 0; try < openTries && errors.Is(err, errChanged); try++ {
		f, err = openBelow(root, name)
	}
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		refused.Path = name
		return nil, refused
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	case err != nil:
		return nil, refuse(name, ruleRenderError, "cannot be read: "+cause(err).Error())
	}
	defer f.Close()
	return readAll(f, name)
}

func readAll(f *os.File, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, refuse(name, ruleRenderError, "cannot be read: "+cause(err).Error())
	}
	if len(data) > MaxFileSize {
		return nil, tooLarge(name)
	}
	return data, nil
}

// openBelow opens a file component by component. [os.Root] follows links that
// stay below it, so each component is looked at first, and what was opened must
// be what was looked at: a link that is put there in between is noticed.
func openBelow(root *os.Root, name string) (*os.File, error) {
	dir := root
	for {
		part, rest, more := strings.Cut(name, "/")
		if !more {
			f, err := openFile(dir, part)
			closeBelow(root, dir)
			return f, err
		}
		next, err := openDir(dir, part)
		closeBelow(root, dir)
		if err != nil {
			return nil, err
		}
		dir, name = next, rest
	}
}

func closeBelow(root, dir *os.Root) {
	if dir != root {
		dir.Close()
	}
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
