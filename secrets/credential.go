package secrets

import (
	"regexp"
	"slices"
	"strings"
)

// credentialName fits the names of settings that hold a credential.
var credentialName = regexp.MustCompile(`(?i:(?:password|passwd|passphrase|token|secret|credentials?|(?:api|access|secret|private|encryption|signing)[-_]?key|[-_.](?:pwd|pass))$|^(?:pwd|pass)$)|[a-z0-9]P(?:wd|ass)$`)

var (
	// passwordName fits names under which any literal is a password.
	passwordName = regexp.MustCompile(`(?i:passw(?:ord|d)|passphrase|pwd|pass)$`)
	// literalName fits names under which the name of an object is unlikely.
	literalName = regexp.MustCompile(`(?i)(?:client|app|jwt|shared|webhook|cookie|session|hmac|consumer|token|auth)[-_.]?secret$|(?:api|access|private|encryption|signing)[-_]?key$|token$|secret[-_]?key$`)
)

// namesCredential reports whether a name is that of a credential itself, and not
// of where one is found or of a digest of it.
func namesCredential(name string) bool {
	if !maybeCredential(name) || !credentialName.MatchString(name) {
		return false
	}
	lower := strings.ToLower(name)
	return !strings.HasPrefix(lower, "existing") && !strings.Contains(lower, "checksum") &&
		!strings.Contains(lower, "truststore") && // it guards public certificates
		!strings.Contains(lower, "publickey")
}

var (
	objectName  = regexp.MustCompile(`^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$`)
	wordsOnly   = regexp.MustCompile(`^[a-z]+[0-9]{0,2}(?:[-.][a-z]*[0-9]{0,3})+$`)
	namePath    = regexp.MustCompile(`^[a-z0-9.-]+/[a-z0-9./-]+$`)
	setting     = regexp.MustCompile(`(?i)^(?:read|write|\d+(?:\.\d+)?(?:ns|us|ms|s|m|h|d|w)|true|false|yes|no|on|off|enabled?|disabled?|required?|optional|always|never|auto|none|null|nil|(?:not[-_ ]?|un)set|todo|example|sample|dummy|fake|redacted|omitted|your[-_ ].*|x{3,}|\.+|\*+|-+|•+)$`)
	variable    = regexp.MustCompile(`^(?:\$?\{\{[\s\S]*\}\}|\$[A-Za-z_][\w.:-]*|\$\{[^{}:]*\}|%\([^()]*\)s|env[:.][A-Za-z_]\w*|sha\d+:[0-9a-f]+|arn:aws[\w-]*:\S+|projects/[^/\s]+/secrets/\S+|secret(?:s|ref)?://\S+|[{\[][\s\S]*)$`)
	lettersOnly = regexp.MustCompile(`^[a-z]+$`)
)

// isLiteralSecret reports whether the text under a name that [namesCredential]
// is a credential, and none of: a reference, a placeholder, a switch, a duration,
// a path, an address, a checksum, or the name of an object or of a key in one. A
// password that everybody knows, such as changeme, is a password.
func isLiteralSecret(name, text string) bool {
	text = strings.Trim(strings.TrimSpace(text), `"'`)
	switch {
	case text == "", isEnc(text), IsReference(text), setting.MatchString(text), variable.MatchString(text), sampleCapital.MatchString(text):
		return false
	case strings.ContainsAny(text, "<>{}$%") && !strings.Contains(text, "${") && !strings.ContainsAny(text, " \t") && isTemplate(text):
		return false
	case strings.HasPrefix(text, "/"), strings.HasPrefix(text, "./"), strings.HasPrefix(text, "../"), strings.HasPrefix(text, "file:"):
		return false
	case strings.Contains(text, "://"):
		return false // scanURLs judges it
	case passwordName.MatchString(name):
		return !strings.Contains(text, "\n")
	}
	return !strings.ContainsAny(text, " \t\n") && !isNumber(text) && !namesObject(name, text)
}

func isNumber(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
}

