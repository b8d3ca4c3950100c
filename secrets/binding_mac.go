package secrets

import (
	"maps"

	"github.com/sallyport/sallyport/finding"
)

// sops encrypts the mac under a fresh iv whenever it writes a file, so that no two
// files have one mac unless one is a copy of the other. A mac that stands over
// other values was put there by hand: sops finds it wrong, and whoever switches the
// check off, as Flux does, does not notice. It takes no key to see that.

// A maced is an encrypted file as far as its mac goes.
type maced struct {
	path   string
	mac    string // its id; empty where there is none
	at     finding.Span
	values map[string]bool // what the mac covers: path and id of each ciphertext
}

func macedFile(path string, data []byte) maced {
	m := maced{path: path, values: map[string]bool{}}
	for _, b := range blocks(path, data) {
		if m.mac == "" {
			m.mac, m.at = ciphertextID(b.mac), b.macAt
		}
		for _, v := range b.values {
			if id := ciphertextID(v.text); id != "" {
				m.values[sopsPath(v)+"\x00"+id] = true
			}
		}
	}
	return m
}

// foreignMACs reports files that have the mac of another one and not its values.
// Without a key nobody can tell whose it is, so the finding names both.
func foreignMACs(files []maced) []finding.Finding {
	first := map[string]maced{}
	var out []finding.Finding
	for _, m := range files {
		if m.mac == "" {
			continue
		}
		other, known := first[m.mac]
		if !known {
			first[m.mac] = m
			continue
		}
		if maps.Equal(m.values, other.values) {
			continue // a copy, of which CheckReuse speaks
		}
		out = append(out, finding.Finding{
			Rule: ruleMetadata, Severity: finding.Error, Location: m.at, Help: helpMetadata,
			Message: "the mac is that of " + other.path + ", whose values are others: it was put here or there by hand, and sops finds it wrong",
			Related: []finding.Related{{Message: "the same mac", Location: other.at}},
		})
	}
	return out
}
