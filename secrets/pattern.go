package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// The second net: tokens that providers made to be recognised, anywhere in any
// file. The table patterns has them all. A token counts when its prefix, alphabet
// and length fit, and its checksum where the provider publishes one; how random a
// text looks is never asked. Tools with hundreds of patterns that guess are run
// beside this one, not inside it.

// rulePattern is a warning: the form of a text is less than what Kubernetes
// itself calls a Secret.
const rulePattern = "secret-pattern"

// A pattern is the form of one kind of token.
type pattern struct {
	what   string         // for the message
	prefix string         // what every such token begins with
	rest   *regexp.Regexp // what follows, anchored
	// check judges the whole token further; nil takes all.
	check func(token string) bool
	// pair finds the secret that goes with the token, which is a public
	// identifier: within maxPair bytes, as its first group. Without one the
	// identifier is no finding. nil where the token is the secret.
	pair *regexp.Regexp
	// named is set where the form alone says too little: the key in front must be
	// named like a credential.
	named bool
	// numbered is set where a number of 8 to 10 digits stands in front.
	numbered bool
}

const (
	// maxToken is the longest token that is looked for; 1Password's take about 850.
	maxToken = 2048
	// maxPair is how far from an identifier its secret is looked for: they are
	// neighbours in credential files, in environments and in values.
	maxPair = 512
	// maxKeyName is how far in front of a value its key is looked for.
	maxKeyName = 128
	// minDistinct is how many different characters the random part of a token has
	// at the least. Of 32 random hexadecimal digits, one in 10^5 has fewer.
	minDistinct = 8
)

// patternIndex finds the patterns that a place can begin with.
var patternIndex = indexPatterns(patterns)

// A prefixIndex rules nearly every place of a text out by its first two bytes.
type prefixIndex struct {
	pairs [1 << 16]bool   // by the first two bytes of a prefix
	first [256][]*pattern // by the first byte
}

func indexPatterns(all []pattern) *prefixIndex {
	index := &prefixIndex{}
	for i := range all {
		prefix := all[i].prefix
		index.pairs[uint16(prefix[0])<<8|uint16(prefix[1])] = true
		index.first[prefix[0]] = append(index.first[prefix[0]], &all[i])
	}
	return index
}

// scanPatterns finds provider tokens. It looks at every byte once; only where two
// bytes fit, a word begins and a whole prefix fits, an expression is run.
func scanPatterns(data []byte) []hit {
	var out []hit
	pairs := pairIndex{data: data}
	for i := 0; i+1 < len(data); i++ {
		c := data[i]
		if !patternIndex.pairs[uint16(c)<<8|uint16(data[i+1])] || isAlnum(c) && !wordBegins(data, i) {
			continue
		}
		for _, p := range patternIndex.first[c] {
			if !bytes.HasPrefix(data[i:], []byte(p.prefix)) {
				continue
			}
			if e, ok := p.at(&pairs, i); ok {
				out = append(out, hit{e, rulePattern, p.what + " is committed"})
				break
			}
		}
	}
	return out
}

// wordBegins reports whether the byte before i cannot be part of a token, or ends
// an escape such as \n.
func wordBegins(data []byte, i int) bool {
	if i == 0 || !isAlnum(data[i-1]) && data[i-1] != '_' && data[i-1] != '-' {
		return true
	}
	return i >= 2 && data[i-2] == '\\' && strings.IndexByte("nrt", data[i-1]) >= 0
}

// at returns the secret of a token that begins at i.
func (p *pattern) at(pairs *pairIndex, i int) (extent, bool) {
	data := pairs.data
	from := i + len(p.prefix)
	length := len(p.rest.Find(data[from:min(from+maxToken, len(data))]))
	end := from + length
	if length == 0 || end < len(data) && (isAlnum(data[end]) || data[end] == '_' || data[end] == '-') {
		return extent{}, false
	}
	token := string(data[i:end])
	if isFake(token[len(p.prefix):]) || p.check != nil && !p.check(token) || p.named && !credentialBefore(data, i) {
		return extent{}, false
	}
	switch {
	case p.numbered:
		from, ok := numberBefore(data, i)
		return extent{from, end}, ok
	case p.pair != nil:
		return pairs.near(p.pair, extent{i, end})
	}
	return extent{i, end}, true
}

// A pairIndex finds the secrets that go with identifiers. It looks for all of
// them once, so that a file that repeats an identifier costs no more.
type pairIndex struct {
	data  []byte
	found map[*regexp.Regexp][]extent
}

// near returns the first secret within maxPair bytes of an identifier.
func (x *pairIndex) near(pair *regexp.Regexp, id extent) (extent, bool) {
	secrets, ok := x.found[pair]
	if !ok {
		for _, at := range pair.FindAllSubmatchIndex(x.data, -1) {
			if e := (extent{at[2], at[3]}); !isFake(string(x.data[e.from:e.to])) {
				secrets = append(secrets, e)
			}
		}
		if x.found == nil {
			x.found = map[*regexp.Regexp][]extent{}
		}
		x.found[pair] = secrets
	}
	i, _ := slices.BinarySearchFunc(secrets, id.from-maxPair, func(e extent, from int) int { return e.from - from })
	if i == len(secrets) || secrets[i].to > id.to+maxPair {
		return extent{}, false
	}
	return secrets[i], true
}

