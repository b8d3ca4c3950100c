package repo

import (
	"bytes"
	"os"
	"path"
	"strings"
)

// proveClean returns, by entry, the blob whose bytes a file on disk is proved to
// hold without reading it: the index knows the file, and the blob is as large
// as it. Conversion of line ends never keeps the size; other conversions might,
// so that nothing is proved where an attribute asks for one. It is empty for
// files that must be read, and nil if all must.
func (s *Snapshot) proveClean() []string {
	if s.git == nil || s.disk == nil {
		return nil
	}
	x := s.git.readIndex()
	if x == nil || s.converts(x) {
		return nil
	}
	var objects []string
	var at []int
	for i, e := range s.entries {
		if c, ok := x.files[e.Path]; ok && s.objects[i] == "" && x.matches(c, s.stats[i]) {
			objects = append(objects, c.object)
			at = append(at, i)
		}
	}
	sizes, err := s.git.blobSizes(objects)
	if err != nil {
		return nil
	}
	ids := make([]string, len(s.entries))
	for n, i := range at {
		if sizes[n] == s.entries[i].Size {
			ids[i] = objects[n]
		}
	}
	return ids
}

// conversions are the attributes that may change a file on its way to disk and
// keep its size (gitattributes(5)). A macro names them as well.
var conversions = []string{"filter", "ident", "working-tree-encoding"}

// converts reports whether any attributes may ask for a conversion: those of
// the repository, of the index, from which Git takes them for a checkout, and
// of the work tree. What cannot be read may.
func (s *Snapshot) converts(x *index) bool {
	data, err := os.ReadFile(s.git.attributes)
	if err != nil && !isAbsent(err) || namesConversion(data) {
		return true
	}
	var objects []string
	for name, c := range x.files {
		if isAttributes(name) {
			objects = append(objects, c.object)
		}
	}
	blobs, err := s.git.prefetch(objects)
	if err != nil {
		return true
	}
	for _, object := range objects {
		if data, ok := blobs[object]; !ok || namesConversion(data) {
			return true
		}
	}
	for i, e := range s.entries {
		if !isAttributes(e.Path) || s.objects[i] != "" {
			continue
		}
		if data, err := s.disk.read(e.Path); err != nil || namesConversion(data) {
			return true
		}
	}
	return false
}

// isAttributes compares without regard to case, as some file systems do.
func isAttributes(name string) bool { return strings.EqualFold(path.Base(name), ".gitattributes") }

func namesConversion(data []byte) bool {
	for _, attribute := range conversions {
		if bytes.Contains(data, []byte(attribute)) {
			return true
		}
	}
	return false
}
