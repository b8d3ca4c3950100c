package secrets

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// CreationRulesName is the file in which sops looks for creation rules. Another
// spelling, .sops.yml included, is not read.
const CreationRulesName = ".sops.yaml"

// CreationRules is a `.sops.yaml`: for which recipients a file is encrypted, and
// which of its values are. Path is relative to the repository root.
type CreationRules struct {
	Path   string
	Rules  []CreationRule
	Indent Indent

	recreation []CreationRule // for what sops publish encrypts anew
}

// Indent is how sops lays out what it writes (the field stores), in blanks. 0
// stands for sops' own choice: 4 in YAML, and a tab in JSON, which is -1 too.
type Indent struct{ YAML, JSON, Binary int }

// CreationRule is one entry of creation_rules.
//
// Recipients are in the order of the file, each once in a group.
// Threshold is how many groups are needed to open a file, 0 where the rule does
// not say, which sops takes for all of them.
type CreationRule struct {
	Span             finding.Span // the first line of the rule
	PathRegex        string       // empty: the rule is for every file
	Recipients       []Recipient
	Groups           int // of recipients; 1 unless the rule has key_groups
	Threshold        int
	Selection        Selection // zero where the rule has none
	MACOnlyEncrypted bool

	pattern *regexp.Regexp
}

// For returns the rule for a file, whose path is relative to the repository
// root: the first one whose path_regex is found anywhere in the path from the
// directory of the rules on. A rule without path_regex is for every file.
func (r *CreationRules) For(file string) (*CreationRule, bool) {
	if dir := path.Dir(r.Path); dir != "." {
		file = strings.TrimPrefix(file, dir+"/")
	}
	for i := range r.Rules {
		if rule := &r.Rules[i]; rule.pattern == nil || rule.pattern.MatchString(file) {
			return rule, true
		}
	}
	return nil, false
}

// FindCreationRules reads the nearest [CreationRulesName] at or above the
// directory of a file, within the tree. It is nil where there is none.
//
// sops itself starts at its working directory, not at the file, and does not
// stop at the repository: run in the directory of the file it finds the same.
func FindCreationRules(tree repo.Tree, file string) (*CreationRules, error) {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		at := path.Join(dir, CreationRulesName)
		data, err := tree.ReadFile(at)
		switch {
		case err == nil:
			return ParseCreationRules(at, data)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("creation rules: %w", err)
		case dir == ".":
			return nil, nil
		}
	}
}
