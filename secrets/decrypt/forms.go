package decrypt

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// A form is one way in which a value can stand in a text.
type form struct {
	text  string
	loose bool // base64 from the middle: the characters beside it hold bits of it
}

// forms lists a value as it is, in JSON (once and twice, as in an audit event),
// quoted as Go does, in URLs, in hexadecimal and in base64.
func forms(text string) []form {
	quoted, escaped := jsonString(text), marshal(text)
	plain := []string{
		text, quoted, escaped, jsonString(quoted), jsonString(escaped), marshal(escaped),
		within(strconv.Quote(text)), within(strconv.QuoteToASCII(text)),
		url.QueryEscape(text), url.PathEscape(text),
		hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))),
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		plain = append(plain, encoding.EncodeToString([]byte(text)))
	}
	var out []form
	seen := map[string]bool{"": true}
	add := func(text string, loose bool) {
		if !seen[text] {
			seen[text] = true
			out = append(out, form{text, loose})
		}
	}
	for _, p := range plain {
		add(p, false)
	}
	for shift := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			add(aligned(encoding, text, shift), true)
		}
	}
	return out
}

// aligned is what base64 shows of a value that shift bytes stand before: the
// characters that the value alone decides.
func aligned(encoding *base64.Encoding, text string, shift int) string {
	encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + text))
	from := (shift*8 + 5) / 6
	to := (shift + len(text)) * 8 / 6
	if from >= to {
		return ""
	}
	return encoded[from:to]
}

// jsonString is a value within JSON quotes, as Kubernetes writes JSON: without
// escapes for HTML.
func jsonString(text string) string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always encodes
	return within(strings.TrimSuffix(out.String(), "\n"))
}

// marshal is a value within JSON quotes with the escapes for HTML.
func marshal(text string) string {
	out, _ := json.Marshal(text) // a string always encodes
	return within(string(out))
}

func within(quoted string) string { return quoted[1 : len(quoted)-1] }
