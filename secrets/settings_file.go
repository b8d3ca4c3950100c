package secrets

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// Programs keep credentials in files of their own formats, which nothing deploys
// and which are committed by mistake: .env, terraform.tfvars, .npmrc, .netrc. Their
// names say how to read them; a key that names a credential and a value that is
// one are the same as everywhere else.

// A settingsFormat is how a file of settings is read.
type settingsFormat int

const (
	noSettings settingsFormat = iota
	keyValue                  // KEY=value, key: value, key = "value": .env, ini, properties, TOML, tfvars
	npmrc                     // //registry/:_authToken=value
	netrc                     // machine host login user password value
)

// settingsFormatOf tells the format by the name of a file.
func settingsFormatOf(file string) settingsFormat {
	base := strings.ToLower(path.Base(file))
	switch base {
	case ".npmrc":
		return npmrc
	case ".netrc", "_netrc":
		return netrc
	case ".env", ".envrc", ".pypirc", ".my.cnf", ".s3cfg", ".boto":
		return keyValue
	}
	switch base = strings.TrimSuffix(base, sampleSuffix(base)); {
	case translation.MatchString(base):
		return noSettings
	case strings.HasPrefix(base, ".env."), strings.HasSuffix(base, ".tfvars.json"), strings.HasSuffix(file, ".aws/credentials"):
		return keyValue
	}
	if slices.Contains([]string{".env", ".tfvars", ".toml", ".ini", ".cfg", ".cnf", ".properties"}, path.Ext(base)) {
		return keyValue
	}
	return noSettings
}

// translation fits files of texts for people, which say "Password" in every
// language: messages.properties, labels_de.properties, app_pt_BR.properties.
var translation = regexp.MustCompile(`^(?:.*[._-])?(?:messages?|labels?|i18n|locales?|translations?|strings)\b.*\.(?:properties|ini|toml)$|_[a-z]{2}(?:_[a-z]{2})?\.properties$`)

// sampleSuffix is what marks a file as one to be copied and filled in, or empty.
func sampleSuffix(base string) string {
	for _, suffix := range []string{".example", ".sample", ".template", ".tmpl", ".tpl", ".dist", ".defaults"} {
		if strings.HasSuffix(base, suffix) {
			return suffix
		}
	}
	return ""
}

// isSampleFile reports whether the name of a file says that its values are to be
// replaced, also as app.example.env.
func isSampleFile(file string) bool {
	return sampleName.MatchString(path.Base(file))
}

var sampleName = regexp.MustCompile(`(?i)(?:^|[._-])(?:example|sample|template|tmpl|tpl|dist|defaults?)(?:[._-]|$)`)

var (
	npmrcLine     = regexp.MustCompile(`(?m)^[ \t]*(?:[^\s#;=]*:)?(_authToken|_password|_auth)[ \t]*=[ \t]*([^\s]+)[ \t]*\r?$`)
	netrcPassword = regexp.MustCompile(`(?m)(?:^|[ \t])(password)[ \t\r\n]+([^\s#]\S*)`)
)

// settingsFile finds the credentials of a file that is one of settings by its name.
func (s *sheet) settingsFile() {
	switch settingsFormatOf(s.path) {
	case keyValue:
		for _, m := range settingLine.FindAllSubmatchIndex(s.data, -1) {
			s.settingIn(extent{m[2], m[3]}, s.settingValue(extent{m[4], m[5]}))
		}
	case npmrc:
		for _, m := range npmrcLine.FindAllSubmatchIndex(s.data, -1) {
			s.settingIn(extent{m[2], m[3]}, extent{m[4], m[5]})
		}
	case netrc:
		for _, m := range netrcPassword.FindAllSubmatchIndex(s.data, -1) {
			s.settingIn(extent{m[2], m[3]}, extent{m[4], m[5]})
		}
	}
}

// settingValue leaves away a comment behind a value without quotes.
func (s *sheet) settingValue(value extent) extent {
	text := s.of(value)
	if text[0] == '"' || text[0] == '\'' {
		return value
	}
	if i := strings.IndexAny(text, "#;"); i > 0 && isSpace(text[i-1]) {
		text = strings.TrimRight(text[:i], " \t")
	}
	return extent{value.from, value.from + len(text)}
}

// settingIn notes a setting that is a credential. A password that everybody knows
// is one here as in a manifest, but not in a file that is there to be filled in.
func (s *sheet) settingIn(key, value extent) {
	name, text := s.of(key), s.of(value)
	bare := strings.Trim(text, `"'`)
	switch {
	case isSampleFile(s.path) && isStandIn(bare), strings.ContainsAny(bare, " \t"):
		return
	case name == "_auth": // user and password in base64
		if !isUserPassword(bare) {
			return
		}
	case !namesCredential(name), expression.MatchString(text), !isLiteralSecret(name, text):
		return
	}
	f := exposureOf(whatSettingsFile, name)
	f.Help, f.Location = helpSettingsFile, s.span(value.from, value.to)
	s.exposed = append(s.exposed, exposed{value, f})
}

const (
	whatSettingsFile = "setting"
	helpSettingsFile = "take it out of the repository, or encrypt the file with sallyport seal; rotate it if it was pushed"
)

// mayHoldSetting is a fast look at a file of settings.
func mayHoldSetting(path string, text []byte) bool {
	switch settingsFormatOf(path) {
	case keyValue:
		return anyReading(text, holdsCredentialName)
	case npmrc, netrc:
		return len(text) > 0
	}
	return false
}
