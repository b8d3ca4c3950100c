package secrets

import (
	"bytes"
)

// mayHoldSecret is a fast look at a text: false means that there is nothing to
// seal. It errs on the side of true.
func mayHoldSecret(text []byte) bool { return anyReading(text, holdsSecretMark) }

// anyReading asks about a text as it is and as it is behind escapes. What escapes
// hide twice, as in JSON inside JSON, may be anything.
func anyReading(data []byte, holds func([]byte) bool) bool {
	if holds(data) {
		return true
	}
	if !hasLetterEscape(data) {
		return false
	}
	for _, twice := range []string{`\\x`, `\\u`, `\\U`} {
		if bytes.Contains(data, []byte(twice)) {
			return true
		}
	}
	text, _ := unescaped(data)
	return hasLetterEscape(text) || holds(text)
}

func holdsSecretMark(data []byte) bool {
	if bytes.Contains(data, []byte("ENC[AES256_GCM")) {
		return true
	}
	for _, marker := range []string{"sops", "stringData", "SealedSecret", "ecretGenerator", "sopsTok0", "plainTok", "binaryData", "last-applied-configuration"} {
		if bytes.Contains(data, []byte(marker)) {
			return true
		}
	}
	return hasValue(data, "Secret") || hasValue(data, "SecretList")
}

// mayMatter is false where a file has nothing to seal, to judge or to hide.
func mayMatter(path string, data []byte, use use) bool {
	text := toUTF8(data)
	switch {
	case use.isConfig() && use.patch == nil:
		// What a configMapGenerator takes in is settings, whatever it is called.
		encoded := len(data) > 0 && (len(text) == 0 || &text[0] != &data[0])
		return encoded || bytes.Contains(text, []byte("Secret")) || mayHoldSecret(text) || mayHoldCredential(innerName, text)
	case !use.none():
		return true
	}
	return mayHoldSecret(text) || mayHoldCredential(path, text) || mayHoldSetting(path, text)
}

// hasValue reports whether data holds word where the value of a key or the item
// of a list may stand alone, with quotes, an anchor or a tag or without: not
// within a sentence.
func hasValue(data []byte, word string) bool {
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte(word))
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(word)
		if endsValue(data[to:min(to+maxMargin, len(data))]) && startsValue(data[max(0, from-maxMargin):from]) {
			return true
		}
		at = to
	}
}

// maxMargin is how far around a word quotes, anchors and line breaks are looked
// for: the time stays linear whatever a file repeats.
const maxMargin = 256

// endsValue reports whether a value may end in front of rest.
func endsValue(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\"'\\")
	return len(rest) == 0 || bytes.IndexByte([]byte("\r\n,]}#"), rest[0]) >= 0
}

// startsValue reports whether a value may start behind head.
func startsValue(head []byte) bool {
	trimmed := bytes.TrimRight(head, " \t\r\n\"'\\")
	for range 2 { // an anchor and a tag
		if i := bytes.LastIndexAny(trimmed, "&! \t\r\n:"); len(trimmed) < len(head) && i >= 0 && (trimmed[i] == '&' || trimmed[i] == '!') {
			trimmed = bytes.TrimRight(bytes.TrimRight(trimmed[:i], "!"), " \t\r\n")
		}
	}
	return len(trimmed) == 0 || bytes.IndexByte([]byte(":-[,{?"), trimmed[len(trimmed)-1]) >= 0
}

// hasLetterEscape reports whether data holds an escape for an ASCII letter, as in
// "Se\x63ret", which has no other use than to hide a word from a search.
func hasLetterEscape(data []byte) bool {
	for _, escape := range []string{`\x`, `\u00`, `\U000000`} {
		for at := 0; ; {
			i := bytes.Index(data[at:], []byte(escape))
			if i < 0 {
				break
			}
			at += i + len(escape)
			if at+1 < len(data) && data[at] >= '4' && data[at] <= '7' {
				return true
			}
		}
	}
	return false
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
