package secrets

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// A unit is how a text is encoded: bytes for each code unit, and their order.
type unit struct {
	size int // 0 where the text is taken as it is
	big  bool
}

// toUTF8 returns UTF-16 and UTF-32 text as UTF-8, with a byte order mark or
// without, and anything else unchanged: editors, shells and some YAML parsers read
// them, and a search for words does not.
func toUTF8(data []byte) []byte {
	u, mark := unitOf(data)
	switch u.size {
	case 2:
		units := make([]uint16, 0, len(data)/2)
		for i := mark; i+1 < len(data); i += 2 {
			units = append(units, uint16(u.at(data[i:i+2])))
		}
		return []byte(string(utf16.Decode(units)))
	case 4:
		out := make([]byte, 0, len(data)/4)
		for i := mark; i+3 < len(data); i += 4 {
			out = utf8.AppendRune(out, rune(u.at(data[i:i+4])))
		}
		return out
	}
	return data
}

func (u unit) at(data []byte) uint32 {
	var out uint32
	for i := range data {
		c := data[i]
		if !u.big {
			c = data[len(data)-1-i]
		}
		out = out<<8 | uint32(c)
	}
	return out
}

// unitOf tells the encoding of a text, and how long its mark is.
func unitOf(data []byte) (u unit, mark int) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe\x00\x00")):
		return unit{4, false}, 4
	case bytes.HasPrefix(data, []byte("\x00\x00\xfe\xff")):
		return unit{4, true}, 4
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return unit{2, false}, 2
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return unit{2, true}, 2
	case bytes.IndexByte(data, 0) < 0:
		return unit{}, 0
	}
	return unmarked(data), 0
}

// minZeros is the share of a text without a mark whose units have zeros at one
// side, one in so many: in ASCII text all have. A stray NUL is no encoding.
const minZeros = 8

// unmarked tells UTF-16 and UTF-32 without a mark by where the zeros are.
func unmarked(data []byte) unit {
	var zeros [4]int
	for i, c := range data {
		if c == 0 {
			zeros[i%4]++
		}
	}
	n := len(data) / 4
	most := func(count int) bool { return n > 0 && count >= n }
	some := func(count int) bool { return n > 0 && count*minZeros >= 2*n }
	switch {
	case most(zeros[2]) && most(zeros[3]) && zeros[0] == 0:
		return unit{4, false}
	case most(zeros[0]) && most(zeros[1]) && zeros[3] == 0:
		return unit{4, true}
	case some(zeros[1]+zeros[3]) && zeros[0]+zeros[2] == 0:
		return unit{2, false}
	case some(zeros[0]+zeros[2]) && zeros[1]+zeros[3] == 0:
		return unit{2, true}
	}
	return unit{}
}
