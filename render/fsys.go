package render

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/sallyport/sallyport/finding"
)

// mount is where kustomize believes the repository to be. It is not "/", so
// that a path that climbs out of the repository stays outside.
const mount = "/repository"

// errReadOnly answers everything that kustomize does not do in a local build.
var errReadOnly = errors.New("the repository is read-only")

// treeFS is the file system that kustomize sees: read-only, the repository and
// nothing else, no symbolic links, and no YAML that has not passed the safety
// check. In a local build kustomize calls only CleanedAbs and ReadFile.
type treeFS struct {
	tree  *recorder
	plan  *plan
	check func(file string, data []byte) *fault // the fatal problem of a file, nil if safe
	clone *cloneFS                              // nil where the network is not allowed
	fault *fault                                // the first refusal
}

// relative turns a path of kustomize's into one of the tree.
func (f *treeFS) relative(name string) (string, error) {
	clean := path.Clean(filepath.ToSlash(name))
	if clean == mount {
		return ".", nil
	}
	rest, ok := strings.CutPrefix(clean, mount+"/")
	if !ok {
		return "", fmt.Errorf("%w: outside the repository", fs.ErrPermission)
	}
	return rest, nil
}

func (f *treeFS) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	if f.cloned(name) {
		return f.clone.cleanedAbs(name)
	}
	rel, err := f.relative(name)
	if err != nil {
		return "", "", err
	}
	switch f.tree.at(rel) {
	case aFile:
		return absolute(path.Dir(rel)), path.Base(rel), nil
	case aDirectory:
		return absolute(rel), "", nil
	case aLink:
		return "", "", f.refuse(linkFault(f.tree.tree, rel))
	}
	return "", "", &fs.PathError{Op: "open", Path: rel, Err: fs.ErrNotExist}
}

func absolute(rel string) filesys.ConfirmedDir {
	return filesys.ConfirmedDir(path.Join(mount, rel))
}

// cloned reports whether a path lies in what kustomize has cloned.
func (f *treeFS) cloned(name string) bool {
	return f.clone != nil && f.clone.owns(filepath.Clean(name))
}

func (f *treeFS) ReadFile(name string) ([]byte, error) {
	if f.cloned(name) {
		return f.readClone(name)
	}
	rel, err := f.relative(name)
	if err != nil {
		return nil, err
	}
	if added := f.plan.added; added != nil && rel == added.Path {
		return added.data, nil
	}
	switch f.tree.at(rel) {
	case nothing:
		return nil, &fs.PathError{Op: "open", Path: rel, Err: fs.ErrNotExist}
	case aDirectory:
		return nil, &fs.PathError{Op: "read", Path: rel, Err: errors.New("is a directory")}
	case aLink:
		return nil, f.refuse(linkFault(f.tree.tree, rel))
	}
	if !f.plan.knows(rel) && slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(rel)) {
		return nil, &fs.PathError{Op: "open", Path: rel, Err: fs.ErrPermission}
	}
	data, err := f.tree.ReadFile(rel)
	if err != nil {
		return nil, f.refuse(unreadable(rel, err))
	}
	if !f.plan.data[rel] || f.plan.manifests[rel] {
		if fault := f.check(rel, data); fault != nil {
			return nil, f.refuse(fault)
		}
	}
	return data, nil
}

// readClone reads a cloned file, which must be as safe as one of the repository.
func (f *treeFS) readClone(name string) ([]byte, error) {
	data, err := f.clone.readFile(name)
	if err != nil {
		return nil, err
	}
	if fatal, _ := judge(filepath.Base(name), data); fatal != nil {
		return nil, f.refuse(&fault{Rule: fatal.Rule, Message: "a remote file is unsafe: " + fatal.Message, Span: finding.Span{File: f.plan.root.Path}})
	}
	return data, nil
}

func (f *treeFS) refuse(fault *fault) error {
	if f.fault == nil {
		f.fault = fault
	}
	return fault
}

func (f *treeFS) IsDir(name string) bool {
	rel, err := f.relative(name)
	return err == nil && f.tree.at(rel) == aDirectory
}

func (f *treeFS) Exists(name string) bool {
	rel, err := f.relative(name)
	if err != nil {
		return false
	}
	kind := f.tree.at(rel)
	return kind == aFile || kind == aDirectory
}

// RemoveAll removes a clone when kustomize is done with it.
func (f *treeFS) RemoveAll(name string) error {
	if f.clone == nil {
		return errReadOnly
	}
	return f.clone.removeAll(name)
}

func (f *treeFS) Create(string) (filesys.File, error)  { return nil, errReadOnly }
func (f *treeFS) Mkdir(string) error                   { return errReadOnly }
func (f *treeFS) MkdirAll(string) error                { return errReadOnly }
func (f *treeFS) Open(string) (filesys.File, error)    { return nil, errReadOnly }
func (f *treeFS) ReadDir(string) ([]string, error)     { return nil, errReadOnly }
func (f *treeFS) Glob(string) ([]string, error)        { return nil, errReadOnly }
func (f *treeFS) WriteFile(string, []byte) error       { return errReadOnly }
func (f *treeFS) Walk(string, filepath.WalkFunc) error { return errReadOnly }
