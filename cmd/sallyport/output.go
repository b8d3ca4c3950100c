package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/report"
)

// output is one report that was asked for: a format, and the file it goes to.
// File is empty for standard output.
type output struct{ format, file string }

// parseOutputs reads the values of -o. Standard output gets one report: the one
// that is asked for without a file, else text on a terminal and line elsewhere.
func parseOutputs(values []string, terminal bool) ([]output, error) {
	var out []output
	onStdout := 0
	for _, v := range values {
		format, file, named := strings.Cut(v, "=")
		switch {
		case !slices.Contains(report.Formats(), format):
			return nil, fmt.Errorf("-o %q: unknown format (known: %s)", v, strings.Join(report.Formats(), ", "))
		case named && file == "":
			return nil, fmt.Errorf("-o %q names no file", v)
		case file == "" || file == "-":
			file = ""
			onStdout++
		case slices.ContainsFunc(out, func(o output) bool { return o.file == file }):
			return nil, fmt.Errorf("two -o go to %s", file)
		}
		out = append(out, output{format, file})
	}
	if onStdout > 1 {
		return nil, errors.New("only one -o can go to standard output; give the others a file: -o json=report.json")
	}
	if onStdout == 0 {
		out = append(out, output{format: defaultFormat(terminal)})
	}
	return out, nil
}

// wants reports whether a format was asked for.
func wants(outputs []output, format string) bool {
	return slices.ContainsFunc(outputs, func(o output) bool { return o.format == format })
}

func defaultFormat(terminal bool) string {
	if terminal {
		return "text"
	}
	return "line"
}

// writeFile writes a report's file, so that a reader sees the whole of it or
// the one before. What is no regular file (a pipe, /dev/stdout) is written in
// place: to rename over it would destroy it.
func writeFile(name string, write func(io.Writer) error) error {
	info, err := os.Lstat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return writeThrough(name, os.O_WRONLY, write)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	dir, base := filepath.Split(name)
	temp := filepath.Join(dir, fmt.Sprintf(".%s.%d", base, os.Getpid()))
	if err := writeThrough(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, write); err != nil {
		os.Remove(temp)
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		os.Remove(temp)
		return err
	}
	return nil
}

func writeThrough(name string, flag int, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, flag, 0o666) // the umask decides
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	return errors.Join(write(w), w.Flush(), f.Close())
}
