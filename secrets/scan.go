package secrets

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// A hit is secret material found in bytes whose structure nobody knows: any file
// may hold it, under any name. From and to bound the secret part.
type hit struct {
	extent
	rule    string
	message string
}

// scan finds keys and credentials by their own structure, as they are, behind
// escapes, in hexadecimal and in base64. It is fast enough to run over every blob
// of a repository.
func scan(data []byte) []hit {
	out := append(scanRaw(data), scanEscaped(data)...)
	out = append(append(out, scanHex(data)...), scanBase64(data, maxLayers)...)
	out = append(out, scanPacked(data)...)
	slices.SortFunc(out, func(a, b hit) int { return a.from - b.from })
	return dropCovered(dropNested(out))
}

// dropNested keeps the first of hits of one rule that overlap.
func dropNested(hits []hit) []hit {
	end := map[string]int{}
	return slices.DeleteFunc(hits, func(h hit) bool {
		if h.from < end[h.rule] {
			return true
		}
		end[h.rule] = h.to
		return false
	})
}

func scanRaw(data []byte) []hit {
	out := scanKeys(data)
	if bytes.Contains(data, []byte("://")) {
		out = append(out, scanURLs(data)...)
	}
	if bytes.Contains(data, []byte(`"auth"`)) || bytes.Contains(data, []byte(`ytoken"`)) {
		out = append(out, scanDockerAuth(data)...)
	}
	if bytes.Contains(data, []byte("client-key-data")) {
		out = append(out, scanKubeconfig(data)...)
	}
	out = append(out, scanHeaders(data)...)
	return append(out, scanPatterns(data)...)
}

// scanKeys finds private keys and age identities.
func scanKeys(data []byte) []hit {
	var out []hit
	if bytes.Contains(data, []byte("PRIVATE KEY")) {
		out = append(out, scanPEM(data)...)
	}
	return append(out, scanAge(data)...)
}

// isText reports whether bytes could be the start of a text.
func isText(data []byte) bool {
	for _, c := range data {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

var kubeconfigKey = regexp.MustCompile(`client-key-data["']?\s*:\s*["']?([A-Za-z0-9+/]{40,}={0,2})`)

// scanKubeconfig finds the private key of a user in a kubeconfig.
func scanKubeconfig(data []byte) []hit {
	var out []hit
	for _, at := range kubeconfigKey.FindAllSubmatchIndex(data, -1) {
		decoded := decodeRun(data[at[2]:at[3]])
		if bytes.Contains(decoded, []byte("PRIVATE KEY")) {
			out = append(out, hit{extent{at[2], at[3]}, rulePlaintext, "a kubeconfig holds a private key (client-key-data)"})
		}
	}
	return out
}

var (
	dockerAuth  = regexp.MustCompile(`"auth"\s*:\s*"([A-Za-z0-9+/]{6,}={0,2})"`)
	dockerToken = regexp.MustCompile(`"(identitytoken|registrytoken)"\s*:\s*"([^"\s]{8,})"`)
)

// scanDockerAuth finds the user:password, or the token, of a container registry.
func scanDockerAuth(data []byte) []hit {
	var out []hit
	for _, at := range dockerAuth.FindAllSubmatchIndex(data, -1) {
		decoded, ok := strictBase64(string(data[at[2]:at[3]]))
		user, password, both := strings.Cut(string(decoded), ":")
		if ok && both && user != "" && isText(decoded) && !isSample(password) {
			out = append(out, hit{extent{at[2], at[3]}, rulePlaintext, "the credentials of a container registry are committed (auth)"})
		}
	}
	for _, at := range dockerToken.FindAllSubmatchIndex(data, -1) {
		if !isSample(string(data[at[4]:at[5]])) {
			out = append(out, hit{extent{at[4], at[5]}, rulePlaintext, "the credentials of a container registry are committed (" + string(data[at[2]:at[3]]) + ")"})
		}
	}
	return out
}
