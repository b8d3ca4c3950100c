package secrets

import (
	"regexp"
	"strings"
)

// What is shown beside a finding may hold credentials that no rule reports: the
// password next to a registry's auth, an argument of a command. They are hidden by
// their names alone, and too much is hidden rather than too little: from the
// lines that are shown, and in part from renders.

const secretWord = `(?:passw(?:or)?d|passphrase|pwd|token|secret|credentials?|auth|(?:api|access|secret|private|encryption|signing)[-_]?key)`

var besides = []*regexp.Regexp{
	// "password": "…" in JSON, also where a string holds the JSON
	regexp.MustCompile(`(?i)\\?["'][\w.-]*` + secretWord + `\\?["']\s*:\s*\\?["']((?:[^"'\\\n]|\\[^"'\n])+)`),
	// password: … in YAML, in block and in flow style
	regexp.MustCompile(`(?im)(?:^|[\s{,])[\w.-]*` + secretWord + `[ \t]*:[ \t]+["']?([^\s"'{}\[\]|>&*!,][^\n"',}\]]*)`),
	// --password=…, --password …, and "--password", "…" on one line or the next
	regexp.MustCompile(`(?i)--?[\w.-]*` + secretWord + `(?:=["']?|[ \t]+["']?|["']?\s*,\s*["']?|["']?[ \t]*\r?\n[ \t]*-[ \t]+["']?)([^\s"',\]}-][^\s"',\]}]*)`),
	// PGPASSWORD=… in a command
	regexp.MustCompile(`(?i)(?:^|[^\w$-])\w*` + secretWord + `=["']?([^\s"',;]+)`),
}

// secretFlag is an argument that takes the next one for a credential.
var secretFlag = regexp.MustCompile(`(?i)^--?[\w.-]*` + secretWord + `$`)

// beside returns the stretches of a file to hide.
func beside(data []byte) []extent { return stretches(data, besides) }

// besideIn returns the stretches of one string of an object to hide. Its YAML, if
// it is some, stays: what a render or a diff hides cannot be reviewed there.
func besideIn(data []byte) []extent {
	return stretches(data, []*regexp.Regexp{besides[0], besides[2], besides[3]})
}

func stretches(data []byte, patterns []*regexp.Regexp) []extent {
	var out []extent
	for _, pattern := range patterns {
		for _, at := range pattern.FindAllSubmatchIndex(data, -1) {
			if text := strings.TrimSpace(string(data[at[2]:at[3]])); !isShown(text) {
				out = append(out, extent{at[2], at[2] + len(strings.TrimRight(string(data[at[2]:at[3]]), " \t\r"))})
			}
		}
	}
	return out
}

// isShown reports whether a text may stand where a credential does.
func isShown(text string) bool {
	return IsReference(text) || isEnc(text) || strings.HasPrefix(text, "ENC[") || strings.HasPrefix(text, "$") ||
		strings.HasPrefix(text, "/") || text == "true" || text == "false" || text == "null" || text == "~"
}
