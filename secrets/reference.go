package secrets

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
)

// IsReference reports whether a value stands for a secret without being one:
//
//   - empty, or white space;
//   - ${VAR} and $(VAR), for Flux, envsubst and Kubernetes; not with a literal
//     default such as ${VAR:=hunter2};
//   - {{ … }} of Helm, Go templates, Jinja and External Secrets; not around
//     nothing but a literal, such as {{ "hunter2" | b64enc }};
//   - op://vault/item/field, vault:path#key, ref+vault://… (vals, helmfile),
//     secretref+…, <path:…#key> and avp placeholders, awssm:…, gcpsm:… and
//     @Microsoft.KeyVault(…);
//   - several of these with punctuation between them, and a URL whose user and
//     password are such.
//
// Everything else in a Secret is a secret: names, paths and numbers too, since
// only the author knows. Outside Secrets other checks are narrower.
func IsReference(value string) bool {
	value = strings.TrimSpace(value)
	if value == "" || locator.MatchString(value) {
		return true
	}
	if !strings.ContainsAny(value, "$<{") {
		return false
	}
	rest := withoutPlaceholders(value)
	return rest == "" || rest != value && punctuation.MatchString(rest) || isReferenceURL(value)
}

var (
	placeholders = regexp.MustCompile(`\$\{[A-Za-z_][\w.]*(?::[-=](?:""|'')?)?\}|\$\([A-Za-z_][\w.]*\)|\{\{[^{}]*\}\}|<path:[^<>\s]+>`)
	punctuation  = regexp.MustCompile(`^[\s:/@.,;|+=_-]*$`)
	locator      = regexp.MustCompile(`^(?:` +
		`op://[^\s/]+/[^\s/]+/\S[^\n]*|` +
		`(?:>>)?vault:[\w./-]+/[\w./-]+#\S+|` +
		`(?:ref|secretref)\+[a-z]+://\S+|` +
		`(?:awssm|awsssm|gcpsm|azkv|awssecret|gcpsecret)://?\S+|` +
		`@Microsoft\.KeyVault\([^)]*\)|` +
		`<path:[^<>\s]+#[^<>\s]+>)$`)
)

// isReferenceURL reports whether value is a URL that carries its user and
// password as references and nothing that looks like another credential.
func isReferenceURL(value string) bool {
	scheme, rest, ok := strings.Cut(value, "://")
	if !ok || strings.ContainsAny(value, " \t\n") || strings.ContainsAny(scheme, "${}<") {
		return false
	}
	user, host, ok := strings.Cut(rest, "@")
	if !ok || withoutPlaceholders(user) == user {
		return false
	}
	_, password, _ := strings.Cut(user, ":")
	if withoutPlaceholders(password) != "" {
		return false
	}
	_, query, _ := strings.Cut(host, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return false
	}
	for key := range values {
		if credentialName.MatchString(key) {
			return false
		}
	}
	return true
}

// isReferenceIn is IsReference for a value of a Secret's field: in data the
// reference may be base64.
func isReferenceIn(field, value string) bool {
	if IsReference(value) {
		return true
	}
	if field != "data" {
		return false
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
	return err == nil && IsReference(string(decoded))
}
