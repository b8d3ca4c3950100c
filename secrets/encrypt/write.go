package encrypt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Write puts sealed files into the place of the plaintext ones, below root.
//
// Every file is written to a temporary one beside it and synced before the first
// is renamed; each is there as it was or sealed, whatever happens meanwhile. Mode
// and owner are kept. A file that changed since it was read is left alone. The
// temporary files hold sealed text only, and are removed after an error.
func Write(root string, files []*File) error {
	w := &writer{rename: os.Rename}
	return w.write(root, files)
}

// writer is Write with the call that tests make fail.
type writer struct {
	rename func(from, to string) error
}

// staged is a temporary file that is to become name.
type staged struct{ temp, name string }

func (w *writer) write(root string, files []*File) error {
	var all []staged
	defer func() {
		for _, s := range all {
			os.Remove(s.temp)
		}
	}()
	for _, f := range files {
		name := filepath.Join(root, filepath.FromSlash(f.Path))
		temp, err := stage(name, f)
		if temp != "" {
			all = append(all, staged{temp, name})
		}
		if err != nil {
			return fmt.Errorf("write %s: %w (nothing was sealed)", f.Path, cause(err))
		}
	}
	for i, s := range all {
		if err := w.rename(s.temp, s.name); err != nil {
			return fmt.Errorf("write %s: %w (%s)", files[i].Path, cause(err), progress(i, len(all)))
		}
	}
	return syncDirs(all)
}

// progress says how far the renaming got.
func progress(done, of int) string {
	if done == 0 {
		return "nothing was sealed"
	}
	return fmt.Sprintf("%d of %d files were sealed, the rest is as it was", done, of)
}

// stage writes the sealed text beside the file. The name of the temporary file
// is returned as soon as it exists.
func stage(name string, f *File) (temp string, err error) {
	info, err := os.Lstat(name)
	if err != nil {
		return "", err
	}
	if err := unchanged(name, info, f); err != nil {
		return "", err
	}
	dir, base := filepath.Split(name)
	out, err := os.CreateTemp(dir, "."+strings.TrimPrefix(base, ".")+".sealed-*")
	if err != nil {
		return "", err
	}
	_, err = out.Write(f.after)
	if err == nil {
		err = keepOwner(out, info)
	}
	if err == nil {
		err = out.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = out.Sync()
	}
	return out.Name(), errors.Join(err, out.Close())
}

// unchanged refuses a file that is no longer what was sealed, or that has a
// second name, under which the plaintext would stay.
func unchanged(name string, info os.FileInfo, f *File) error {
	switch {
	case !info.Mode().IsRegular():
		return errors.New("it is no regular file any more")
	case hardLinks(info) > 1:
		return errors.New("it has another hard link, under which the plaintext would stay")
	}
	now, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, f.before) {
		return errors.New("it was changed while it was being sealed")
	}
	return nil
}

// syncDirs makes the renames last. Not every file system can sync a directory,
// and the files are whole without it.
func syncDirs(all []staged) error {
	synced := map[string]bool{}
	for _, s := range all {
		name := filepath.Dir(s.name)
		if synced[name] {
			continue
		}
		synced[name] = true
		dir, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("sync %s: %w", name, cause(err))
		}
		_ = dir.Sync()
		dir.Close()
	}
	return nil
}

// cause leaves the names of temporary files away.
func cause(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
