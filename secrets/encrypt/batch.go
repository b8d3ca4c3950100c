package encrypt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
)

// batch is what the files of one call share.
type batch struct {
	snap *repo.Snapshot
	tree *secrets.Sealed
	opts Options
}

// file seals one file.
func (b *batch) file(ctx context.Context, path string) (*File, error) {
	data, err := b.snap.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refusal("is ignored by Git or not there; what is ignored cannot be committed by mistake")
	case err != nil:
		return nil, err
	case len(data) == 0:
		return nil, refusal("is empty")
	case secrets.IsKustomization(path):
		return nil, &Error{
			Message: "is a kustomization, which cannot be encrypted",
			Hint:    "put the values of its secretGenerator into a file, name that under envs or files, and seal the file",
		}
	}
	if err := b.unsealed(ctx, path); err != nil {
		return nil, err
	}
	rule, indent, err := b.rule(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, Recipients: rule.Recipients, Rule: rule.Span, before: slices.Clone(data)}
	format, known := b.tree.CreationFormat(path)
	f.Format, f.Unnamed = format, !known
	return f, b.seal(f, rule, indent)
}

// unsealed refuses a file that has a sops block, and says what in it is in the
// open.
func (b *batch) unsealed(ctx context.Context, path string) error {
	has, err := b.tree.HasBlock(path)
	if err != nil || !has {
		return err
	}
	found, err := b.tree.CheckFiles(ctx, path)
	if err != nil {
		return err
	}
	for _, f := range found {
		if f.Rule == "secret-incomplete" {
			return &Error{
				Span:    f.Location,
				Message: "is sealed already, but not all of it: " + f.Message,
				Hint:    "take these values out, add them again with sops edit " + path + ", and rotate them if they were pushed",
			}
		}
	}
	return &Error{
		Message: "is sealed already",
		Hint:    "sops edit " + path + " changes a value, sops updatekeys " + path + " the recipients",
	}
}

// seal fills in the file's text and counts.
func (b *batch) seal(f *File, rule *secrets.CreationRule, indent secrets.Indent) (err error) {
	if f.Selection, err = selection(f, rule); err != nil {
		return err
	}
	e, err := newEnvelope(rule, f.Selection)
	if err != nil {
		return err
	}
	defer e.forget()
	if f.Format == secrets.Binary {
		f.Values = 1
		f.after, err = e.binary(f.before, indent.Binary)
		return err
	}
	s := &sealing{layout: layoutOf(f, indent), envelope: e, allComments: b.opts.AllComments}
	f.after, err = s.seal(f.before)
	f.Values, f.Comments, f.Open, f.Warnings = s.values, s.comments, s.open, s.warnings
	if err == nil && s.values == 0 {
		return nothing(f)
	}
	return err
}

// nothing says why no value was selected.
func nothing(f *File) error {
	switch {
	case f.Selection.EncryptedRegex == kubernetesRegex && f.isManifest:
		return refusal("holds nothing to seal: no Secret with data or stringData, or all of it is empty")
	case f.Rule.File == "":
		return refusal("holds no value to seal")
	}
	return &Error{
		Message: fmt.Sprintf("holds no value that the rule at %s selects", f.Rule),
		Hint:    "a rule with encrypted_regex is for manifests; give other files a rule of their own in front of it",
	}
}

func layoutOf(f *File, indent secrets.Indent) layout {
	switch f.Format {
	case secrets.JSON:
		return newJSON(f.Path, f.before, indent.JSON)
	case secrets.Dotenv:
		return dotenvLayout{f.Path}
	case secrets.INI:
		return iniLayout{f.Path}
	}
	return newYAML(f.Path, f.before, indent.YAML)
}

// check runs the gate's own checks over the sealed files, as they would be in
// the repository.
func (b *batch) check(ctx context.Context, files []*File) (refused []error, err error) {
	over := overlay{b.snap, map[string][]byte{}}
	for _, f := range files {
		over.files[f.Path] = f.after
	}
	tree, err := secrets.Seal(ctx, over)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		found, err := tree.CheckFiles(ctx, f.Path)
		if err != nil {
			return nil, err
		}
		for _, problem := range found {
			if problem.Rule == "secret-incomplete" || problem.Rule == "secret-metadata" {
				// The lines are those of the file as it is: the blocks come later.
				refused = append(refused, &Error{
					Span:    finding.Span{File: f.Path},
					Message: "sealed by its rule, it would still be reported: " + problem.Message,
					Hint:    "the rule must select all of data and stringData: encrypted_regex: " + kubernetesRegex,
				})
				break
			}
			f.Warnings = append(f.Warnings, Warning{finding.Span{File: f.Path}, "is still in the open: " + problem.Message})
		}
	}
	return refused, nil
}

// overlay is a tree in which some files have other contents.
type overlay struct {
	repo.Tree
	files map[string][]byte
}

func (o overlay) ReadFile(path string) ([]byte, error) {
	if data, ok := o.files[path]; ok {
		return data, nil
	}
	return o.Tree.ReadFile(path)
}
