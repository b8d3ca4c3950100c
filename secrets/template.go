package secrets

import (
	"regexp"
	"strings"
)

// A template action that holds nothing but a literal, such as {{ "hunter2" }} or
// {{ "hunter2" | b64enc }}, stands for no secret: it is one.

var (
	actionText = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`|'[^']*'")
	actionWord = regexp.MustCompile(`[^\s()|,;-]+`)
	actionNote = regexp.MustCompile(`/\*[\s\S]*?\*/`)
	actionSet  = regexp.MustCompile(`^\$\w*\s*:?=`)
)

// isLiteralAction reports whether an action gives a text that is written in it.
func isLiteralAction(action string) bool {
	if !strings.ContainsAny(action, "\"'`") {
		return false
	}
	inside := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(action, "{{"), "}}"), "-~ \t\r\n")
	inside = actionNote.ReplaceAllString(inside, " ")
	literal := false
	rest := actionText.ReplaceAllStringFunc(actionSet.ReplaceAllString(inside, ""), func(text string) string {
		literal = literal || strings.Trim(text, "\"'`%svdq{}-~ \t") != ""
		return " "
	})
	if !literal {
		return false
	}
	for _, word := range actionWord.FindAllString(rest, -1) {
		if !isPureFunction(word) && !isNumber(word) {
			return false
		}
	}
	return true
}

// isPureFunction reports whether a function of Sprig, Helm or Jinja makes its
// result of its arguments alone, so that a literal stays one.
func isPureFunction(name string) bool {
	switch name {
	case "b64enc", "b64dec", "b64encode", "b64decode", "b32enc", "b32dec", "base64encode", "base64decode", "hexdec",
		"quote", "squote", "print", "printf", "println", "toString", "string", "cat", "join", "list", "concat",
		"upper", "lower", "title", "untitle", "trim", "trimAll", "trimSuffix", "trimPrefix", "nospace", "substr", "trunc",
		"replace", "repeat", "reverse", "swapcase", "indent", "nindent", "toJson", "toYaml", "toRawJson", "html", "js", "urlquery",
		"default", "coalesce", "ternary", "true", "false", "required":
		return true
	}
	return false
}

// isTemplated reports whether a text takes anything from a template.
func isTemplated(text string) bool {
	if !strings.Contains(text, "{{") {
		return false
	}
	actions := templateAction.FindAllString(text, -1)
	for _, action := range actions {
		if !isLiteralAction(action) {
			return true
		}
	}
	return len(actions) == 0
}

// withoutPlaceholders takes the references out of a text, and leaves actions that
// hold nothing but a literal.
func withoutPlaceholders(text string) string {
	return placeholders.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "{{") && isLiteralAction(found) {
			return found
		}
		return ""
	})
}

// templateValue reports whether a field is a value that a controller puts into the
// Secret which it makes: of an ExternalSecret, a PushSecret, a VaultStaticSecret, a
// SopsSecret or another kind of that name.
func (f *field) templateValue() bool {
	n := len(f.path)
	if n < 3 || !strings.Contains(f.kind, "Secret") || isJudgedWhole(f.kind) {
		return false
	}
	if f.path[n-1] == "text" && n >= 4 && f.path[n-3] == "templates" { // of the Vault Secrets Operator
		return true
	}
	if f.path[n-2] != "data" && f.path[n-2] != "stringData" {
		return false
	}
	for _, key := range f.path[:n-2] {
		if strings.Contains(strings.ToLower(key), "template") {
			return true
		}
	}
	return false
}

// templateLiteral judges a value of such a template. Much of what an author puts
// there is configuration, so the name must say that it is a credential, unless
// the value goes a detour through a template action.
func (f *field) templateLiteral() (what, name string, ok bool) {
	name = f.path[len(f.path)-1]
	if name == "text" {
		name = f.path[len(f.path)-2]
	}
	text := withoutPlaceholders(f.text)
	switch {
	case isTemplated(text), isPublic("stringData", f.text), IsReference(f.text):
		return "", "", false
	case strings.Contains(text, "{{"):
		ok = true
	default:
		ok = namesCredential(name) && isLiteralSecret(name, f.text)
	}
	return f.kind + " template value", name, ok
}
