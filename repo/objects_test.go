package repo_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

func object(path string, mode repo.Mode, size int64) repo.Object {
	return repo.Object{Entry: repo.Entry{Path: path, Mode: mode, Size: size}, ID: "id-of-" + path}
}

func TestFromObjects(t *testing.T) {
	gone := errors.New("the mirror is gone")
	s, err := repo.FromObjects("c0ffee", []repo.Object{
		object("b/web.yaml", repo.File, 3), object("a.yaml", repo.Executable, 1), object("link", repo.Symlink, 5),
		object("module", repo.Submodule, 7), object("huge", repo.File, repo.MaxFileSize+1), object("broken", repo.File, 1),
	}, func(id string) ([]byte, error) {
		if id == "id-of-broken" {
			return nil, gone
		}
		return []byte(id), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantPaths(t, s, "a.yaml b/web.yaml broken huge link module")
	wantFile(t, s, "b/web.yaml", "id-of-b/web.yaml")
	if s.Kind() != "commit" || s.Revision() != "c0ffee" || s.Root() != "" || !s.InGit() || !s.IsDir("b") {
		t.Errorf("kind %q, revision %q, root %q", s.Kind(), s.Revision(), s.Root())
	}
	if id, ok := s.ID("b/web.yaml"); !ok || id != "id-of-b/web.yaml" {
		t.Errorf("ID: %q, %v", id, ok)
	}
	for name, reason := range map[string]string{
		"link": "symbolic link", "link/x": "behind the symbolic link", "module": "submodule", "module/x": "in the submodule",
		"huge": "larger than", "../x": "outside the repository",
	} {
		var refused *repo.RefusedError
		if _, err := s.ReadFile(name); !errors.As(err, &refused) || !strings.Contains(refused.Reason, reason) {
			t.Errorf("%s: %v, want a refusal: %s", name, err, reason)
		}
	}
	if _, err := s.ReadFile("broken"); !errors.Is(err, gone) {
		t.Errorf("a failing reader: %v", err)
	}
	if _, err := s.ReadFile("nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestFromObjectsHasNoHistory(t *testing.T) {
	s, err := repo.FromObjects("c0ffee", []repo.Object{object("a", repo.File, 1)}, func(string) ([]byte, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Base(context.Background(), "main"); !errors.Is(err, repo.ErrRevision) || !strings.Contains(err.Error(), "no history") {
		t.Errorf("Base: %v", err)
	}
	if times, err := s.LastChanged(context.Background(), []string{"a"}); err != nil || len(times) != 0 {
		t.Errorf("LastChanged: %v, %v", times, err)
	}
}

func TestFromObjectsRefusesTrees(t *testing.T) {
	for name, files := range map[string][]repo.Object{
		"../x":            {object("../x", repo.File, 1)},
		"/x":              {object("/x", repo.File, 1)},
		"a/../x":          {object("a/../x", repo.File, 1)},
		"twice":           {object("a", repo.File, 1), object("a", repo.File, 1)},
		"is a file and a": {object("a", repo.File, 1), object("a/b", repo.File, 1)},
		"has no object":   {{Entry: repo.Entry{Path: "a"}}},
	} {
		if _, err := repo.FromObjects("c0ffee", files, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
