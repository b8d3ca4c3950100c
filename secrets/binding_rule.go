package secrets

import (
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// ruleReused is about one ciphertext in two places.
const ruleReused = "secret-reused"

func reusedRule() finding.Rule {
	elsewhere := strings.Replace(exampleSecret(exampleEnc, exampleBlock()), "  name: db\n", "  name: db\n  namespace: other\n", 1)
	return finding.Rule{
		Name: ruleReused, Severity: finding.Warning,
		Title: "One ciphertext is in two places",
		Doc: "sops never writes one ciphertext twice. Where two files have the same, somebody copied it: a Secret of " +
			"another namespace, which can be decrypted in its new place too, or an old value that was put back. Under " +
			"another key of the same file it cannot be decrypted at all. One encrypted value that a target brings into " +
			"several namespaces is reported as well. Honest repositories have such copies, so it is a warning; make it " +
			"an error in the configuration where every file is meant for one place: `rules: {secret-reused: {severity: error}}`.",
		Fix:  "Encrypt the value anew where it is used, for the recipients of that place.",
		Bad:  finding.Example{"a.yaml": exampleSecret(exampleEnc, exampleBlock()), "b.yaml": elsewhere},
		Good: finding.Example{"a.yaml": exampleSecret(exampleEnc, exampleBlock()), "b.yaml": strings.ReplaceAll(elsewhere, exampleEnc, exampleOther)},
	}
}

// exampleOther is another value in the form of exampleEnc.
const exampleOther = "ENC[AES256_GCM,data:BBBBBBBB,iv:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=,tag:BBBBBBBBBBBBBBBBBBBBBA==,type:str]"
