package repo

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// statData is what Git keeps of a file on disk to know it again without reading
// it, in the width in which the index has it (gitformat-index(5)). The device is
// left out, as Git leaves it out: its number may change when a machine starts.
type statData struct {
	ctime, ctimeNano uint32
	mtime, mtimeNano uint32
	inode            uint32
	uid, gid         uint32
	size             uint32
}

// seen is what was seen of a file on disk, zero where the system does not say.
type seen struct {
	statData
	device uint64
}

// coarse is the resolution of the coarsest file times in use, those of FAT, in
// seconds.
const coarse = 2

// cached is what the index holds of a path.
type cached struct {
	object string
	stat   statData
}

// index is the index as Git lists it, and the moment at which it was written.
type index struct {
	files   map[string]cached // by path; no unmerged ones
	written time.Time
	device  uint64
}

// matches reports whether the index proves that the file on disk is the one
// that Git looked at: nothing in its stat data differs, it is not racy, and the
// clock that gave both times is the same.
func (x *index) matches(c cached, s seen) bool {
	return c.stat == s.statData && s != (seen{}) && s.device == x.device && !x.racy(c.stat)
}

// racy reports whether a file may have changed after Git looked at it without
// any difference in its stat data, because the clock had not moved on when the
// index was written (Documentation/technical/racy-git.txt). Git smudges such
// entries when it next writes the index. Where a file system keeps no
// nanoseconds its clock is slow.
func (x *index) racy(s statData) bool {
	if s.mtimeNano == 0 {
		return x.written.Unix() <= int64(s.mtime)+coarse
	}
	return !x.written.After(time.Unix(int64(s.mtime), int64(s.mtimeNano)))
}

// readIndex lists the index with its stat data. It is nil where Git does not
// say, or says it in an unknown form, or the index changes meanwhile: all files
// are read then. ls-files --debug is the only plumbing that prints it; commands
// that compare for themselves run the clean filters that a repository names.
func (g *git) readIndex() *index {
	before, err := os.Lstat(g.index)
	if err != nil {
		return nil
	}
	out, err := g.run("ls-files", "-z", "--stage", "--debug")
	if err != nil {
		return nil
	}
	after, err := os.Lstat(g.index)
	if err != nil || !os.SameFile(before, after) || statOf(before) != statOf(after) {
		return nil
	}
	files, err := parseDebug(out)
	if err != nil {
		return nil
	}
	return &index{files: files, written: after.ModTime(), device: statOf(after).device}
}

// parseDebug reads "<mode> <object> <stage>\t<path>\0" and the lines that
// ls-files --debug adds to each.
func parseDebug(out []byte) (map[string]cached, error) {
	files := map[string]cached{}
	for len(out) > 0 {
		record, rest, ok := bytes.Cut(out, []byte{0})
		meta, name, tabbed := strings.Cut(string(record), "\t")
		fields := strings.Fields(meta)
		if !ok || !tabbed || len(fields) != 3 {
			return nil, fmt.Errorf("git ls-files: unexpected record %q", record)
		}
		p := debugParser{rest: rest}
		stat := p.stat()
		if p.err != nil {
			return nil, p.err
		}
		if out = p.rest; fields[2] == "0" {
			files[name] = cached{object: fields[1], stat: stat}
		}
	}
	return files, nil
}

// debugParser reads numbers and the words around them; its first error stays.
type debugParser struct {
	rest []byte
	err  error
}

func (p *debugParser) stat() (s statData) {
	s.ctime, s.ctimeNano = p.number("  ctime: ", 10), p.number(":", 10)
	s.mtime, s.mtimeNano = p.number("\n  mtime: ", 10), p.number(":", 10)
	p.number("\n  dev: ", 10)
	s.inode = p.number("\tino: ", 10)
	s.uid, s.gid = p.number("\n  uid: ", 10), p.number("\tgid: ", 10)
	s.size = p.number("\n  size: ", 10)
	p.number("\tflags: ", 16)
	p.word("\n")
	return s
}

func (p *debugParser) word(word string) {
	rest, ok := bytes.CutPrefix(p.rest, []byte(word))
	if !ok && p.err == nil {
		p.err = fmt.Errorf("git ls-files --debug: expected %q", word)
	}
	p.rest = rest
}

func (p *debugParser) number(before string, base int) uint32 {
	p.word(before)
	end := 0
	for end < len(p.rest) && strings.IndexByte("0123456789abcdef", p.rest[end]) >= 0 {
		end++
	}
	n, err := strconv.ParseUint(string(p.rest[:end]), base, 32)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("git ls-files --debug: %w", err)
	}
	p.rest = p.rest[end:]
	return uint32(n)
}
