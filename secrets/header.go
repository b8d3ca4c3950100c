package secrets

import (
	"bytes"
	"regexp"
	"slices"
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
var headerLine = regexp.MustCompile(`^(?i)authorization\\?["']?(?:[ \t]*[:=,][ \t]*|[ \t]+|[ \t]*,?[ \t]*\r?\n?[ \t]*["']?value["']?[ \t]*:[ \t]*)\\?["']?(basic|bearer|token)[ \t]+([A-Za-z0-9+/=._~-]+)`)

// authorization is the name of a header, in lower case.
const authorization = "authorization"

// authorizations returns where the word begins, in any case. It looks for its
// rarest letter.
func authorizations(data []byte) []int {
	const rare = len("authori")
	var out []int
	for _, letter := range []byte("zZ") {
		for at := 0; ; at++ {
			i := bytes.IndexByte(data[at:], letter)
			if i < 0 {
				break
			}
			at += i
			start, end := at-rare, at-rare+len(authorization)
			if start >= 0 && end <= len(data) && bytes.EqualFold(data[start:end], []byte(authorization)) {
				out = append(out, start)
			}
		}
	}
	slices.Sort(out)
	return out
}

// holdsHeader reports whether the word ends a name: not rbac.authorization.k8s.io.
func holdsHeader(data []byte) bool {
	return slices.ContainsFunc(authorizations(data), func(from int) bool {
		end := from + len(authorization)
		return end == len(data) || !isNameByte(data[end]) && data[end] != '/'
	})
}

// scanHeaders finds credentials in Authorization headers.
func scanHeaders(data []byte) []hit {
	var out []hit
	last := 0
	for _, from := range authorizations(data) {
		end := from + len(authorization)
		if from < last || end == len(data) || isNameByte(data[end]) {
			continue // most are of rbac.authorization.k8s.io
		}
		m := headerLine.FindSubmatchIndex(data[from:])
		if m == nil {
			continue
		}
		last = from + m[1]
		scheme, text := bytes.ToLower(data[from+m[2]:from+m[3]]), string(data[from+m[4]:from+m[5]])
		if string(scheme) == "basic" && isUserPassword(text) || string(scheme) != "basic" && isBearer(text) {
			out = append(out, hit{extent{from + m[4], from + m[5]}, rulePlaintext, "an Authorization header holds a credential"})
		}
	}
	return out
}
