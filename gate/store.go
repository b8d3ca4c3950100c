package gate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/gob"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The cache keeps 256 MiB, which is some hundred states of a repository of 1,000
// overlays, and nothing that was not used for 30 days. One entry of more than 64
// MiB would push out most others.
const (
	maxStoreBytes = 256 << 20
	maxEntryBytes = 64 << 20
	maxStoreAge   = 30 * 24 * time.Hour
	markUsedAfter = time.Hour // how old an entry's mark of its last use becomes before it is renewed
)

// entryHead begins every entry. Another version of the format has another head.
const entryHead = "sallyport verdicts 1\n"

// store is a directory of entries. Whatever is wrong with an entry makes it
// absent: it is then made anew. Several processes may use one directory.
//
// The hash of an entry finds damage, not malice: who can write the directory
// decides what the gate says, as with the program itself.
type store struct {
	dir             string
	maxAll, maxEach int64 // bytes of all entries, and of one
}

func newStore(dir string) store { return store{dir, maxStoreBytes, maxEntryBytes} }

func (s store) path(kind string, k key) string { return filepath.Join(s.dir, kind+"-"+k.String()) }

// load decodes an entry into v and reports whether there is one.
func (s store) load(kind string, k key, v any) bool {
	name := s.path(kind, k)
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > s.maxEach {
		return false
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	payload, ok := opened(kind, k, data)
	if !ok || gob.NewDecoder(bytes.NewReader(payload)).Decode(v) != nil {
		return false
	}
	if now := time.Now(); now.Sub(info.ModTime()) > markUsedAfter {
		_ = os.Chtimes(name, now, now) // else it is evicted sooner
	}
	return true
}

// opened returns the payload of an entry that is whole and of this name.
func opened(kind string, k key, data []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(data, []byte(entryHead))
	if !ok || len(rest) < sha256.Size {
		return nil, false
	}
	payload := rest[sha256.Size:]
	return payload, seal(kind, k, payload) == key(rest[:sha256.Size])
}

func seal(kind string, k key, payload []byte) key {
	h := newHasher()
	h.add(kind, k.String(), string(payload))
	return h.key()
}

// save writes an entry, so that a reader sees the whole of it or none. A cache
// that cannot be written is no reason to fail: the next run is as slow as this.
func (s store) save(kind string, k key, v any) {
	var payload bytes.Buffer
	if gob.NewEncoder(&payload).Encode(v) != nil || int64(payload.Len()) > s.maxEach-int64(len(entryHead)+sha256.Size) {
		return
	}
	if os.MkdirAll(s.dir, 0o700) != nil {
		return
	}
	sum := seal(kind, k, payload.Bytes())
	f, err := os.CreateTemp(s.dir, temporary+"*")
	if err != nil {
		return
	}
	_, err = f.Write(slices.Concat([]byte(entryHead), sum[:], payload.Bytes()))
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.path(kind, k))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	s.evict()
}

// temporary begins the names of entries that are being written.
const temporary = ".new-"

// evict removes what is too old, then the least recently used until the rest
// fits. A temporary file of an hour ago is what a process left that died.
func (s store) evict() {
	listed, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	var entries []fs.FileInfo
	total := int64(0)
	for _, e := range listed {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !isEntry(e.Name()) {
			continue
		}
		age := time.Since(info.ModTime())
		if age > maxStoreAge || age > markUsedAfter && strings.HasPrefix(e.Name(), temporary) {
			os.Remove(filepath.Join(s.dir, e.Name()))
			continue
		}
		entries = append(entries, info)
		total += info.Size()
	}
	slices.SortFunc(entries, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, info := range entries {
		if total <= s.maxAll {
			return
		}
		os.Remove(filepath.Join(s.dir, info.Name()))
		total -= info.Size()
	}
}

// isEntry tells our files from those of others, who may have been given the same
// directory: only ours are ever removed.
func isEntry(name string) bool {
	for _, kind := range []string{entryRun, entryParts} {
		if digits, ok := strings.CutPrefix(name, kind+"-"); ok && len(digits) == 2*sha256.Size {
			return true
		}
	}
	return strings.HasPrefix(name, temporary)
}
