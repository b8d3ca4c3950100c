package repo

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A link that is swapped in between looking and opening must not be followed,
// not even to a place below the root.
func TestReadDiskAgainstASwap(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"dir/f": "right", "spare/f": "right", "other/f": "wrong"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("other", filepath.Join(dir, "link")); err != nil {
		t.Skipf("symbolic links cannot be made here: %v", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			// dir is a directory, then a link to other, then a directory again.
			_ = os.Rename(filepath.Join(dir, "dir"), filepath.Join(dir, "away"))
			_ = os.Rename(filepath.Join(dir, "link"), filepath.Join(dir, "dir"))
			_ = os.Rename(filepath.Join(dir, "dir"), filepath.Join(dir, "link"))
			_ = os.Rename(filepath.Join(dir, "away"), filepath.Join(dir, "dir"))
		}
	}()
	reads := 0
	for range 20000 {
		data, err := readDisk(root, "dir/f")
		var refused *RefusedError
		switch {
		case err == nil && string(data) == "right":
			reads++
		case err == nil:
			t.Fatalf("followed the link: %q", data)
		case errors.As(err, &refused), errors.Is(err, os.ErrNotExist):
		default:
			t.Fatal(err)
		}
	}
	close(stop)
	<-stopped
	if reads == 0 {
		t.Error("never read the file")
	}
}
