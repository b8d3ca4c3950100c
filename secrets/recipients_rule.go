package secrets

import (
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// The rules about who can open encrypted files.
const (
	ruleRecipients = "secret-recipients"
	ruleKeyType    = "secret-key-type"
)

func recipientsRule() finding.Rule {
	return finding.Rule{
		Name: ruleRecipients, Severity: finding.Error,
		Title: "A file is encrypted for others than it should be",
		Doc: "The sops block of a file lists who can open it, and nothing protects that list: anybody who can edit the file " +
			"can add a recipient, and the next rotation hands the new data key to it. The recipients must be those of the " +
			"matching creation rule in `.sops.yaml`: one that is missing cannot open the file, one too many can. A " +
			"recipient whose `enc` is not an age file for it was planted or is broken. With environments declared in the " +
			"configuration, a target whose files its own cluster cannot open, or another one could, is reported as well. " +
			"`.sops.yaml` itself must not have fields that sops ignores, a rule that hides a later one, or a rule without " +
			"recipients. A mix of post-quantum and classic recipients is a warning.",
		Fix: "Run `sops updatekeys FILE`; if a recipient was removed, `sops rotate -i FILE` too. Or correct `.sops.yaml`.",
		Bad: finding.Example{
			"secret.yaml": exampleSecret(exampleEnc, exampleBlock()), CreationRulesName: exampleCreation(exampleStranger),
		},
		Good: finding.Example{
			"secret.yaml": exampleSecret(exampleEnc, exampleBlock()), CreationRulesName: exampleCreation(exampleRecipient),
		},
	}
}

func keyTypeRule() finding.Rule {
	vault := "  hc_vault:\n  - vault_address: https://vault.example.com\n    engine_path: transit\n    key_name: sops\n    enc: vault:v1:AAAA\n"
	return finding.Rule{
		Name: ruleKeyType, Severity: finding.Error,
		Title: "A file can be opened with a kind of key that nobody allowed",
		Doc: "Whoever decrypts a file with sops asks every key service in its sops block, and shows it a credential: a planted " +
			"`hc_vault` entry sends the Vault token of the process to the address in the file, a plugin recipient " +
			"(`age1name1…`) runs a program. Kinds of keys beside age's own must be named: by the creation rule that " +
			"names the very key, or by the configuration. Plugins must be named in the configuration, and are reported in the " +
			"creation rules too, since the next honest sops runs them. Against a base, so is a kind of key that no creation rule " +
			"had before.",
		Fix:  "Take the key out of the sops block or the creation rule, or allow its kind in the configuration if it belongs there.",
		Bad:  finding.Example{"secret.yaml": exampleSecret(exampleEnc, strings.Replace(exampleBlock(), "  age:\n", vault+"  age:\n", 1))},
		Good: finding.Example{"secret.yaml": exampleSecret(exampleEnc, exampleBlock())},
	}
}

// Recipients of examples: one of age's own tests, and one whose identity nobody
// has.
const (
	exampleRecipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
	exampleStranger  = "age1ps40m6s5x8vtwg4dr8qna0m8fmzrhej45xytmwfty36rtmxevu3q4v0mq0"
)

func exampleCreation(recipient string) string {
	return "creation_rules:\n- encrypted_regex: ^(data|stringData)$\n  age: " + recipient + "\n"
}
