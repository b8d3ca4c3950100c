package fleet

import (
	"bytes"
	"embed"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed all:templates
var templates embed.FS

// writer writes files below dir until the first error, which it keeps.
type writer struct {
	dir       string
	templates map[string]*template.Template // by path below templates/
	made      map[string]bool               // directories
	err       error
}

func newWriter(dir string) (*writer, error) {
	w := &writer{dir: dir, templates: map[string]*template.Template{}, made: map[string]bool{}}
	err := fs.WalkDir(templates, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := templates.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "templates/")
		w.templates[name], err = template.New(name).Option("missingkey=error").Parse(string(text))
		return err
	})
	return w, err
}

// expand writes every template below from into the directory to.
func (w *writer) expand(to, from string, data any) {
	for name, t := range w.templates {
		rel, ok := strings.CutPrefix(name, from+"/")
		if !ok || w.err != nil {
			continue
		}
		var out bytes.Buffer
		if w.err = t.Execute(&out, data); w.err == nil {
			w.write(path.Join(to, rel), out.Bytes())
		}
	}
}

func (w *writer) write(name string, content []byte) {
	if w.err != nil {
		return
	}
	file := filepath.Join(w.dir, filepath.FromSlash(name))
	if dir := filepath.Dir(file); !w.made[dir] {
		if w.err = os.MkdirAll(dir, 0o755); w.err != nil {
			return
		}
		w.made[dir] = true
	}
	w.err = os.WriteFile(file, content, 0o644)
}
