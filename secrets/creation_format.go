package secrets

import "strings"

// CreationFormat is the format in which a file is to be encrypted: what sops
// takes from its name, but dotenv for every file that a secretGenerator reads
// as variables, since nothing else keeps the keys that kustomize needs. Named
// says that sops finds the format by itself; else it must be told
// (--input-type dotenv).
func (s *Sealed) CreationFormat(path string) (format Format, named bool) {
	format = Binary
	for suffix, known := range map[string]Format{".yaml": YAML, ".yml": YAML, ".json": JSON, ".env": Dotenv, ".ini": INI} {
		if strings.HasSuffix(path, suffix) {
			format = known
		}
	}
	if len(s.uses[path].env) > 0 {
		return Dotenv, format == Dotenv
	}
	return format, true
}

// HasBlock reports whether a file has a sops block, whatever state it is in.
func (s *Sealed) HasBlock(path string) (bool, error) {
	_, sh, err := s.read(path)
	return sh != nil && sh.format != "", err
}

// IsKustomization reports whether kustomize looks for files of this name.
func IsKustomization(path string) bool { return isKustomization(path) }
