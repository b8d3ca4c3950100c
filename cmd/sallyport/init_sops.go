package main

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

// manifestFields is what sops has to encrypt in a Kubernetes manifest: the rest
// must stay readable for kustomize and the API server.
const manifestFields = "^(data|stringData)$"

// circle is files that are encrypted for the same recipients: those of a
// directory, or one.
type circle struct {
	dir, file  string // pattern of either; without any, every file
	recipients []string
	fields     string // encrypted_regex of the manifests
	others     bool   // there may be files that are no YAML
}

// rule is one entry of creation_rules; empty fields are left out.
type rule struct{ pattern, fields string }

// rules makes one rule for the manifests and, since a dotenv file or a
// certificate has no such fields, one for the other files.
func (c circle) rules() []rule {
	if c.file != "" {
		if c.others {
			return []rule{{c.file, ""}}
		}
		return []rule{{c.file, c.fields}}
	}
	manifests := `\.ya?ml$`
	if c.dir != "" {
		manifests = c.dir + ".*" + manifests
	}
	out := []rule{{manifests, c.fields}}
	if c.others {
		out = append(out, rule{c.dir, ""})
	}
	return out
}

// creationRules returns a .sops.yaml for the recipients that encrypted files
// name, and for those given, who are then for every other file. Else it says why
// there is none.
func creationRules(files []secrets.Encrypted, age []string) (text, missing string) {
	if len(files) == 0 && len(age) == 0 {
		return "", "no file is encrypted yet, so no recipient is known; --age names one"
	}
	groups := map[string][]secrets.Encrypted{} // by recipients
	for _, f := range files {
		ids, kind := ageRecipients(f)
		if kind != "" {
			return "", fmt.Sprintf("%s is encrypted for keys of the kind %s, whose rule has to be written by hand", f.Path, kind)
		}
		key := strings.Join(ids, ",")
		groups[key] = append(groups[key], f)
	}
	if len(age) > 0 {
		age = slices.Compact(slices.Sorted(slices.Values(age)))
		key := strings.Join(age, ",")
		rest := circle{recipients: age, fields: fieldsIn(groups[key]), others: true}
		if len(groups) == 1 {
			delete(groups, key) // rest covers it; among others it needs its own rule, which no other goes before
		}
		return writeRules(append(circles(groups), rest)), ""
	}
	if len(groups) == 1 {
		for key, in := range groups {
			return writeRules([]circle{{recipients: strings.Split(key, ","), fields: fieldsIn(in), others: true}}), ""
		}
	}
	return writeRules(circles(groups)), ""
}

// ageRecipients returns whom a file is encrypted for, sorted, or the kind of key
// that a rule of init cannot name.
func ageRecipients(f secrets.Encrypted) (ids []string, kind string) {
	for _, r := range f.Metadata.Recipients {
		switch r.Kind {
		case secrets.AgeX25519, secrets.AgeHybrid, secrets.AgeSSH:
			ids = append(ids, r.ID)
		default:
			return nil, cmp.Or(string(r.Kind), "unknown")
		}
		if r.Group > 0 {
			return nil, "key group"
		}
	}
	if len(ids) == 0 {
		return nil, "unknown"
	}
	slices.Sort(ids)
	return slices.Compact(ids), ""
}

// circles makes a rule for each directory, the deeper first, as sops takes the
// first that matches. Where the files of a directory have different recipients,
// each file gets its own.
func circles(groups map[string][]secrets.Encrypted) []circle {
	byPlace := map[string]map[string][]secrets.Encrypted{} // directory, recipients
	for key, files := range groups {
		for _, f := range files {
			dir := path.Dir(f.Path)
			if byPlace[dir] == nil {
				byPlace[dir] = map[string][]secrets.Encrypted{}
			}
			byPlace[dir][key] = append(byPlace[dir][key], f)
		}
	}
	var out []circle
	for _, dir := range slices.SortedFunc(maps.Keys(byPlace), deeperFirst) {
		whole := len(byPlace[dir]) == 1 && dir != "."
		for _, key := range slices.Sorted(maps.Keys(byPlace[dir])) {
			files, ids := byPlace[dir][key], strings.Split(key, ",")
			if whole {
				out = append(out, circle{dir: "^" + regexp.QuoteMeta(dir+"/"), recipients: ids, fields: fieldsIn(files), others: hasOthers(files)})
				continue
			}
			for _, f := range files {
				one := []secrets.Encrypted{f}
				out = append(out, circle{file: "^" + regexp.QuoteMeta(f.Path) + "$", recipients: ids, fields: fieldsIn(one), others: hasOthers(one)})
			}
		}
	}
	return out
}

func deeperFirst(a, b string) int {
	return cmp.Or(strings.Count(b, "/")-strings.Count(a, "/"), cmp.Compare(b, a))
}

// fieldsIn is the encrypted_regex that all manifests agree on.
func fieldsIn(files []secrets.Encrypted) string {
	out := ""
	for _, f := range files {
		regex := f.Metadata.Selection.EncryptedRegex
		if regex == "" || out != "" && regex != out {
			return manifestFields
		}
		out = regex
	}
	return cmp.Or(out, manifestFields)
}

func hasOthers(files []secrets.Encrypted) bool {
	return slices.ContainsFunc(files, func(f secrets.Encrypted) bool { return !source.IsYAML(f.Path) })
}

func writeRules(circles []circle) string {
	var b strings.Builder
	b.WriteString("# For whom sops and sallyport seal encrypt: public keys only. The first rule whose\n# path_regex matches counts.\ncreation_rules:\n")
	for _, c := range circles {
		for _, r := range c.rules() {
			lead := "  - "
			for _, field := range [][2]string{{"path_regex", r.pattern}, {"encrypted_regex", r.fields}} {
				if field[1] != "" {
					b.WriteString(lead + field[0] + ": " + quoteYAML(field[1]) + "\n")
					lead = "    "
				}
			}
			b.WriteString(lead + "age: " + ageList(c.recipients) + "\n")
		}
	}
	return b.String()
}

// ageList is the field age of a rule: keys separated by commas, one a line.
func ageList(recipients []string) string {
	return ">-\n      " + strings.Join(recipients, ",\n      ")
}
