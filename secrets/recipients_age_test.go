package secrets

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
)

// armored makes an age file of a header and a payload of so many bytes.
func armored(header string, payload int) string {
	file := ageVersion + header + "\n--- " + strings.Repeat("A", 43) + "\n" + strings.Repeat("\x01", payload)
	return string(pem.EncodeToMemory(&pem.Block{Type: "AGE ENCRYPTED FILE", Bytes: []byte(file)}))
}

func bytes64(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }

func stanza(head string, body int) string {
	text := bytes64(body)
	out := "-> " + head
	for len(text) >= stanzaLine {
		out, text = out+"\n"+text[:stanzaLine], text[stanzaLine:]
	}
	return out + "\n" + text
}

// The label of a recipient and the age file beside it must fit.
func TestCheckAgeEnc(t *testing.T) {
	x25519 := stanza("X25519 "+bytes64(32), 32)
	hybrid := stanza("mlkem768x25519 "+bytes64(1120), 32)
	for _, test := range []struct {
		name, enc string
		kind      RecipientKind
		want      string
	}{
		{"X25519", armored(x25519, 64), AgeX25519, ""},
		{"a share of the key", armored(x25519, 65), AgeX25519, ""},
		{"post-quantum", armored(hybrid, 64), AgeHybrid, ""},
		{"ssh-ed25519", armored(stanza("ssh-ed25519 "+bytes64(4)+" "+bytes64(32), 32), 64), AgeSSH, ""},
		{"ssh-rsa", armored(stanza("ssh-rsa "+bytes64(4), 384), 64), AgeSSH, ""},
		{"plugin", armored(stanza("piv-p256 AAAA BBBB", 32)+"\n"+x25519, 64), AgePlugin, ""},
		{"grease of rage", armored(x25519+"\n"+stanza("xy-grease a", 5), 64), AgeX25519, ""},
		{"CRLF", strings.ReplaceAll(armored(x25519, 64), "\n", "\r\n"), AgeX25519, ""},
		{"text", "c4nary", AgeX25519, "is no armored"},
		{"no header", string(pem.EncodeToMemory(&pem.Block{Type: "AGE ENCRYPTED FILE", Bytes: make([]byte, 200)})), AgeX25519, "no age header"},
		{"no stanza", armored("", 64), AgeX25519, "malformed age header"},
		{"share too short", armored(stanza("X25519 "+bytes64(31), 32), 64), AgeX25519, "not for this kind"},
		{"file key too short", armored(stanza("X25519 "+bytes64(32), 16), 64), AgeX25519, "not for this kind"},
		{"another kind", armored(hybrid, 64), AgeX25519, "not for this kind"},
		{"passphrase", armored(stanza("scrypt AAAA 18", 32), 64), AgeX25519, "not for this kind"},
		{"a second reader", armored(x25519+"\n"+x25519, 64), AgeX25519, "another number of keys"},
		{"no data key", armored(x25519, 32), AgeX25519, "data key of 32 bytes"},
		{"a long payload", armored(x25519, 1000), AgeX25519, "data key of 32 bytes"},
	} {
		if got := checkAgeEnc(test.kind, test.enc); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// What the parser accepts is what it would write: nothing hides between the
// parts. It never panics.
func FuzzParseAgeFile(f *testing.F) {
	for _, header := range []string{
		stanza("X25519 "+bytes64(32), 32), stanza("ssh-rsa "+bytes64(4), 384), "-> a\n", "->", "-> a b\n" + strings.Repeat("A", 64) + "\n",
	} {
		f.Add(ageVersion + header + "\n--- " + strings.Repeat("A", 43) + "\n" + strings.Repeat("\x01", 64))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		text := ageArmorStart + "\n" + base64.StdEncoding.EncodeToString([]byte(raw)) + "\n" + ageArmorEnd
		file, reason := parseAgeFile(text)
		if reason != "" {
			return
		}
		header := ageVersion
		for _, s := range file.stanzas {
			body := base64.RawStdEncoding.EncodeToString(s.body)
			header += "-> " + strings.Join(s.args, " ") + "\n"
			for ; len(body) >= stanzaLine; body = body[stanzaLine:] {
				header += body[:stanzaLine] + "\n"
			}
			header += body + "\n"
		}
		rest, ok := strings.CutPrefix(raw, header+"--- ")
		if mac, payload, cut := strings.Cut(rest, "\n"); !ok || !cut || len(mac) != 43 || len(payload) != file.payload {
			t.Errorf("accepted %q", raw)
		}
	})
}
