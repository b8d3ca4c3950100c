package repo

import (
	"crypto/sha1" //nolint:gosec // the name that Git gives to a blob
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
)

// ID returns the id of the bytes that ReadFile gives, in hexadecimal: the one
// that Git gives to a blob of them, with SHA-1 or SHA-256 as the repository
// does, and outside Git with SHA-256. Files with equal ids have equal bytes,
// SHA-1 being as strong as the repository itself. It is false for a path that
// ReadFile refuses or does not find.
//
// A file on disk is read unless the index proves what is in it. ReadFile keeps
// the promise: it refuses a file that has changed since its id was given.
func (s *Snapshot) ID(name string) (string, bool) {
	i, ok := s.at[name]
	if !ok || s.entries[i].Mode > Executable || s.entries[i].Size < 0 || s.entries[i].Size > MaxFileSize {
		return "", false
	}
	id := s.identify(i)
	return id, id != ""
}

// identify returns what Git has in a tree at the entry: the id of a blob, of a
// link's target, or the commit of a submodule. It is empty if it cannot be known.
func (s *Snapshot) identify(i int) string {
	if s.objects[i] != "" || s.entries[i].Mode == Submodule {
		return s.objects[i]
	}
	c := &s.content[i]
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.identified {
		c.identified = true
		c.id = s.identity(i, c)
	}
	return c.id
}

func (s *Snapshot) identity(i int, c *content) string {
	switch {
	case c.read && c.err == nil:
		return s.hash(c.data)
	case c.read && s.entries[i].Size <= MaxFileSize:
		return ""
	}
	if clean := s.clean(); clean != nil && clean[i] != "" {
		return clean[i]
	}
	return s.hashDisk(s.entries[i])
}

// hashDisk returns the id of a file on disk, of any size.
func (s *Snapshot) hashDisk(e Entry) string {
	if e.Mode == Symlink {
		target, err := s.disk.readlink(e.Path)
		if err != nil {
			return ""
		}
		return s.hash([]byte(target))
	}
	f, err := s.disk.open(e.Path)
	if err != nil {
		return ""
	}
	defer f.Close()
	return s.hashFile(f)
}

// hashFile is empty for a file that grows or shrinks while it is read.
func (s *Snapshot) hashFile(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	h := s.newHash(info.Size())
	if n, err := io.Copy(h, f); err != nil || n != info.Size() {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Snapshot) hash(data []byte) string {
	h := s.newHash(int64(len(data)))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// newHash returns the hash of a blob of a size, which its bytes are still to be
// written to.
func (s *Snapshot) newHash(size int64) hash.Hash {
	h := sha256.New()
	if s.git != nil && !s.git.sha256 {
		h = sha1.New() //nolint:gosec // see above
	}
	fmt.Fprintf(h, "blob %d\x00", size)
	return h
}
