package secrets

import (
	"bytes"
	"encoding/base64"
)

// minRun is the shortest base64 text that is looked into: 18 bytes, about what a
// URL with a password takes.
const minRun = 24

const (
	// minWrapped is the shortest line of base64 in several lines that is joined to
	// the one before. PEM wraps at 64, kustomize at 70, MIME at 76; whoever hides
	// something wraps elsewhere.
	minWrapped = 4
	// maxLayers is how often base64 within base64 is decoded: Helm keeps its
	// releases in base64 of base64 of gzip.
	maxLayers = 3
)

// scanBase64 finds what base64 hides.
func scanBase64(data []byte, layers int) []hit {
	var out []hit
	for _, run := range base64Runs(data) {
		text := decodeRun(data[run.from:run.to])
		if len(text) == 0 {
			continue
		}
		hits := scanRaw(text)
		if len(hits) == 0 && layers > 1 {
			hits = scanBase64(text, layers-1)
		}
		if len(hits) > 0 {
			message := hits[0].message
			if layers == maxLayers {
				message += ", in base64"
			}
			out = append(out, hit{run, hits[0].rule, message})
		}
	}
	return out
}

// base64Runs finds stretches of base64 characters, over line breaks where the
// text is wrapped. Of several lines the first may be a word that stands above
// them, so they are a run without it too.
func base64Runs(data []byte) []extent {
	var out []extent
	for i := 0; i < len(data); {
		if !base64Bytes[data[i]] {
			i++
			continue
		}
		from, second := i, 0
		for i < len(data) && base64Bytes[data[i]] {
			i++
		}
		if i < len(data) && (data[i] == '\n' || data[i] == '\r' || data[i] == '\\') {
			for next := wrappedLine(data, i); next.to > 0; next = wrappedLine(data, i) {
				if second == 0 {
					second = next.from
				}
				i = next.to
			}
		}
		if i-from >= minRun {
			out = append(out, extent{from, i})
		}
		if second > 0 && i-second >= minRun {
			out = append(out, extent{second, i})
		}
	}
	return out
}

// wrappedLine returns the base64 on the line below the one that ends at a place,
// if that holds nothing else.
func wrappedLine(data []byte, at int) extent {
	if at < len(data) && data[at] == '\\' {
		at++
	}
	if at >= len(data) || data[at] != '\n' && data[at] != '\r' {
		return extent{}
	}
	from := at
	for from < len(data) && isSpace(data[from]) {
		from++
	}
	to := from
	for to < len(data) && base64Bytes[data[to]] {
		to++
	}
	if to-from < minWrapped || to < len(data) && !isSpace(data[to]) && data[to] != '\\' && data[to] != '"' && data[to] != '\'' {
		return extent{}
	}
	if to < len(data) && data[to] == ' ' {
		return extent{} // a sentence
	}
	return extent{from, to}
}

// base64Bytes are the characters of base64. The URL-safe alphabet differs in two
// that ASCII text does not give but for ">", "?" and "~".
var base64Bytes = base64Table()

func base64Table() (t [256]bool) {
	for i := range t {
		c := byte(i)
		t[i] = isAlnum(c) || c == '+' || c == '/' || c == '='
	}
	return t
}

// decodeRun decodes a run, and gives nothing for what is neither text nor packed
// text.
func decodeRun(run []byte) []byte {
	run = bytes.TrimRight(run, "=")
	run = run[bytes.LastIndexByte(run, '=')+1:]
	var head [18]byte
	if len(run) < minRun {
		return nil
	}
	n, err := base64.RawStdEncoding.Decode(head[:], run[:minRun])
	packed := isPacked(head[:n])
	if err != nil || !packed && !isText(head[:n]) {
		return nil
	}
	run = bytes.ReplaceAll(bytes.Join(bytes.Fields(run), nil), []byte(`\`), nil)
	if len(run)%4 == 1 {
		run = run[:len(run)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(run)))
	if n, err = base64.RawStdEncoding.Decode(out, run); err != nil {
		return nil
	}
	if packed {
		return unpacked(out[:n])
	}
	return out[:n]
}
