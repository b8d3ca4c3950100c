package repo

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// raceFor is how long the tests below try to lose a race. Without the
// comparison after opening, most runs lose it within a tenth of that.
const raceFor = 500 * time.Millisecond

// A link that is swapped in between looking and opening must not be followed,
// not even to a place below the root.
func TestReadAgainstASwap(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.MkdirAll(at("dir"), 0o777))
	must(t, os.WriteFile(at("dir/f"), []byte("right"), 0o666))
	must(t, os.WriteFile(at("dir/other"), []byte("wrong"), 0o666))
	must(t, os.MkdirAll(at("other"), 0o777))
	must(t, os.WriteFile(at("other/f"), []byte("wrong"), 0o666))
	must(t, os.Symlink("other", at("link")))
	for name, swap := range map[string]func(){
		"file": func() {
			_ = os.Symlink("other", at("dir/new"))
			_ = os.Rename(at("dir/new"), at("dir/f"))
			_ = os.WriteFile(at("dir/new"), []byte("right"), 0o666)
			_ = os.Rename(at("dir/new"), at("dir/f"))
		},
		"directory": func() {
			_ = os.Rename(at("dir"), at("away"))
			_ = os.Rename(at("link"), at("dir"))
			_ = os.Rename(at("dir"), at("link"))
			_ = os.Rename(at("away"), at("dir"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			stop := repeat(swap)
			defer stop()
			readUnderRace(t, dir)
		})
	}
}

func readUnderRace(t *testing.T, dir string) {
	reads := 0
	for end := time.Now().Add(raceFor); time.Now().Before(end); {
		d, err := newDisk(dir)
		must(t, err)
		data, err := d.read("dir/f")
		d.closeDirs()
		d.root.Close()
		var refused *RefusedError
		switch {
		case err == nil && string(data) == "right":
			reads++
		case err == nil:
			t.Fatalf("followed the link after %d reads: %q", reads, data)
		case errors.As(err, &refused), errors.Is(err, os.ErrNotExist):
		default:
			t.Fatal(err)
		}
	}
	if reads == 0 {
		t.Error("never read the file")
	}
}

// repeat runs f again and again until the function that it returns is called.
func repeat(f func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			default:
				f()
			}
		}
	}()
	return func() { close(quit); <-done }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
