package secrets

import (
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// The rules that compare with an earlier state. In their examples that state is
// below before/.
const (
	ruleTypeChanged = "secret-type-changed"
	ruleRollback    = "secret-rollback"
	ruleUnrotated   = "secret-unrotated"
)

func typeChangedRule() finding.Rule {
	before := exampleSecret(exampleEnc, exampleBlock())
	value := "password: " + exampleEnc
	return finding.Rule{
		Name: ruleTypeChanged, Severity: finding.Error,
		Title: "The type of an encrypted value was changed",
		Doc: "The type behind a ciphertext (`type:str`) is not protected. Changed to `int`, sops decrypts the value, fails to " +
			"read it as a number, and quotes it in the error: whoever can read the log reads the secret. With an " +
			"unchanged ciphertext there is no honest reason for it. Where the value was changed as well, it is a warning.",
		Fix:  "Put the type back, and change values with `sops edit` only.",
		Bad:  finding.Example{"before/secret.yaml": before, "secret.yaml": strings.Replace(before, value, strings.Replace(value, "type:str", "type:bytes", 1), 1)},
		Good: finding.Example{"before/secret.yaml": before, "secret.yaml": before},
	}
}

func rollbackRule() finding.Rule {
	before := exampleSecret(exampleEnc, exampleBlock())
	on := func(day string) string {
		return strings.Replace(strings.ReplaceAll(before, exampleEnc, exampleOther), "2026-01-01", day, 1)
	}
	return finding.Rule{
		Name: ruleRollback, Severity: finding.Error,
		Title: "An older version of an encrypted file is put back",
		Doc: "An old ciphertext stays valid for ever, so a password that was rotated can be brought back by anybody, without a " +
			"key. It shows in `lastmodified`, which goes back, in values that changed while the `mac` did not, and in a value or a " +
			"`mac` that the file had in an earlier commit and the base has no more; of a shallow clone, in as many commits as it " +
			"holds. `git revert` brings old secrets back as well, and is reported. An older version of sops in the block is a " +
			"warning: a colleague may just not have updated.",
		Fix:  "Take the newest version of the file and change it with sops. To go back on purpose, encrypt the old value anew.",
		Bad:  finding.Example{"before/secret.yaml": before, "secret.yaml": on("2025-12-31")},
		Good: finding.Example{"before/secret.yaml": before, "secret.yaml": on("2026-01-02")},
	}
}

func unrotatedRule() finding.Rule {
	after := exampleSecret(exampleEnc, exampleBlock())
	stranger := "  - recipient: " + exampleStranger + "\n    enc: |\n" + indent(exampleAge(), "      ")
	before := strings.Replace(after, "  lastmodified:", stranger+"  lastmodified:", 1)
	return finding.Rule{
		Name: ruleUnrotated, Severity: finding.Error,
		Title: "A recipient was removed, but the data key was kept",
		Doc: "`sops updatekeys` wraps the same data key for the new recipients. Somebody who was removed and kept the key " +
			"from an older version of the file opens every later one with it. Ciphertexts that stayed the same prove " +
			"that the key did.",
		Fix:  "Run `sops rotate -i FILE`, which makes a new data key. Rotate the values as well: history keeps the old ones.",
		Bad:  finding.Example{"before/secret.yaml": before, "secret.yaml": after},
		Good: finding.Example{"before/secret.yaml": before, "secret.yaml": before},
	}
}
