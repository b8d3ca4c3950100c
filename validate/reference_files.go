package validate

import (
	"iter"
	"maps"
	"slices"

	"github.com/sallyport/sallyport/repo"
)

// FileWords is what could be names in one file, as hashes, sorted.
type FileWords struct {
	File  string
	Words []uint64
}

// WordsOf lists the words of those files of a tree, by path, that may name what no
// target does: for [Conclude], where the tree is not at hand any more.
func WordsOf(tree repo.Tree, wanted func(file string) bool) []FileWords {
	var out []FileWords
	for file, words := range (&References{}).filesOf(wants{tree, wanted}) {
		out = append(out, FileWords{file, slices.Sorted(maps.Keys(words))})
	}
	return out
}

// wants is a tree with the wanted files only.
type wants struct {
	repo.Tree
	wanted func(file string) bool
}

func (w wants) Files() []repo.Entry {
	return slices.DeleteFunc(slices.Clone(w.Tree.Files()), func(e repo.Entry) bool { return !w.wanted(e.Path) })
}

// filesOf gives the words of each file of a tree that no target has read. What
// cannot be read is left out: the file's own check says so.
func (x *References) filesOf(tree repo.Tree) iter.Seq2[string, wordSet] {
	return func(yield func(string, wordSet) bool) {
		for _, entry := range tree.Files() {
			if x.read[entry.Path] || entry.Size > longestText || !speaksOfNames(entry.Path) {
				continue
			}
			data, err := tree.ReadFile(entry.Path)
			if err != nil {
				continue
			}
			words := wordSet{}
			x.addWords(words, string(data))
			if !yield(entry.Path, words) {
				return
			}
		}
	}
}

// Conclude is [Validator.Conclude] over what the checks of several processes left:
// the evidence of all targets, and the words of all files by path.
func Conclude(opts ReferenceOptions, targets []*Evidence, files []FileWords) (Result, error) {
	x, err := NewReferences(nil, opts)
	if err != nil {
		return Result{}, err
	}
	x.files = func(yield func(string, wordSet) bool) {
		for _, f := range files {
			words := wordSet{}
			for _, word := range f.Words {
				words[word] = struct{}{}
			}
			if !yield(f.File, words) {
				return
			}
		}
	}
	for _, e := range targets {
		x.Admit(e)
	}
	return Result{Findings: x.Findings(), NotChecked: x.NotChecked()}, nil
}
