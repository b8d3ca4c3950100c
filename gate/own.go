package gate

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

// The directory of an own configuration is read whole, at once, so that every
// part of it is of one moment. A ConfigMap holds 1 MiB; several of them and a
// catalogue of policies fit, a home directory does not.
const (
	maxOwnFiles = 10_000
	maxOwnBytes = 64 << 20
	maxOwnDepth = 16 // of directories; a loop of symbolic links ends there
)

// ownTries is how often a directory is read that is exchanged meanwhile.
const ownTries = 3

// errExchanged says that the kubelet put a new version of a volume in place
// while it was read.
var errExchanged = errors.New("it was exchanged while it was read")

// own is the configuration of whoever runs the gate, with all that it refers to.
type own struct {
	config   *Config
	files    *repo.Snapshot // the directory of the configuration, as it was read
	creation repo.Tree      // the creation rules, where secrets.CreationFor looks
}

// loadOwn reads the configuration at file, on disk, and the directory around it.
// Symbolic links are followed as long as they stay in that directory: a mounted
// ConfigMap is made of them.
func loadOwn(snap *repo.Snapshot, file string) (*own, error) {
	if inside, ok := within(snap, file); ok {
		return nil, &UsageError{fmt.Errorf("configuration: %s is %s of the repository that it would judge: keep it elsewhere", file, inside)}
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("configuration: %w", err)}
	}
	files, err := readOwn(filepath.Dir(abs))
	if err != nil {
		return nil, &UsageError{fmt.Errorf("configuration: %s: %w", filepath.Dir(file), err)}
	}
	data, err := files.ReadFile(filepath.Base(abs))
	if err != nil {
		return nil, &UsageError{fmt.Errorf("configuration: %w", err)}
	}
	o := &own{files: files}
	if o.config, err = parseConfig(file, "", data); err != nil {
		return nil, err
	}
	o.config.disk = filepath.Dir(abs)
	return o, o.loadCreation()
}

// loadCreation finds the creation rules. Those that are asked for must be there
// and be valid: without them every recipient would pass.
func (o *own) loadCreation() error {
	pointer, name := source.Pointer("secrets", "recipients", "from"), o.config.Secrets.Recipients.From
	if name == "" {
		name = secrets.CreationRulesName
		if _, there := o.files.Lookup(name); !there {
			var err error
			o.creation, err = repo.FromObjects("", nil, nil)
			return err
		}
	}
	data, err := o.files.ReadFile(path.Clean(name))
	if err == nil {
		_, err = secrets.ParseCreationRules(name, data)
	}
	if err != nil {
		return o.config.wrong(pointer, err)
	}
	entry := repo.Object{Entry: repo.Entry{Path: secrets.CreationRulesName, Size: int64(len(data))}, ID: name}
	o.creation, err = repo.FromObjects("", []repo.Object{entry}, func(string) ([]byte, error) { return data, nil })
	return err
}

// readOwn reads a directory. The kubelet renews a volume by one rename of the
// link ..data: what was read across that is read again.
func readOwn(dir string) (*repo.Snapshot, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	err = errExchanged
	for try := 0; try < ownTries && errors.Is(err, errExchanged); try++ {
		before, _ := root.Readlink("..data")
		r := ownReader{root: root, data: map[string][]byte{}}
		if err = r.list(".", 0); err != nil {
			continue
		}
		if after, _ := root.Readlink("..data"); after != before {
			err = errExchanged
			continue
		}
		return repo.FromObjects("", r.files, func(id string) ([]byte, error) { return r.data[id], nil })
	}
	return nil, err
}

// ownReader gathers the files below a root.
type ownReader struct {
	root  *os.Root
	files []repo.Object
	data  map[string][]byte
	bytes int64
}

// list adds what is in a directory. Names that begin with two dots are the
// kubelet's own: everything in them is there a second time under its real name.
func (r *ownReader) list(dir string, depth int) error {
	if depth > maxOwnDepth {
		return fmt.Errorf("%s: more than %d directories deep", dir, maxOwnDepth)
	}
	f, err := r.root.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "..") || e.Name() == ".git" {
			continue
		}
		if err := r.add(path.Join(dir, e.Name()), depth); err != nil {
			return err
		}
	}
	return nil
}

// add takes in a file or a directory. A link that leads out of the root is
// listed as one, and refused if anybody asks for it.
func (r *ownReader) add(name string, depth int) error {
	info, err := r.root.Stat(name)
	switch {
	case err != nil:
		r.files = append(r.files, repo.Object{Entry: repo.Entry{Path: name, Mode: repo.Symlink}, ID: name})
		return nil
	case info.IsDir():
		return r.list(name, depth+1)
	case !info.Mode().IsRegular():
		return nil
	}
	r.bytes += info.Size()
	if len(r.files) >= maxOwnFiles || r.bytes > maxOwnBytes {
		return fmt.Errorf("it holds more than %d files or %d MiB: keep the configuration in a directory of its own", maxOwnFiles, maxOwnBytes>>20)
	}
	return r.read(name)
}

func (r *ownReader) read(name string) error {
	f, err := r.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return errExchanged
	}
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, repo.MaxFileSize+1))
	if err != nil {
		return err
	}
	r.data[name] = data
	r.files = append(r.files, repo.Object{Entry: repo.Entry{Path: name, Size: int64(len(data))}, ID: name})
	return nil
}

// settle decides whose configuration judges, once the snapshot is known.
func (g *gate) settle() error {
	if g.opts.Own == "" {
		config, err := loadConfig(g.trusted, g.opts.ConfigFile)
		if err != nil {
			return err
		}
		g.config = config
		return g.config.reachable(g.snap)
	}
	if g.opts.ConfigFile != "" || g.opts.PolicyFrom != "" {
		return &UsageError{errors.New("a configuration of one's own and one of the repository exclude each other")}
	}
	o, err := loadOwn(g.snap, g.opts.Own)
	if err != nil {
		return err
	}
	g.own, g.config, g.trusted = o, o.config, o.files
	return nil
}

// reachable refuses schema locations in a repository that is not on disk: the
// directory of the process would be taken for it.
func (c *Config) reachable(snap *repo.Snapshot) error {
	if snap.Root() != "" {
		return nil
	}
	for i, at := range c.Schemas {
		if onDisk(at) && !filepath.IsAbs(at) {
			return c.wrong(source.Pointer("schemas", fmt.Sprint(i)), errors.New("a directory of a repository that was fetched cannot be read: "+
				"keep the schemas beside a configuration of your own"))
		}
	}
	return nil
}

// onDisk reports whether a schema location is a directory.
func onDisk(location string) bool {
	return location != "default" && !strings.Contains(location, "://")
}

// ReadOwn reads a configuration that lies outside any repository, for whoever
// has to know where the repository is before there is one to judge.
func ReadOwn(file string) (*Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("configuration: %w", err)}
	}
	return parseConfig(file, "", data)
}
