package secrets

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// exampleEnc is well formed and encrypts nothing.
const exampleEnc = "ENC[AES256_GCM,data:AAAAAAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"

// exampleBlock is a sops block whose recipient is a published test key
// (age's testkit) and whose wrapped data key is made of zeros.
func exampleBlock() string {
	return `sops:
  age:
  - recipient: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj
    enc: |
` + indent(exampleAge(), "      ") + `  lastmodified: "2026-01-01T00:00:00Z"
  mac: ` + exampleEnc + `
  encrypted_regex: ^(data|stringData)$
  version: 3.13.3
`
}

func exampleSecret(password, block string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: " + password + "\n" + block
}

// exampleBlockWithout leaves one line out of exampleBlock.
func exampleBlockWithout(field string) string {
	return regexp.MustCompile(`(?m)^  `+field+`:.*\n`).ReplaceAllString(exampleBlock(), "")
}

func exampleAge() string {
	zeros := strings.Repeat("A", 43)
	file := ageVersion + "-> X25519 " + zeros + "\n" + zeros + "\n--- " + zeros + "\n" + strings.Repeat("\x00", wrappedSize)
	encoded := base64.StdEncoding.EncodeToString([]byte(file))
	var out strings.Builder
	out.WriteString(ageArmorStart + "\n")
	for len(encoded) > 64 {
		out.WriteString(encoded[:64] + "\n")
		encoded = encoded[64:]
	}
	out.WriteString(encoded + "\n" + ageArmorEnd + "\n")
	return out.String()
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by) + "\n"
}

// examplePEM is the Ed25519 key of RFC 8410, section 10.3.
const examplePEM = "-----BEGIN " + `PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`
