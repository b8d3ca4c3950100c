package secrets

import "regexp"

// patterns are the tokens that are looked for. A row is here when its provider
// gave the token a form of its own; each was taken from the provider's pages or
// from tokens that it publishes as examples. Public identifiers (AWS access key
// ids, Twilio key SIDs) count only beside their secret.
var patterns = []pattern{
	// CRC-32 at the end: ghp_ personal, gho_ OAuth, ghu_ and ghs_ app, ghr_ refresh.
	{what: "a GitHub token", prefix: "ghp_", rest: regexp.MustCompile(`^[A-Za-z0-9]{36}`), check: hasChecksum},
	{what: "a GitHub token", prefix: "gho_", rest: regexp.MustCompile(`^[A-Za-z0-9]{36}`), check: hasChecksum},
	{what: "a GitHub token", prefix: "ghu_", rest: regexp.MustCompile(`^[A-Za-z0-9]{36}`), check: hasChecksum},
	{what: "a GitHub token", prefix: "ghs_", rest: regexp.MustCompile(`^[A-Za-z0-9]{36}`), check: hasChecksum},
	{what: "a GitHub token", prefix: "ghr_", rest: regexp.MustCompile(`^[A-Za-z0-9]{36}`), check: hasChecksum},
	{what: "a GitHub token", prefix: "github_pat_", rest: regexp.MustCompile(`^[A-Za-z0-9]{22}_[A-Za-z0-9]{59}`)},
	{what: "an npm token", prefix: "npm_", rest: regexp.MustCompile(`^[A-Za-z0-9]{36}`), check: hasChecksum},

	{what: "a GitLab personal access token", prefix: "glpat-", rest: regexp.MustCompile(`^(?:[\w-]{27,300}\.[0-9a-z]{9}|[\w-]{20})`)},
	{what: "a GitLab deploy token", prefix: "gldt-", rest: regexp.MustCompile(`^[\w-]{20}`)},
	{what: "a GitLab runner token", prefix: "glrt-", rest: regexp.MustCompile(`^(?:t\d_[\w-]{27,300}\.[0-9a-z]{9}|[\w-]{20})`)},
	{what: "a GitLab agent token", prefix: "glagent-", rest: regexp.MustCompile(`^[\w-]{50}`)},
	{what: "a GitLab trigger token", prefix: "glptt-", rest: regexp.MustCompile(`^[0-9a-f]{40}`)},

	{what: "an AWS secret access key", prefix: "AKIA", rest: regexp.MustCompile(`^[A-Z2-7]{16}`), pair: awsSecret},
	{what: "an AWS secret access key", prefix: "ASIA", rest: regexp.MustCompile(`^[A-Z2-7]{16}`), pair: awsSecret},
	{what: "a Google API key", prefix: "AIza", rest: regexp.MustCompile(`^[\w-]{35}`)},
	{what: "a Google OAuth client secret", prefix: "GOCSPX-", rest: regexp.MustCompile(`^[\w-]{28}`)},
	{what: "an Azure storage account key", prefix: "AccountKey=", rest: regexp.MustCompile(`^[A-Za-z0-9+/]{86}==`), check: isNotPublished},
	{what: "an Azure shared access key", prefix: "SharedAccessKey=", rest: regexp.MustCompile(`^[A-Za-z0-9+/]{43}=`)},
	{what: "a DigitalOcean token", prefix: "dop_v1_", rest: regexp.MustCompile(`^[0-9a-f]{64}`)},
	{what: "a DigitalOcean token", prefix: "doo_v1_", rest: regexp.MustCompile(`^[0-9a-f]{64}`)},
	{what: "a DigitalOcean token", prefix: "dor_v1_", rest: regexp.MustCompile(`^[0-9a-f]{64}`)},

	{what: "a Slack bot token", prefix: "xoxb-", rest: regexp.MustCompile(`^\d{10,14}-\d{10,14}-[A-Za-z0-9]{24}`)},
	{what: "a Slack user token", prefix: "xoxp-", rest: regexp.MustCompile(`^(?:\d{10,14}-){3}[0-9a-f]{32}`)},
	{what: "a Slack app token", prefix: "xapp-", rest: regexp.MustCompile(`^\d-[A-Z0-9]{9,14}-\d{10,14}-[0-9a-f]{64}`)},
	{what: "a Slack webhook", prefix: "hooks.slack.com/services/", rest: regexp.MustCompile(`^T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{24}`)},
	{what: "a Discord webhook", prefix: "discord.com/api/webhooks/", rest: regexp.MustCompile(`^\d{17,20}/[\w-]{60,80}`)},
	{what: "a Telegram bot token", prefix: ":AA", rest: regexp.MustCompile(`^[\w-]{33}`), numbered: true},
	{what: "a SendGrid key", prefix: "SG.", rest: regexp.MustCompile(`^[\w-]{22}\.[\w-]{43}`)},
	{what: "a Twilio key", prefix: "SK", rest: regexp.MustCompile(`^[0-9a-f]{32}`), pair: twilioSecret},

	{what: "a live Stripe key", prefix: "sk_live_", rest: regexp.MustCompile(`^[A-Za-z0-9]{24,247}`)},
	{what: "a live Stripe key", prefix: "rk_live_", rest: regexp.MustCompile(`^[A-Za-z0-9]{24,247}`)},
	{what: "a PyPI token", prefix: "pypi-AgEIcHlwaS5vcmc", rest: regexp.MustCompile(`^[\w-]{50,1000}`)},
	{what: "a Docker Hub token", prefix: "dckr_pat_", rest: regexp.MustCompile(`^[\w-]{27}`)},
	{what: "a Hugging Face token", prefix: "hf_", rest: regexp.MustCompile(`^[A-Za-z]{34}`)},
	{what: "an OpenAI key", prefix: "sk-", rest: regexp.MustCompile(`^(?:(?:proj|svcacct|admin)-[\w-]{20,74}|[A-Za-z0-9]{20})T3BlbkFJ[\w-]{20,74}`)},
	{what: "an Anthropic key", prefix: "sk-ant-", rest: regexp.MustCompile(`^(?:api03|admin01)-[\w-]{93}AA`)},
	{what: "a Grafana token", prefix: "glsa_", rest: regexp.MustCompile(`^[A-Za-z0-9]{32}_[0-9a-f]{8}`)},
	{what: "a Tailscale key", prefix: "tskey-", rest: regexp.MustCompile(`^(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{8,}-[A-Za-z0-9]{16,}`)},
	{what: "a Doppler token", prefix: "dp.", rest: regexp.MustCompile(`^(?:pt|sa|scim|audit|ct|st(?:\.[a-z0-9_-]{2,35})?)\.[A-Za-z0-9]{40,44}`)},

	{what: "a Vault token", prefix: "hvs.", rest: regexp.MustCompile(`^(?:[\w-]{90,160}|[A-Za-z0-9]{24})`)},
	{what: "a Vault token", prefix: "hvb.", rest: regexp.MustCompile(`^[\w-]{138,300}`)},
	{what: "a 1Password service account token", prefix: "ops_eyJ", rest: regexp.MustCompile(`^[\w+/-]{250,}={0,2}`)},
	{what: "a signed JSON Web Token", prefix: "eyJ", rest: regexp.MustCompile(`^[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}`), check: isSignedJWT, named: true},
}

// awsSecret is 40 characters of base64 under a key that says secret.
var awsSecret = regexp.MustCompile(`(?i:secret)[\w -]{0,40}["']?[ \t]*[:=][ \t]*["']?([A-Za-z0-9+/]{40})(?:[^A-Za-z0-9+/=]|$)`)

// twilioSecret is 32 letters and digits under a key that says secret or token.
var twilioSecret = regexp.MustCompile(`(?i:secret|token)[\w -]{0,40}["']?[ \t]*[:=][ \t]*["']?([A-Za-z0-9]{32})(?:\W|$)`)
