package secrets

import (
	"path"
	"sync"

	"github.com/sallyport/sallyport/repo"
)

// CreationFor returns what [Expectations] need of the creation rules of a tree:
// the rule of the nearest `.sops.yaml` at or above a file. It is nil where the
// tree has none. A file whose nearest rules cannot be read, and a file without
// any above it, is one that nothing is known about.
func CreationFor(tree repo.Tree) func(file string) (*CreationRule, bool) {
	known := map[string]bool{}
	for _, e := range tree.Files() {
		if path.Base(e.Path) == CreationRulesName {
			known[e.Path] = true
		}
	}
	if len(known) == 0 {
		return nil
	}
	var read sync.Map // path to func() *CreationRules
	return func(file string) (*CreationRule, bool) {
		at := nearest(known, file)
		if at == "" {
			return nil, true
		}
		once, _ := read.LoadOrStore(at, sync.OnceValue(func() *CreationRules {
			data, err := tree.ReadFile(at)
			if err != nil {
				return nil
			}
			rules, _ := ParseCreationRules(at, data)
			return rules
		}))
		rules := once.(func() *CreationRules)()
		if rules == nil {
			return nil, true
		}
		return rules.For(file)
	}
}

// nearest returns the creation rules nearest above a file, "" where there are
// none.
func nearest(known map[string]bool, file string) string {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if at := path.Join(dir, CreationRulesName); known[at] {
			return at
		}
		if dir == "." {
			return ""
		}
	}
}

func (s Selection) isZero() bool { return s.text() == [6]string{} }

// same reports whether two selections are written alike.
func (s Selection) same(t Selection) bool { return s.text() == t.text() }

func (s Selection) text() [6]string {
	return [6]string{
		s.UnencryptedSuffix, s.EncryptedSuffix, s.UnencryptedRegex, s.EncryptedRegex,
		s.UnencryptedCommentRegex, s.EncryptedCommentRegex,
	}
}
