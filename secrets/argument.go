package secrets

import (
	"regexp"
	"strings"
)

// Commands and arguments of containers carry credentials in four forms:
// --password=x, --password x (in one text or in two items), PGPASSWORD=x in front
// of a command or behind -e, and mysql -px.

var (
	shellFlag   = regexp.MustCompile(`(?:^|[\s"'])(--?[A-Za-z][\w.-]*)(?:=|[ \t]+)("[^"]*"|'[^']*'|[^\s"';|&]+)`)
	shellAssign = regexp.MustCompile(`(?:^|[\s"';(=])([A-Za-z_]\w*)=("[^"]*"|'[^']*'|[^\s"';|&]+)`)
	shortFlag   = regexp.MustCompile(`\b(?:mysql|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump|mariadb-admin|sshpass)\b[^|;&\n]*?\s-p("[^"]+"|'[^']+'|[^\s"';|&]+)`)
	shortAlone  = regexp.MustCompile(`^-p(\S+)$`)
	shortUser   = regexp.MustCompile(`(?:^|/)(?:mysql|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump|mariadb-admin|sshpass)$`)
)

// An argumentHit is a credential in a text with arguments.
type argumentHit struct {
	name  string
	value extent
}

// argument judges an item of a container's command or arguments.
func (f *field) argument() (what, name string, ok bool) {
	const whatArgument = "argument"
	previous := ""
	if f.before != nil {
		previous = f.before()
	}
	if flagOf(previous) != "" && !strings.HasPrefix(f.text, "-") && isArgumentSecret(previous, f.text) {
		return whatArgument, previous, true
	}
	if m := shortAlone.FindStringSubmatch(f.text); m != nil && shortUser.MatchString(previous) && isArgumentSecret("password", m[1]) {
		return whatArgument, "-p", true
	}
	if hits := argumentsIn(f.text); len(hits) > 0 {
		return whatArgument, hits[0].name, true
	}
	return whatArgument, "", false
}

// flagOf is the name of a flag that takes a credential, or empty.
func flagOf(text string) string {
	if !strings.HasPrefix(text, "-") || strings.ContainsAny(text, "= \t\n") || !namesCredential(text) || !namesArgument(text) {
		return ""
	}
	return text
}

// namesArgument reports whether a flag that names a credential takes it, rather
// than the name of an object that holds it.
func namesArgument(name string) bool {
	return passwordName.MatchString(name) || literalName.MatchString(name)
}

func isArgumentSecret(name, text string) bool {
	text = strings.Trim(text, `"'`)
	return !expression.MatchString(text) && !isShown(text) && isLiteralSecret(name, text)
}

// mayHoldArgument is a fast look for the name of a credential in front of a value,
// and for mysql -px.
func mayHoldArgument(text string) bool {
	for i := 1; i < len(text); i++ {
		if (text[i] == '=' || text[i] == ' ' || text[i] == '\t') && maybeCredential(text[max(0, i-2*len("pwd")):i]) {
			return true
		}
	}
	return strings.Contains(text, "-p")
}

// argumentsIn finds the credentials in one text of arguments: an item, or a script
// for a shell.
func argumentsIn(text string) []argumentHit {
	if !mayHoldArgument(text) {
		return nil
	}
	var out []argumentHit
	for _, pattern := range []*regexp.Regexp{shellFlag, shellAssign} {
		for _, m := range pattern.FindAllStringSubmatchIndex(text, -1) {
			name, value := text[m[2]:m[3]], text[m[4]:m[5]]
			if namesCredential(name) && namesArgument(name) && !strings.HasPrefix(value, "-") && isArgumentSecret(name, value) {
				out = append(out, argumentHit{name, extent{m[4], m[5]}})
			}
		}
	}
	for _, m := range shortFlag.FindAllStringSubmatchIndex(text, -1) {
		if isArgumentSecret("password", text[m[2]:m[3]]) {
			out = append(out, argumentHit{"-p", extent{m[2], m[3]}})
		}
	}
	return out
}
