package secrets

import (
	"bytes"
	"regexp"
	"strings"
)

// isHeader reports whether a name is that of an HTTP header with a credential.
func isHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "x-api-key", "x-auth-token", "private-token", "x-vault-token":
		return true
	}
	return false
}

var authScheme = regexp.MustCompile(`^(?i)(basic|bearer|token|digest|apikey)\s+(\S+)$`)

// isHeaderSecret judges the value of a header.
func isHeaderSecret(name, text string) bool {
	text = strings.Trim(strings.TrimSpace(text), `"'`)
	m := authScheme.FindStringSubmatch(text)
	switch {
	case m == nil:
		return !strings.HasSuffix(strings.ToLower(name), "authorization") && isLiteralSecret("password", text) && !isSample(text)
	case strings.EqualFold(m[1], "basic"):
		return isUserPassword(m[2])
	}
	return isBearer(m[2])
}

// isUserPassword reports whether a text is base64 of a user and a password.
func isUserPassword(text string) bool {
	data, ok := strictBase64(text)
	if !ok {
		return false
	}
	user, password, both := strings.Cut(string(data), ":")
	return both && user+password != "" && isText(data) && !isSample(password)
}

// minBearer is the shortest token that is taken for one where only the word
// Bearer says so.
const minBearer = 12

func isBearer(text string) bool {
	return len(text) >= minBearer && hasDigits(text) && !isSample(text) && !isFake(text) && !IsReference(text) && !strings.ContainsAny(text, "<>{}$%")
}

// headerLine is a header in a text of any kind, with the value on the same line or
// under the next key: a proxy's configuration, a script, a list of names and
// values.
var headerLine = regexp.MustCompile(`(?i)authorization\\?["']?(?:[ \t]*[:=,][ \t]*|[ \t]+|[ \t]*,?[ \t]*\r?\n?[ \t]*["']?value["']?[ \t]*:[ \t]*)\\?["']?(basic|bearer|token)[ \t]+([A-Za-z0-9+/=._~-]+)`)

// scanHeaders finds credentials in Authorization headers.
func scanHeaders(data []byte) []hit {
	var out []hit
	for _, at := range headerLine.FindAllSubmatchIndex(data, -1) {
		scheme, text := bytes.ToLower(data[at[2]:at[3]]), string(data[at[4]:at[5]])
		if string(scheme) == "basic" && isUserPassword(text) || string(scheme) != "basic" && isBearer(text) {
			out = append(out, hit{extent{at[4], at[5]}, rulePlaintext, "an Authorization header holds a credential"})
		}
	}
	return out
}
