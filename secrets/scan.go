package secrets

import (
	"bytes"
	"encoding/base64"
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

// scan finds keys and credentials by their own structure, as they are and in
// base64. It is fast enough to run over every blob of a repository.
func scan(data []byte) []hit {
	out := scanRaw(data)
	for _, run := range base64Runs(data) {
		decoded := decodeRun(data[run.from:run.to])
		for _, h := range scanRaw(decoded) {
			out = append(out, hit{run, h.rule, h.message + ", in base64"})
			break
		}
	}
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
	var out []hit
	if bytes.Contains(data, []byte("PRIVATE KEY")) {
		out = append(out, scanPEM(data)...)
	}
	if bytes.Contains(data, []byte("AGE-")) {
		out = append(out, scanAge(data)...)
	}
	if bytes.Contains(data, []byte("://")) {
		out = append(out, scanURLs(data)...)
	}
	if bytes.Contains(data, []byte(`"auth"`)) {
		out = append(out, scanDockerAuth(data)...)
	}
	if bytes.Contains(data, []byte("client-key-data")) {
		out = append(out, scanKubeconfig(data)...)
	}
	return append(out, scanPatterns(data)...)
}

var agePattern = regexp.MustCompile(`AGE-(?:SECRET-KEY-(?:PQ-)?|PLUGIN-[A-Z0-9+._-]*)1[02-9AC-HJ-NP-Z]{6,}`)

// scanAge finds age identities. Their checksum tells real ones from examples.
func scanAge(data []byte) []hit {
	var out []hit
	for _, at := range agePattern.FindAllIndex(data, -1) {
		if _, _, ok := parseBech32(string(data[at[0]:at[1]])); ok {
			out = append(out, hit{extent{at[0], at[1]}, ruleKey, "an age identity is committed: it opens every file encrypted to it"})
		}
	}
	return out
}

// minRun is the shortest base64 text that is looked into: 18 bytes, about what a
// URL with a password takes.
const minRun = 24

// minWrapped is the shortest line that can be one of several of wrapped base64:
// PEM wraps at 64, kustomize at 70, MIME at 76.
const minWrapped = 60

// base64Runs finds stretches of base64 characters, over line breaks where the
// text is wrapped.
func base64Runs(data []byte) []extent {
	var out []extent
	for i := 0; i < len(data); {
		if !isBase64(data[i]) {
			i++
			continue
		}
		from, line := i, i
		for i < len(data) && isBase64(data[i]) {
			i++
			if i-line < minWrapped || i == len(data) || isBase64(data[i]) {
				continue
			}
			next := i
			for next < len(data) && isSpace(data[next]) {
				next++
			}
			if next < len(data) && isBase64(data[next]) && (data[i] == '\n' || data[i] == '\r') {
				i, line = next, next
			}
		}
		if i-from >= minRun {
			out = append(out, extent{from, i})
		}
	}
	return out
}

func isBase64(c byte) bool { return isAlnum(c) || c == '+' || c == '/' || c == '=' }

// decodeRun decodes a run, and gives nothing for what cannot be text.
func decodeRun(run []byte) []byte {
	run = bytes.TrimRight(run, "=")
	run = run[bytes.LastIndexByte(run, '=')+1:]
	var head [18]byte
	if len(run) < minRun {
		return nil
	}
	if n, err := base64.RawStdEncoding.Decode(head[:], run[:minRun]); err != nil || !isText(head[:n]) {
		return nil
	}
	run = bytes.Join(bytes.Fields(run), nil)
	if len(run)%4 == 1 {
		run = run[:len(run)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(run)))
	n, err := base64.RawStdEncoding.Decode(out, run)
	if err != nil {
		return nil
	}
	return out[:n]
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

var dockerAuth = regexp.MustCompile(`"auth"\s*:\s*"([A-Za-z0-9+/]{6,}={0,2})"`)

// scanDockerAuth finds the user:password of a container registry.
func scanDockerAuth(data []byte) []hit {
	var out []hit
	for _, at := range dockerAuth.FindAllSubmatchIndex(data, -1) {
		decoded, ok := strictBase64(string(data[at[2]:at[3]]))
		user, password, both := strings.Cut(string(decoded), ":")
		if ok && both && user != "" && isText(decoded) && !isSample(password) {
			out = append(out, hit{extent{at[2], at[3]}, rulePlaintext, "the credentials of a container registry are committed (auth)"})
		}
	}
	return out
}
