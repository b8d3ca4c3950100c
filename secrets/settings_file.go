package secrets

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// Programs keep credentials in files of their own formats, which nothing deploys
// and which are committed by mistake: .env, terraform.tfvars, .npmrc, .netrc, .pgpass. Their
// names say how to read them; a key that names a credential and a value that is
// one are the same as everywhere else.

// A settingsFormat is how a file of settings is read.
type settingsFormat int

const (
	noSettings settingsFormat = iota
	keyValue                  // KEY=value, key: value, key = "value": .env, ini, properties, TOML, tfvars
	npmrc                     // //registry/:_authToken=value
	netrc                     // machine host login user password value
	pgpass                    // host:port:database:user:password
	program                   // Dockerfile, compose.yaml, appsettings.json: warnings
)

// settingsFormatOf tells the format by the name of a file.
func settingsFormatOf(file string) settingsFormat {
	base := strings.ToLower(path.Base(file))
	switch base {
	case ".npmrc":
		return npmrc
	case ".netrc", "_netrc":
		return netrc
	case ".pgpass", "pgpass.conf":
		return pgpass
	case ".env", ".envrc", ".pypirc", ".my.cnf", ".s3cfg", ".boto":
		return keyValue
	}
	switch base = strings.TrimSuffix(base, sampleSuffix(base)); {
	case translation.MatchString(base):
		return noSettings
	case strings.HasPrefix(base, ".env."), strings.HasSuffix(base, ".tfvars.json"), strings.HasSuffix(file, ".aws/credentials"):
		return keyValue
	}
	if programName.MatchString(strings.ToLower(file)) {
		return program
	}
	if slices.Contains([]string{".env", ".tfvars", ".toml", ".ini", ".cfg", ".cnf", ".conf", ".properties", ".tf", ".tfstate"}, path.Ext(base)) {
		return keyValue
	}
	return noSettings
}

// programName fits what builds and starts containers beside Kubernetes. Scripts
// and pipelines are left out: they are full of passwords made for one test.
var programName = regexp.MustCompile(`(?:^|/)(?:(?:docker|container)file(?:\.[^/]*)?|[^/]*\.dockerfile|(?:docker-)?compose(?:[.-][^/]*)?\.ya?ml|appsettings(?:\.[^/]*)?\.json)$`)

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
	npmrcLine  = regexp.MustCompile(`(?m)^[ \t]*(?:[^\s#;=]*:)?(_authToken|_password|_auth)[ \t]*=[ \t]*([^\s]+)[ \t]*\r?$`)
	pgpassLine = regexp.MustCompile(`(?m)^[^#:\n]+:[^:\n]*:[^:\n]*:[^:\n]*:([^\n]*[^\s])[ \t]*\r?$`)
	// tfDefault is a variable of Terraform and what it is unless it is set.
	tfDefault     = regexp.MustCompile(`(?m)^[ \t]*variable[ \t]+"([\w-]+)"[ \t]*\{[^{}]*?\bdefault[ \t]*=[ \t]*("[^"\n]*")`)
	netrcPassword = regexp.MustCompile(`(?m)(?:^|[ \t])(password)[ \t\r\n]+([^\s#]\S*)`)
)

// settingsFile finds the credentials of a file that is one of settings by its name.
func (s *sheet) settingsFile() {
	switch settingsFormatOf(s.path) {
	case keyValue:
		s.settingsIn(tfDefault, settingLine, settingPair)
	case npmrc:
		s.settingsIn(npmrcLine)
	case netrc:
		s.settingsIn(netrcPassword)
	case program:
		before := len(s.exposed)
		s.settings()
		for i := range s.exposed[before:] { // a password for a test is common here
			s.exposed[before+i].finding.Severity = finding.Warning
		}
	case pgpass:
		for _, m := range pgpassLine.FindAllSubmatchIndex(s.data, -1) {
			s.setting("password", extent{m[2], m[3]})
		}
	}
}

// settingsIn notes the credentials that patterns find: a name and a value each.
func (s *sheet) settingsIn(patterns ...*regexp.Regexp) {
	told := map[int]bool{}
	for _, pattern := range patterns {
		for _, m := range pattern.FindAllSubmatchIndex(s.data, -1) {
			if !told[m[4]] {
				told[m[4]] = true
				s.setting(s.of(extent{m[2], m[3]}), s.settingValue(extent{m[4], m[5]}))
			}
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

// setting notes a setting that is a credential. A password that everybody knows is
// one here as in a manifest, but not in a file that is there to be filled in. What
// has blanks is a text for people, unless it is quoted in a file of variables.
func (s *sheet) setting(name string, value extent) {
	text := s.of(value)
	bare := strings.TrimSpace(strings.Trim(text, `"'`))
	phrase := text != bare && upperName.MatchString(name) && passwordName.MatchString(name)
	switch {
	case isSampleFile(s.path) && isStandIn(bare), strings.ContainsAny(bare, " \t") && !phrase:
		return
	case name == "_auth": // user and password in base64
		if !isUserPassword(bare) {
			return
		}
	case !namesCredential(name), expression.MatchString(text), !isLiteralSecret(name, bare):
		return
	}
	f := exposureOf(whatSettingsFile, name)
	f.Help, f.Location = helpSettingsFile, s.span(value.from, value.to)
	s.exposed = append(s.exposed, exposed{value, f})
}

// upperName fits the names of variables of the environment.
var upperName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

const (
	whatSettingsFile = "setting"
	helpSettingsFile = "take it out of the repository, or encrypt the file with sallyport seal; rotate it if it was pushed"
)

// mayHoldSetting is a fast look at a file of settings.
func mayHoldSetting(path string, text []byte) bool {
	switch settingsFormatOf(path) {
	case keyValue, program:
		return anyReading(text, holdsCredentialName) || strings.HasSuffix(path, ".tf") && bytes.Contains(text, []byte("variable"))
	case npmrc, netrc, pgpass:
		return len(text) > 0
	}
	return false
}