// namesObject reports whether the text under a name that may be the name of a
// Secret, or of a key in one, is such.
func namesObject(name, text string) bool {
	switch {
	case credentialName.MatchString(text), sampleWord.MatchString(text):
		return true
	case wordsOnly.MatchString(text), namePath.MatchString(text):
		return !hasDigits(text) || !literalName.MatchString(name)
	case literalName.MatchString(name):
		return false
	}
	return objectName.MatchString(text) && (lettersOnly.MatchString(text) || len(text) < minRun && strings.Contains(text, "-"))
}

func hasDigits(text string) bool { return strings.ContainsAny(text, "0123456789") }

// A field is one scalar of an object or a file.
type field struct {
	kind   string   // of the object around it
	path   []string // in the object
	inside string   // what all of it is: whatHelm or whatSetting, or empty
	text   string
	named  func() string // the name beside it in its mapping
	before func() string // the item in front of it in its list
}

// credential judges a field. what says what it is: the beginning of a message.
func (f *field) credential() (what, name string, ok bool) {
	n := len(f.path)
	if n == 0 {
		return "", "", false
	}
	name = f.path[n-1]
	switch {
	case slices.Contains(f.path, "sops"):
		return "", "", false
	case name == "value" && n >= 3 && f.path[n-3] == "env":
		what, name = "environment variable", f.named()
	case n >= 2 && (f.path[n-2] == "args" || f.path[n-2] == "command"):
		return f.argument()
	case name == "value" && isHeader(f.named()):
		return whatHeader, f.named(), isHeaderSecret(f.named(), f.text)
	case isHeader(name):
		return whatHeader, name, isHeaderSecret(name, f.text)
	case f.templateValue():
		return f.templateLiteral()
	case f.inValues() && name == "value":
		what, name = whatHelm, f.named()
	case f.inValues():
		what = whatHelm
	case f.inside != "" && name == "value":
		what, name = f.inside, f.named()
	case f.inside != "":
		what = f.inside
	case f.kind == "ConfigMap" && n == 2 && f.path[0] == "data":
		what = "ConfigMap value"
	case maybeCredential(name) && f.inResource() && passwordName.MatchString(name):
		what = whatField
	}
	ok = what != "" && namesCredential(name) && isLiteralSecret(name, f.text)
	return what, name, ok
}

// whatField is a field of which nothing but its name is known.
const whatField = "field"

const (
	whatHelm    = "Helm value"
	whatHeader  = "header"
	whatSetting = "setting" // of a configuration file inside a ConfigMap
)

// inResource reports whether a field is part of what an object asks for, and not
// of a schema, nor of a reference: there, a password is the name of a key.
func (f *field) inResource() bool {
	n := len(f.path)
	return f.kind != "" && f.kind != "CustomResourceDefinition" && !isJudgedWhole(f.kind) && n > 1 && f.path[0] != "metadata" &&
		!strings.Contains(strings.ToLower(f.path[n-2]), "secret") && !strings.Contains(strings.ToLower(f.path[n-2]), "ref")
}

// isJudgedWhole reports whether every value of a kind is judged, whatever its name.
func isJudgedWhole(kind string) bool {
	return kind == "Secret" || kind == "SecretList" || kind == "SealedSecret"
}

// inValues reports whether a field is one of the values of a Helm chart: of a
// HelmRelease (Flux), a HelmChart (k3s), an Application (Argo CD) or a helmCharts
// entry (kustomize).
func (f *field) inValues() bool {
	switch {
	case f.inside == whatHelm:
		return true
	case len(f.path) < 3:
		return false
	case f.path[0] == "spec" && f.path[1] == "values" && (f.kind == "HelmRelease" || f.kind == ""):
		return true
	case f.path[0] == "spec" && f.path[1] == "set" && f.kind == "HelmChart":
		return true
	case f.path[0] == "helmCharts" && f.path[2] == "valuesInline":
		return true
	}
	i := slices.Index(f.path, "helm")
	return i >= 0 && i+2 < len(f.path) && (f.path[i+1] == "valuesObject" || f.path[i+1] == "parameters")
}

var valuesFile = regexp.MustCompile(`^(?:values(?:[-_.].*)?|.*[-_.]values)\.ya?ml$`)

// isValuesFile reports whether a file is named like the values of a chart.
func isValuesFile(name string) bool {
	return valuesFile.MatchString(name[strings.LastIndexByte(name, '/')+1:])
}
