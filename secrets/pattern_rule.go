package secrets

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

func patternRule() finding.Rule {
	config := func(token string) finding.Example {
		return finding.Example{"config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bot\ndata:\n  github: " + token + "\n"}
	}
	return finding.Rule{
		Name: rulePattern, Severity: finding.Warning,
		Title: "A text has the form of a provider's token",
		Doc: "Anywhere in any file, as it is or in base64: tokens that providers made to be recognised, such as those of " +
			"GitHub and npm (with their checksum), GitLab, AWS, Google, Azure, DigitalOcean, Slack, Discord, Telegram, " +
			"SendGrid, Twilio, Stripe, PyPI, Docker Hub, Hugging Face, OpenAI, Anthropic, Grafana, Tailscale, Doppler, " +
			"Vault and 1Password, and signed JSON Web Tokens under a key that is named like a credential. Only prefix, " +
			"alphabet, length and checksum count, never how random a text looks. Examples that say so (`EXAMPLE`, " +
			"`xxxx`), and lines that another rule reports, are left out. It is a second net; make it an error in the " +
			"configuration if you wish.",
		Fix:  "Revoke the token at its provider, then take it out of the repository.",
		Bad:  config(exampleToken()),
		Good: config("ghp_" + strings.Repeat("x", 36)),
	}
}

// exampleToken has the form and the checksum of a GitHub token. It was never
// issued: its random part is a hash.
func exampleToken() string {
	sum := sha256.Sum256([]byte("sallyport explain " + rulePattern))
	random := strings.NewReplacer("+", "0", "/", "1").Replace(base64.StdEncoding.EncodeToString(sum[:]))[:30]
	return "ghp_" + random + checksum(random)
}
