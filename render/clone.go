package render

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// cloneFS reads what kustomize has cloned, which happens only where the network
// is allowed. kustomize clones with git into a directory of its own below the
// temporary one, reads it through its file system, and asks for its removal.
type cloneFS struct {
	temp string // the temporary directory, without symbolic links
}

func newCloneFS() (*cloneFS, error) {
	temp, err := filepath.EvalSymlinks(os.TempDir())
	return &cloneFS{temp: temp}, err
}

// clonePrefix begins the name of every clone of kustomize's.
const clonePrefix = "kustomize-"

// owns reports whether a path, links followed, lies in a clone.
func (c *cloneFS) owns(name string) bool {
	rest, ok := strings.CutPrefix(name, c.temp+string(filepath.Separator)+clonePrefix)
	return ok && rest != ""
}

var errNotCloned = errors.New("outside the repository and its clones")

func (c *cloneFS) cleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", "", err
	}
	if !c.owns(real) {
		return "", "", &fs.PathError{Op: "open", Path: name, Err: errNotCloned}
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", "", err
	}
	if info.IsDir() {
		return filesys.ConfirmedDir(real), "", nil
	}
	return filesys.ConfirmedDir(filepath.Dir(real)), filepath.Base(real), nil
}

func (c *cloneFS) readFile(name string) ([]byte, error) {
	dir, file, err := c.cleanedAbs(name)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(dir.Join(file))
}

func (c *cloneFS) removeAll(name string) error {
	if !c.owns(filepath.Clean(name)) {
		return errReadOnly
	}
	return os.RemoveAll(name)
}
