package secrets

import (
	"bytes"
	"regexp"
	"strings"
)

// maxUserInfo bounds how far after "://" a password is looked for.
const maxUserInfo = 512

// scanURLs finds passwords in URLs: scheme://user:password@host.
func scanURLs(data []byte) []hit {
	var out []hit
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte("://"))
		if i < 0 {
			return out
		}
		at += i + len("://")
		if h, ok := queryPassword(data, at); ok {
			out = append(out, h)
		}
		if i := at - len("://"); i == 0 || !isAlnum(data[i-1]) {
			continue
		}
		end := userInfoEnd(data, at)
		if end < 0 {
			continue
		}
		user, password, ok := strings.Cut(string(data[at:end]), ":")
		if !ok || password == "" || IsReference(password) || isSample(password) || isSample(user) && isSample(password) {
			continue
		}
		from := at + len(user) + 1
		out = append(out, hit{extent{from, end}, rulePlaintext, "a URL holds a password"})
	}
}

// maxURL bounds how far the query of a URL is looked for.
const maxURL = 2048

var queryPart = regexp.MustCompile(`[?&;]((?:[\w-]*[_.-])?(?:password|passwd|pwd|pass|token|secret|api[_-]?key|access[_-]?key|apikey))=([^&;#\s"'<>\x60\\]+)`)

// queryPassword finds a credential among the parameters of the URL that goes on at
// a place.
func queryPassword(data []byte, at int) (hit, bool) {
	rest := data[at:min(at+maxURL, len(data))]
	if end := bytes.IndexAny(rest, " \t\r\n\"'<>`"); end >= 0 {
		rest = rest[:end]
	}
	if bytes.IndexByte(rest, '?') < 0 {
		return hit{}, false
	}
	for _, m := range queryPart.FindAllSubmatchIndex(rest, -1) {
		name, text := string(rest[m[2]:m[3]]), string(rest[m[4]:m[5]])
		if namesArgument(name) && !isSample(text) && !isFake(text+fill) && isLiteralSecret(name, text) && !strings.ContainsAny(text, "{}$%") {
			return hit{extent{at + m[4], at + m[5]}, rulePlaintext, "a URL holds a password"}, true
		}
	}
	return hit{}, false
}

// fill has as many different characters as a token: short passwords are none the
// less ones.
const fill = "acegikmo"

// userInfoEnd returns where the @ behind a user and password is, or -1.
func userInfoEnd(data []byte, at int) int {
	for i := at; i < len(data) && i < at+maxUserInfo; i++ {
		switch c := data[i]; {
		case c == '@':
			return i
		case c <= ' ' || c >= 0x7f || strings.IndexByte("/?#\"'`<>\\|", c) >= 0:
			return -1
		}
	}
	return -1
}

var (
	sampleWord    = regexp.MustCompile(`(?i)^(?:pass(?:word|wd|phrase)?|pwd|pw|secret|token|my-?pass(?:word)?|your[-_ ].*|my[-_].*|some[-_].*|change[-_]?(?:me|it)|replace[-_]?me|todo|example|sample|dummy|fake|redacted|omitted|none|null|nil|true|false|yes|no|noop|disabled|x+|\.+|\*+|-+|•+)$`)
	sampleCapital = regexp.MustCompile(`^_*[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)+_*$`)
)

// isSample reports whether a value outside a Secret is plainly a stand-in: a word
// such as "password" or "changeme", UPPER_SNAKE_CASE, <angle brackets>, a format
// verb, braces of a template. Values in Secrets are never judged by it.
func isSample(text string) bool {
	text = strings.Trim(strings.TrimSpace(text), `"'`)
	return text == "" || sampleWord.MatchString(text) || sampleCapital.MatchString(text) ||
		strings.ContainsAny(text, "<>{}$%") && !strings.ContainsAny(text, " \t") && isTemplate(text)
}

var templatePiece = regexp.MustCompile(`<[^<>]*>|\{[^{}]*\}|\$\{[^{}]*\}|\$\w+|\$\([^()]*\)|%\[?\d*\]?[svdqx]`)

// isTemplate reports whether nothing but punctuation is left without the
// placeholders of common template languages.
func isTemplate(text string) bool {
	rest := templatePiece.ReplaceAllString(text, "")
	return rest != text && !strings.ContainsFunc(rest, func(r rune) bool { return isAlnum(byte(min(r, 0x7f))) })
}
