package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
)

// A key names everything that a verdict depends on. Two runs with one key say the
// same, on any machine: no absolute path, no time and no order of work is in it.
type key [sha256.Size]byte

func (k key) String() string { return hex.EncodeToString(k[:]) }

// hasher makes a key of parts, each with its length, so that no two lists of
// parts look alike.
type hasher struct{ hash.Hash }

func newHasher() hasher { return hasher{sha256.New()} }

func (h hasher) add(parts ...string) {
	var length [24]byte
	for _, p := range parts {
		h.Write(append(strconv.AppendInt(length[:0], int64(len(p)), 10), ':'))
		_, _ = io.WriteString(h, p)
	}
}

// keyOf is the key of its bytes.
func keyOf(bytes string) (k key, ok bool) {
	return k, copy(k[:], bytes) == len(k) && len(bytes) == len(k)
}

func (h hasher) key() (k key) {
	h.Sum(k[:0])
	return k
}

// maxSchemaBytes bounds what is read of schema locations on disk to tell whether
// they are the same: the whole catalogue of datreeio has 120 MB, that of one
// cluster some megabytes. With more, verdicts are not kept.
const maxSchemaBytes = 64 << 20

// errNotKept says that a run's verdict must not be kept, because it depends on
// more than can be named.
var errNotKept = errors.New("it depends on what cannot be named")

// environment names what every verdict of the run depends on beside the files of
// the snapshot: the program, the options, the configuration without its waivers,
// policies, data, schemas on disk, and the creation rules that are trusted.
func (g *gate) environment() (key, error) {
	if g.opts.AllowNetwork {
		return key{}, fmt.Errorf("%w: the network", errNotKept)
	}
	h := newHasher()
	h.add("environment", g.opts.Build, g.opts.PolicyFrom, g.snap.Scope(), fmt.Sprint(g.snap.InGit(), g.opts.Strict, g.narrowed(), g.opts.AllowEmpty))
	for _, list := range [][]string{g.opts.Only, g.opts.Targets, g.opts.Versions, g.opts.Namespaces, g.opts.Schemas} {
		h.add(fmt.Sprint(len(list)))
		h.add(list...)
	}
	config := *g.config
	config.Waivers = nil
	text, err := json.Marshal(config)
	if err != nil {
		return key{}, fmt.Errorf("configuration: %w", err)
	}
	h.add(string(text), g.config.dir)
	policies, err := g.policyOptions()
	if err != nil {
		return key{}, err
	}
	for _, s := range slices.Concat(policies.Sources, policies.Data) {
		h.add(s.Path, s.Mount, string(s.Data))
	}
	g.addCreationRules(h)
	if err := addSchemas(h, slices.Concat(g.opts.Schemas, g.schemas())); err != nil {
		return key{}, err
	}
	return h.key(), nil
}

func (g *gate) addCreationRules(h hasher) {
	tree := g.creationTree()
	for _, e := range tree.Files() {
		if path.Base(e.Path) != secrets.CreationRulesName {
			continue
		}
		data, err := tree.ReadFile(e.Path)
		h.add("creation", e.Path, fmt.Sprint(err != nil), string(data))
	}
}

// addSchemas adds the files of schema locations on disk, by their names below
// the location.
func addSchemas(h hasher, locations []string) error {
	total := int64(0)
	for _, location := range locations {
		if location == "default" || strings.Contains(location, "://") {
			continue
		}
		root, _, _ := strings.Cut(location, "{{")
		err := filepath.WalkDir(filepath.Dir(root+"x"), func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			if total += info.Size(); total > maxSchemaBytes || !info.Mode().IsRegular() {
				return fmt.Errorf("%w: the schemas at %s", errNotKept, location)
			}
			data, err := os.ReadFile(name)
			rel, _ := filepath.Rel(root, name)
			h.add("schema", filepath.ToSlash(rel), string(data))
			return err
		})
		if err != nil {
			return fmt.Errorf("schemas: %w", err)
		}
	}
	return nil
}

// answerOf is what a tree says about a path, as far as a build can tell: the bytes
// of a file; a directory; a link; or nothing.
// It is false where that cannot be named.
func answerOf(snap *repo.Snapshot, name string) (string, bool) {
	if e, ok := snap.Lookup(name); ok {
		if e.Mode > repo.Executable {
			return fmt.Sprintf("link %d", e.Mode), true
		}
		id, ok := snap.ID(name)
		return "file " + id, ok
	}
	if snap.IsDir(name) {
		return "directory", true
	}
	for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if e, ok := snap.Lookup(dir); ok {
			return fmt.Sprintf("behind %s %d", dir, e.Mode), true
		}
	}
	return "nothing", true
}

// treeKey names all files of the snapshot.
func (g *gate) treeKey() (key, error) {
	h := newHasher()
	h.add("tree")
	for _, e := range g.snap.Files() {
		answer, ok := answerOf(g.snap, e.Path)
		if !ok {
			return key{}, fmt.Errorf("%w: %s cannot be read", errNotKept, e.Path)
		}
		h.add(e.Path, answer)
	}
	return h.key(), nil
}