// numberBefore returns where the number in front of i begins.
func numberBefore(data []byte, i int) (int, bool) {
	from := i
	for from > 0 && i-from <= 10 && data[from-1] >= '0' && data[from-1] <= '9' {
		from--
	}
	return from, wordBegins(data, from) && i-from >= 8 && i-from <= 10
}

var fakeWord = regexp.MustCompile(`(?i)example|xxxx|\*\*\*|\.\.\.|fake|dummy|placeholder|redacted|changeme|your|1234567890|0123456789|abcdefgh`)

// isFake reports whether a token was made up for a text: it says so, or repeats
// a few characters.
func isFake(body string) bool {
	if fakeWord.MatchString(body) {
		return true
	}
	var seen [256]bool
	distinct := 0
	for i := range len(body) {
		if !seen[body[i]] {
			seen[body[i]] = true
			distinct++
		}
	}
	return distinct < minDistinct
}

// base62 are the digits of GitHub's and npm's checksum.
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// checksumSize is how many digits of a token are its checksum.
const checksumSize = 6

// hasChecksum reports whether the last six characters of a token are the CRC-32
// of its random part, as GitHub describes it ("Behind GitHub's new authentication
// token formats", 2021) and npm took it over.
func hasChecksum(token string) bool {
	_, body, ok := strings.Cut(token, "_")
	if !ok || len(body) <= checksumSize {
		return false
	}
	random, sum := body[:len(body)-checksumSize], body[len(body)-checksumSize:]
	return checksum(random) == sum
}

func checksum(random string) string {
	var digits [checksumSize]byte
	rest := crc32.ChecksumIEEE([]byte(random))
	for i := checksumSize - 1; i >= 0; i-- {
		digits[i] = base62[rest%62]
		rest /= 62
	}
	return string(digits[:])
}

// isSignedJWT reports whether the first part of a token is the header of a JSON
// Web Token that somebody signed (RFC 7515 section 4.1.1).
func isSignedJWT(token string) bool {
	header, _, _ := strings.Cut(token, ".")
	data, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		return false
	}
	var fields struct{ Alg string }
	return json.Unmarshal(data, &fields) == nil && fields.Alg != "" && !strings.EqualFold(fields.Alg, "none")
}

// isNotPublished lets the key through that every copy of the Azure Storage
// emulator has.
func isNotPublished(token string) bool {
	return !strings.Contains(token, "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq")
}

// credentialBefore reports whether the value that begins at i belongs to a key
// that is named like a credential, or follows the word Bearer.
func credentialBefore(data []byte, i int) bool {
	line := data[max(0, i-maxKeyName):i]
	line = bytes.TrimRight(line[bytes.LastIndexByte(line, '\n')+1:], " \t\"'")
	if bytes.HasSuffix(line, []byte("Bearer")) {
		return true
	}
	name, ok := bytes.CutSuffix(line, []byte(":"))
	if !ok {
		name, ok = bytes.CutSuffix(line, []byte("="))
	}
	return ok && credentialName.Match(bytes.TrimRight(name, " \t\"'"))
}

// dropCovered drops tokens that overlap something that another rule found. The
// hits are sorted by where they begin.
func dropCovered(hits []hit) []hit {
	if !slices.ContainsFunc(hits, func(h hit) bool { return h.rule == rulePattern }) {
		return hits
	}
	next := make([]int, len(hits)+1) // where the next hit of another rule begins
	next[len(hits)] = math.MaxInt
	for i := len(hits) - 1; i >= 0; i-- {
		if next[i] = next[i+1]; hits[i].rule != rulePattern {
			next[i] = hits[i].from
		}
	}
	var out []hit
	end := 0 // of the hits of other rules so far
	for i, h := range hits {
		if h.rule != rulePattern {
			end = max(end, h.to)
		} else if h.from < end || next[i] < h.to {
			continue
		}
		out = append(out, h)
	}
	return out
}

// secondNet drops the warnings about lines that another rule is about already.
func secondNet(found []finding.Finding, sh *sheet) []finding.Finding {
	isPattern := func(f finding.Finding) bool { return f.Rule == rulePattern }
	if !slices.ContainsFunc(found, isPattern) {
		return found
	}
	told := map[int]bool{}
	tell := func(from, to int) {
		for line := from; line <= to; line++ {
			told[line] = true
		}
	}
	for _, f := range found {
		if !isPattern(f) {
			tell(f.Location.Start.Line, f.Location.End.Line)
		}
	}
	if sh != nil {
		for _, e := range sh.edits {
			tell(sh.position(e.from).Line, sh.position(e.to).Line)
		}
	}
	return slices.DeleteFunc(found, func(f finding.Finding) bool { return isPattern(f) && told[f.Location.Start.Line] })
}

// severityOf is how much a finding of the scan weighs unless configured.
func severityOf(rule string) finding.Severity {
	if rule == rulePattern {
		return finding.Warning
	}
	return finding.Error
}
