package main

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/gate"
)

// cacheFlags say where verdicts are kept.
type cacheFlags struct {
	off bool
	dir string
}

func (f *cacheFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.off, "no-cache", false, "neither use nor keep verdicts of earlier runs")
	flags.StringVar(&f.dir, "cache-dir", "", "keep verdicts in `DIR`, which must be as trusted as this program (default: sallyport in the user's cache directory; none in CI)")
}

// apply names the cache. In CI there is none unless it is asked for: whoever can
// write it decides what the gate says, and there strangers' code may run.
func (f *cacheFlags) apply(s *streams, o *gate.Options) error {
	switch {
	case f.off && f.dir != "":
		return errors.New("--no-cache and --cache-dir exclude each other")
	case f.off:
		return nil
	case f.dir != "":
		o.Cache = f.dir
	case s.env("CI") == "":
		o.Cache = userCache(s.env)
	}
	if o.Cache != "" {
		o.Build = buildID()
	}
	return nil
}

// userCache is the directory of the XDG Base Directory Specification, or that of
// macOS; "" where there is none.
func userCache(env func(string) string) string {
	if dir := env("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "sallyport")
	}
	switch home := env("HOME"); {
	case !filepath.IsAbs(home):
		return ""
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Caches", "sallyport")
	default:
		return filepath.Join(home, ".cache", "sallyport")
	}
}

// buildID tells this program from every other that could give other verdicts: by
// the hash of its bytes that the Go toolchain wrote into it; by what it is a build
// of, where that is a released module with all that it is made of; and else by
// another hash of its bytes, which for 200 MB takes as long as a check. It is empty
// if none is known.
//
// A clean commit is not enough: files that Git ignores, replaced modules and
// overlays are compiled in too.
func buildID() string {
	name, err := os.Executable()
	if err != nil {
		return ""
	}
	if id := toolchainID(name); id != "" {
		return id
	}
	if info, ok := debug.ReadBuildInfo(); ok && released(info) {
		return info.String()
	}
	return sumOf(name)
}

// released reports whether checksums say what a program was built from.
func released(info *debug.BuildInfo) bool {
	for _, m := range info.Deps {
		if m.Sum == "" && (m.Replace == nil || m.Replace.Sum == "") {
			return false
		}
	}
	for _, s := range info.Settings {
		if s.Key == "-trimpath" && s.Value == "true" {
			return false // flags of the linker, which can set variables, are left out then
		}
	}
	return info.Main.Sum != ""
}

// sumOf is a hash of the bytes of a file.
func sumOf(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// toolchainID is the build ID of a program in ELF: "action/action/content/content",
// of which the last is a hash of the program (cmd/go/internal/work/buildid.go). It
// is empty for other formats, and where the linker was told to leave it out.
func toolchainID(name string) string {
	f, err := elf.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	section := f.Section(".note.go.buildid")
	if section == nil {
		return ""
	}
	note, err := section.Data()
	const head = 16 // the sizes of name and text, the type, and the name "Go"
	if err != nil || len(note) < head || bytes.Count(note, []byte("/")) < 3 {
		return ""
	}
	return string(note[head:])
}
