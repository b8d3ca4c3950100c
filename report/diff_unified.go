package report

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
)

// writeDiffUnified writes a unified diff of the sealed YAML, one file for each
// object, as pagers and review tools take it. Lines in front of a file's header
// are comments to them.
func writeDiffUnified(w *bufio.Writer, r *diff.Result, opts DiffOptions) error {
	p := &diffPrinter{w: w, style: style{opts.Color}}
	for _, c := range r.Changes {
		if c.Unified != "" {
			p.file(r, c)
		}
	}
	for _, t := range r.Targets {
		if text := targetText(t); text != "" {
			p.line("# target " + Sanitize(t.Path) + ": " + Sanitize(text))
		}
	}
	return nil
}

func (p *diffPrinter) file(r *diff.Result, c diff.Change) {
	first := c.Instances[0]
	old, now := "a/"+fileName(first.Target, oldObject(first)), "b/"+fileName(first.Target, first.Object)
	if r.Between() {
		old, now = fileName(r.From.Target, oldObject(first)), fileName(r.To.Target, first.Object)
	}
	p.line(Sanitize("diff " + old + " " + now))
	if n := len(c.Instances) - 1; n > 0 {
		p.line("# and in " + p.names(targetsOf(c)[min(1, len(targetsOf(c))-1):]))
	}
	for _, remark := range remarks(c) {
		p.line("# " + Sanitize(remark))
	}
	if c.Action == diff.Added {
		old = "/dev/null"
	}
	if c.Action == diff.Removed {
		now = "/dev/null"
	}
	p.line(p.style.paint(bold, "--- "+Sanitize(old)))
	p.line(p.style.paint(bold, "+++ "+Sanitize(now)))
	for line := range strings.Lines(c.Unified) {
		p.line(p.diffLine(strings.TrimSuffix(line, "\n")))
	}
}

func oldObject(in diff.Instance) finding.Object {
	o := in.Object
	if in.Was != "" {
		o.Name = in.Was
	}
	return o
}

// fileName names an object as a file. Spaces would end the name for some tools.
func fileName(target string, o finding.Object) string {
	name := fmt.Sprintf("%s/%s/%s.yaml", target, strings.ToLower(o.Kind), o.Name)
	if o.Namespace != "" {
		name = fmt.Sprintf("%s/%s/%s/%s.yaml", target, o.Namespace, strings.ToLower(o.Kind), o.Name)
	}
	return strings.ReplaceAll(name, " ", "_")
}
