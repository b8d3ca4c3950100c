package secrets

import "github.com/sallyport/sallyport/finding"

// The rules of this package.
const (
	rulePlaintext  = "secret-plaintext"
	ruleKey        = "secret-key-committed"
	ruleIncomplete = "secret-incomplete"
	ruleMetadata   = "secret-metadata"
	ruleLeak       = "secret-leak"
)

// Rules returns the documentation of this package's rules. The encrypted
// examples cannot be opened: they are well formed and made of zeros.
func Rules() []finding.Rule {
	return []finding.Rule{plaintextRule(), keyRule(), incompleteRule(), metadataRule(), leakRule(), movedRule(), patternRule(),
		recipientsRule(), keyTypeRule(), reusedRule(), typeChangedRule(), rollbackRule(), unrotatedRule(), consumerRule(),
		substituteRule()}
}

func plaintextRule() finding.Rule {
	return finding.Rule{
		Name: rulePlaintext, Severity: finding.Error,
		Title: "A secret is committed in plaintext",
		Doc: "Everybody who can read the repository, its clones and its history can read the value. " +
			"Base64 is no encryption. This looks at `data` and `stringData` of every Secret, also inside a List, " +
			"a patch or JSON; at the `literals`, `envs` and `files` of a `secretGenerator`; at container variables, " +
			"keys of a ConfigMap and values of a Helm chart that are named like a credential, and as a warning at any " +
			"field that is named like a password; at such settings of `.env`, `.npmrc`, `.netrc`, `.pypirc`, `tfvars`, TOML, ini " +
			"and properties files (in a file named as an example, `changeme` and the like may stand); and in any file for " +
			"credentials in URLs, registry logins and keys in kubeconfigs, as they are and in base64. References such as `op://…`, `vault:…`, `${VAR}` and " +
			"`{{ … }}`, empty values and public certificates are not reported. The values of a SealedSecret must have the " +
			"form that kubeseal writes, and its template must take its secrets from them.",
		Fix:  "Run `sallyport seal FILE`. If it was pushed, rotate the value: history keeps it.",
		Bad:  finding.Example{"secret.yaml": exampleSecret("hunter2", "")},
		Good: finding.Example{"secret.yaml": exampleSecret(exampleEnc, exampleBlock())},
	}
}

func keyRule() finding.Rule {
	return finding.Rule{
		Name: ruleKey, Severity: finding.Error,
		Title: "A private key is committed",
		Doc: "An age identity or a private key in PEM, as it is or in base64, in any file. An age identity opens " +
			"every file that was ever encrypted to it, old commits included. Only what decodes to a key is " +
			"reported, so an example such as `MIIE…` is not.",
		Fix: "Take the key out, revoke it, and rotate everything that it protects.",
		Bad: finding.Example{"deploy.key": examplePEM},
		Good: finding.Example{"README.md": "Keys look like this:\n\n" +
			"    -----BEGIN PRIVATE KEY-----\n    MIIE...\n    -----END PRIVATE KEY-----\n"},
	}
}

func incompleteRule() finding.Rule {
	return finding.Rule{
		Name: ruleIncomplete, Severity: finding.Error,
		Title: "A value in an encrypted file is not encrypted",
		Doc: "The file has a sops block, but a value that the block's own rule (`encrypted_regex` and its relatives) " +
			"covers is in plaintext, or a value of a Secret is, whatever the rule says. It was added by hand, or the " +
			"rule is too narrow. sops does not complain until somebody decrypts.",
		Fix:  "Take the value out, and add it again with `sops edit FILE`. Rotate it if it was pushed.",
		Bad:  finding.Example{"secret.yaml": exampleSecret(exampleEnc+"\n  token: hunter2", exampleBlock())},
		Good: finding.Example{"secret.yaml": exampleSecret(exampleEnc+"\n  token: "+exampleOther, exampleBlock())},
	}
}

func metadataRule() finding.Rule {
	return finding.Rule{
		Name: ruleMetadata, Severity: finding.Error,
		Title: "The metadata of an encrypted file, or of a Secret made from it, is not as it should be",
		Doc: "`mac`, `lastmodified` or `version` is missing, a recipient is malformed or does not wrap a data key, or " +
			"a value does not have the form that sops writes. The file was edited by hand or merged badly: it will not " +
			"decrypt, or decrypt without its integrity being checked. In the render: an annotation or a label that makes a " +
			"controller copy or use a Secret with encrypted values (reflector, replicator, config-syncer), or its `type`, " +
			"is set outside the file that holds the values, by a patch for instance; an annotation that is not known to be " +
			"harmless is a warning there (annotations without a prefix are the user's own). What is meant can be allowed: " +
			"`secrets: {metadata: {allow: [\"reflector.v1.k8s.emberstack.com/*\"]}}`. Against a base: such a key, the kind, " +
			"the type or the namespace was changed in the file itself while its values stayed, which breaks no `mac` under " +
			"`mac_only_encrypted`.",
		Fix:  "Take the file from the last good commit, or encrypt it again. Set metadata of a Secret in its own file.",
		Bad:  finding.Example{"secret.yaml": exampleSecret(exampleEnc, exampleBlockWithout("mac"))},
		Good: finding.Example{"secret.yaml": exampleSecret(exampleEnc, exampleBlock())},
	}
}

func leakRule() finding.Rule {
	kustomization := "resources:\n- secret.yaml\n- config.yaml\n"
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n  url: none\n"
	return finding.Rule{
		Name: ruleLeak, Severity: finding.Error,
		Title: "A secret would land outside a Secret",
		Doc: "Behind the seal every secret is a token, and each token must end up whole in `data` or `stringData` of a " +
			"v1 Secret. Here a replacement, a patch, a generator or a changed kind carries one somewhere else: into a " +
			"ConfigMap, an annotation, an argument, where far more people and programs can read it. Parts of a token " +
			"are found from 12 characters on, also in base64, hexadecimal or another case. A ciphertext or a sops " +
			"block that is left in the render is reported too.",
		Fix: "Take the copy away, and read the value from the Secret where it is needed.",
		Bad: finding.Example{
			"secret.yaml": exampleSecret(exampleEnc, exampleBlock()), "config.yaml": config,
			"kustomization.yaml": kustomization + "replacements:\n" +
				"- source: {kind: Secret, name: db, fieldPath: stringData.password}\n" +
				"  targets:\n  - select: {kind: ConfigMap, name: config}\n    fieldPaths: [data.url]\n",
		},
		Good: finding.Example{
			"secret.yaml": exampleSecret(exampleEnc, exampleBlock()), "config.yaml": config,
			"kustomization.yaml": kustomization,
		},
	}
}
