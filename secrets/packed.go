package secrets

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"io"
)

// maxUnpacked bounds what is unpacked of one file or one base64 text, all entries
// of an archive together. A release of Helm, the largest honest thing, is at most
// 1 MiB packed.
const maxUnpacked = 4 << 20

var (
	gzipMagic  = []byte{0x1f, 0x8b, 8}
	zipMagic   = []byte("PK\x03\x04")
	bzip2Magic = []byte("BZh")
)

// isPacked reports whether data begins as something that [unpacked] opens.
func isPacked(data []byte) bool {
	return bytes.HasPrefix(data, gzipMagic) || bytes.HasPrefix(data, zipMagic) || bytes.HasPrefix(data, bzip2Magic)
}

// unpacked returns what gzip, bzip2 or zip packed, as far as it goes. A tar inside
// keeps its files as they are, so they need no unpacking of their own.
func unpacked(data []byte) []byte {
	var r io.Reader
	switch {
	case bytes.HasPrefix(data, zipMagic):
		return unzipped(data)
	case bytes.HasPrefix(data, bzip2Magic):
		r = bzip2.NewReader(bytes.NewReader(data))
	default:
		zr, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil
		}
		r = zr
	}
	out, _ := io.ReadAll(io.LimitReader(r, maxUnpacked)) // what is cut off is judged as far as it goes
	return out
}

// unzipped returns the files of a zip archive, one after the other.
func unzipped(data []byte) []byte {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil
	}
	var out []byte
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(r, int64(maxUnpacked-len(out))))
		out = append(append(out, text...), '\n')
		if r.Close(); len(out) >= maxUnpacked {
			break
		}
	}
	return out
}

// scanPacked finds what a file that is packed hides, one finding for each rule:
// there is no place inside that an editor could show.
func scanPacked(data []byte) []hit {
	if !isPacked(data) {
		return nil
	}
	text := unpacked(data)
	found := append(scanRaw(text), scanBase64(text, 1)...)
	if head := text[:min(len(text), minRun)]; isText(head) && !bytes.HasPrefix(data, zipMagic) { // one file, a manifest maybe
		for _, e := range judgeText(text, "") {
			if e.finding.Rule != "" {
				found = append(found, hit{rule: e.finding.Rule, message: e.finding.Message})
			}
		}
	}
	var out []hit
	told := map[string]bool{}
	for _, h := range found {
		if !told[h.rule] {
			told[h.rule] = true
			out = append(out, hit{extent{0, 1}, h.rule, h.message + ", in a packed file"})
		}
	}
	return out
}
