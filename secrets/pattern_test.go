package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"
)

// The checksum is the one of a token that GitHub published and revoked.
func TestTokenChecksum(t *testing.T) {
	token := "ghp_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
	if !hasChecksum(token) {
		t.Error("a checksum by GitHub is taken for wrong")
	}
	if hasChecksum(strings.Replace(token, "z", "y", 1)) || hasChecksum("ghp_0mLq17") {
		t.Error("a wrong checksum is taken for right")
	}
}

// sample makes a text that an expression matches: the shortest one, with
// characters drawn from its classes.
func sample(random *rand.Rand, re *syntax.Regexp) string {
	var out strings.Builder
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		for {
			i := 2 * random.IntN(len(re.Rune)/2)
			lo, hi := re.Rune[i], re.Rune[i+1]
			return string(lo + random.Int32N(hi-lo+1))
		}
	case syntax.OpRepeat:
		for range re.Min {
			out.WriteString(sample(random, re.Sub[0]))
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			out.WriteString(sample(random, sub))
		}
	case syntax.OpAlternate:
		return sample(random, re.Sub[random.IntN(len(re.Sub))])
	case syntax.OpCapture:
		return sample(random, re.Sub[0])
	}
	return out.String()
}

// tokenOf makes a token that a pattern describes, and its surroundings.
func tokenOf(t *testing.T, random *rand.Rand, p pattern) (line, secret string) {
	t.Helper()
	re, err := syntax.Parse(p.rest.String(), syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	body := sample(random, re)
	switch {
	case p.named:
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))
		claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"c4nary","role":"admin"}`))
		secret = header + "." + claims + "." + body[len(body)-20:]
		return "api_token: " + secret, secret
	case p.pair == awsSecret:
		secret = "k7MDENG/bPxRfiCYzmQ2+wJalrXUtnFEMIq8sT4v"
		return "id=" + p.prefix + body + "\naws_secret_access_key=" + secret, secret
	case p.pair == twilioSecret:
		secret = "a8Kd02lsPq7Zm4Xv9Rt1Yw6Ue3Bn5GhJ"
		return "TWILIO_KEY: " + p.prefix + body + "\nTWILIO_SECRET: " + secret, secret
	case p.numbered:
		return "bot 314159265" + p.prefix + body, "314159265" + p.prefix + body
	case strings.HasSuffix(p.rest.String(), "{36}") && p.check != nil:
		body = body[:30] + checksum(body[:30])
	}
	return `x: "` + p.prefix + body + `"`, p.prefix + body
}

// Every token of the table is found whole, in text, in JSON and in base64; and
// not with a character more, nor one that says that it is an example.
func TestPatterns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, p := range patterns {
		t.Run(p.prefix, func(t *testing.T) {
			line, secret := tokenOf(t, random, p)
			for name, text := range map[string]string{"alone": line, "in a file": "a: 1\n" + line + "\nb: 2\n", "escaped": `{"x": "a\n` + secret + `\n"}`} {
				if name == "escaped" && (p.pair != nil || p.named) {
					continue
				}
				hits := scanPatterns([]byte(text))
				if len(hits) != 1 || text[hits[0].from:hits[0].to] != secret {
					t.Errorf("%s: got %d hits in %q", name, len(hits), text)
				}
			}
			if hits := scan([]byte("x: " + base64.StdEncoding.EncodeToString([]byte(line)))); len(hits) != 1 || hits[0].rule != rulePattern {
				t.Errorf("base64: got %v", hits)
			}
			fake := strings.Replace(line, secret[len(secret)-8:], "aEXAMPLE", 1)
			for _, text := range []string{strings.Replace(line, secret, "z"+secret+"z", 1), fake, strings.Replace(line, secret, secret[:len(secret)-1], 1) + " "} {
				if p.rest.String() == `^[A-Za-z0-9]{24,247}` && text != fake || strings.Contains(p.prefix, "slack.com") && text != fake {
					continue
				}
				for _, h := range scanPatterns([]byte(text)) {
					if strings.Contains(text[h.from:h.to], secret) || text == fake {
						t.Errorf("found in %q", text)
					}
				}
			}
		})
	}
}

// What is published, or made up, or public is no finding.
func TestPatternsHarmless(t *testing.T) {
	for name, text := range map[string]string{
		"AWS documentation":  "aws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS id alone":       "id: AKIA" + "QLV4PGRTZ7MSK2WD",
		"wrong checksum":     "ghp_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq18",
		"stand-in":           "glpat-" + strings.Repeat("x", 20),
		"zeros":              "dop_v1_" + strings.Repeat("0", 64),
		"counting":           "hvs." + "abcdefghijklmnopqrstuvwx",
		"emulator":           "AccountKey=" + "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
		"JWT without a name": "example: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjNG5hcnkiLCJyb2xlIjoiYWRtaW4ifQ.k7MDENGbPxRfiCYzmQ2wJalrXUtn",
		"unsigned JWT":       "token: eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJjNG5hcnkiLCJyb2xlIjoiYWRtaW4ifQ.k7MDENGbPxRfiCYzmQ2wJalrXUtn",
		"digest":             "image: a@sha256:" + hex.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv")),
		"Twilio account":     "SK" + "6f1a0b9c3d7e2f8465a90b1c2d3e4f50",
		"Slack template":     "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
		"port and name":      "10000000:AAbc",
		"word with a prefix": "task-sk-learn npm_config_cache hf_transfer SG.group",
	} {
		if hits := scan([]byte(text)); len(hits) > 0 {
			t.Errorf("%s: %v", name, hits)
		}
	}
}

// A token that another rule reports is no second finding, a token elsewhere in
// the file is, and both are masked.
func TestPatternSecondNet(t *testing.T) {
	token := exampleToken()
	text := exampleSecret("|\n    first\n    "+token, "  encoded: "+base64.StdEncoding.EncodeToString([]byte(token))+"\n") +
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  url: https://bob:" + token + "@h/x\n  own: " + token + "\n"
	s := seal(t, memTree{"s.yaml": text})
	got := strings.Join(check(t, s), "\n")
	want := "secret-plaintext s.yaml:6:13 /stringData/password\nsecret-plaintext s.yaml:9:12 /stringData/encoded\n" +
		"secret-plaintext s.yaml:15:20 \nsecret-pattern s.yaml:16:8 "
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if masked := strings.Join(s.Masked("s.yaml"), "\n"); strings.Contains(masked, token) {
		t.Errorf("masked lines show the token:\n%s", masked)
	}
	for _, f := range judge(t, memTree{"s.yaml": text}) {
		if f.Rule == rulePattern && f.Severity.String() != "warning" {
			t.Errorf("severity %s", f.Severity)
		}
	}
}

// Only the corpora can tell that ordinary text has no hit. Every one of them was
// read: there is none.
func TestPatternsCorpora(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes in one goroutine")
	}
	for _, name := range []string{"operate-first-apps", "onedr0p-home-ops", "onedr0p-home-ops-2022-08", "gitops-catalog", "microservices-demo",
		"flux2-kustomize-helm-example", "flux2-multi-tenancy", "argocd-example-apps", "gatekeeper-library"} {
		t.Run(name, func(t *testing.T) {
			_, s := corpus(t, name)
			found, err := s.CheckFiles(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.Rule == rulePattern {
					t.Errorf("%s: %s", f.Location, f.Message)
				}
			}
		})
	}
}

func BenchmarkScanPatterns(b *testing.B) {
	snap, _ := corpus(b, "operate-first-apps")
	var data []byte
	for _, e := range snap.Files() {
		content, _ := snap.ReadFile(e.Path)
		data = append(append(data, content...), '\n')
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		scanPatterns(data)
	}
}

// Looking for tokens takes time linear in a file's size, whatever it repeats.
func TestPatternsHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes in one goroutine")
	}
	const size = 2 << 20
	token := exampleToken()
	for _, piece := range []string{
		token + " ", "https://bob:c4nary@h " + token + " ", "AKIA" + "QLV4PGRTZ7MSK2WD ", "AKIA" + "QLV4PGRTZ7MSK2WD secret ",
		"eyJ.", "ops_eyJ ", "ops_eyJ", ":AA", "12345678:AA", "sk-", "glpat-", "\\nghp_", "hvs.",
	} {
		data := []byte(strings.Repeat(piece, size/len(piece)))
		for _, h := range scan(data) {
			if h.from >= h.to || h.to > len(data) {
				t.Fatalf("%q repeated: a hit from %d to %d", piece, h.from, h.to)
			}
		}
	}
}
