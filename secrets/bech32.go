package secrets

import "strings"

// bech32Charset maps 5 bits to a character (BIP 173).
const bech32Charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// parseBech32 checks a bech32 string as age writes it: any length, lower case
// throughout or upper case throughout, a checksum of six characters. It returns
// the human-readable part in lower case and how many bytes the data part holds.
func parseBech32(text string) (hrp string, size int, ok bool) {
	lower := strings.ToLower(text)
	if text != lower && text != strings.ToUpper(text) {
		return "", 0, false
	}
	at := strings.LastIndexByte(lower, '1')
	if at < 1 || len(lower)-at-1 < 6 {
		return "", 0, false
	}
	hrp = lower[:at]
	for i := range len(hrp) {
		if hrp[i] < 33 || hrp[i] > 126 {
			return "", 0, false
		}
	}
	data, ok := bech32Values(lower[at+1:])
	if !ok || bech32Polymod(append(bech32Expand(hrp), data...)) != 1 {
		return "", 0, false
	}
	bits := (len(data) - 6) * 5
	if bits%8 > 4 { // more padding than a byte needs
		return "", 0, false
	}
	return hrp, bits / 8, true
}

func bech32Values(text string) ([]byte, bool) {
	out := make([]byte, len(text))
	for i := range len(text) {
		v := strings.IndexByte(bech32Charset, text[i])
		if v < 0 {
			return nil, false
		}
		out[i] = byte(v)
	}
	return out, true
}

func bech32Expand(hrp string) []byte {
	out := make([]byte, 0, 2*len(hrp)+1)
	for i := range len(hrp) {
		out = append(out, hrp[i]>>5)
	}
	out = append(out, 0)
	for i := range len(hrp) {
		out = append(out, hrp[i]&31)
	}
	return out
}

func bech32Polymod(values []byte) uint32 {
	generator := [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}
	checksum := uint32(1)
	for _, v := range values {
		top := checksum >> 25
		checksum = checksum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range generator {
			if top>>i&1 == 1 {
				checksum ^= g
			}
		}
	}
	return checksum
}
