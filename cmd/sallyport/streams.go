package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// streams is everything that a command knows of the world around it.
type streams struct {
	out, err       io.Writer
	outTTY, errTTY bool // whether they are terminals
	env            func(string) string
}

// system returns the streams of this process.
func system() *streams {
	return &streams{
		out:    os.Stdout,
		err:    os.Stderr,
		outTTY: term.IsTerminal(int(os.Stdout.Fd())),
		errTTY: term.IsTerminal(int(os.Stderr.Fd())),
		env:    os.Getenv,
	}
}

// color decides whether standard output gets colours. mode is auto, always or
// never; auto means a terminal that can draw them, and a user who did not set
// NO_COLOR (https://no-color.org).
func (s *streams) color(mode string) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return s.outTTY && s.env("NO_COLOR") == "" && s.env("TERM") != "dumb"
}

// redraws reports whether standard error can show a line that changes. CI
// systems may give a terminal, but keep every state of the line.
func (s *streams) redraws() bool {
	return s.errTTY && s.env("CI") == "" && s.env("TERM") != "dumb"
}
