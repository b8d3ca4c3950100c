package report

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

const (
	// maxAnnotations is how many errors, and how many warnings, of one step the
	// runner makes annotations of (actions/runner, ExecutionContext.cs).
	maxAnnotations = 10
	// maxAnnotation is how many characters of a message are sent; the runner
	// cuts messages at 4,096 (the same file).
	maxAnnotation = 4_000
	// maxTitle is the length of an annotation's title in the checks API.
	maxTitle = 255
)

// writeGitHub writes workflow commands for a runner of GitHub Actions: an
// annotation for each finding, errors first, as many as the runner shows. The
// others follow in a folded group of plain lines, and the last line says how
// many those are.
func writeGitHub(w *bufio.Writer, r *finding.Report, opts Options) error {
	var rest []finding.Finding
	shown := map[string]int{}
	for _, f := range ranked(open(r)) {
		level := levelOf(f.Severity)
		if shown[level] == maxAnnotations {
			rest = append(rest, f)
			continue
		}
		shown[level]++
		w.WriteString(annotation(level, f, opts))
	}
	if len(rest) == 0 {
		fmt.Fprintf(w, "sallyport: %s\n", verdict(r))
		return nil
	}
	fmt.Fprintf(w, "::group::%s without an annotation\n", number(len(rest), "finding"))
	for _, f := range rest {
		w.WriteString(logLine(f))
	}
	w.WriteString("::endgroup::\n")
	errors := 0
	for _, f := range rest {
		if f.Severity == finding.Error {
			errors++
		}
	}
	fmt.Fprintf(w, "::notice title=sallyport::%s\n", commandData(fmt.Sprintf(
		"%s. GitHub shows %d annotations of a kind for each step; not shown here but in the log: %s.",
		verdict(r), maxAnnotations, counts(errors, len(rest)-errors))))
	return nil
}

// annotation returns one command with its line break.
func annotation(level string, f finding.Finding, opts Options) string {
	var properties []string
	add := func(name string, value any) {
		properties = append(properties, name+"="+commandProperty(harmless(fmt.Sprint(value))))
	}
	for _, p := range annotationPlace(f, opts) {
		add(p.name, p.value)
	}
	add("title", clip("sallyport "+f.Rule, maxTitle))
	lines := []string{harmless(f.Message)}
	for _, s := range []string{subject(f), f.Unplaced, f.Help} {
		if s != "" {
			lines = append(lines, harmless(s))
		}
	}
	message := clip(strings.Join(lines, "\n"), maxAnnotation)
	return "::" + level + " " + strings.Join(properties, ",") + "::" + commandData(message) + "\n"
}

type property struct {
	name  string
	value any
}

// annotationPlace returns the properties that say where. The runner refuses
// columns where the lines differ; its columns and lines are inclusive. A finding
// without a place is shown at its target's kustomization, else at no file.
func annotationPlace(f finding.Finding, opts Options) []property {
	at := anchor(f, opts)
	if f.Location.File == "" && (opts.Source == nil || opts.Source(at.File) == nil) {
		return nil // a directory cannot be annotated
	}
	out := []property{{"file", at.File}}
	if at.Start.Line < 1 {
		return out
	}
	out = append(out, property{"line", at.Start.Line})
	last := at.End.Line
	if at.End.Column <= 1 {
		last-- // the span ends before that line begins
	}
	if last > at.Start.Line {
		return append(out, property{"endLine", last})
	}
	out = append(out, property{"endLine", at.Start.Line})
	if at.Start.Column > 0 {
		end := at.Start.Column
		if at.End.Line == at.Start.Line {
			end = max(end, at.End.Column-1)
		}
		out = append(out, property{"col", at.Start.Column}, property{"endColumn", end})
	}
	return out
}

// logLine is a finding that gets no annotation. It begins with its severity, as
// a line that begins with "::" would be a command.
func logLine(f finding.Finding) string {
	return fmt.Sprintf("%s: %s: %s [%s]\n", levelOf(f.Severity), harmless(place(f)), harmless(f.Message), harmless(f.Rule))
}

// harmless makes repository text safe for any line of a runner's log. Sanitize
// keeps it on its line, so that it cannot begin a command; and since the runner
// still obeys its first syntax, ##[command], anywhere in a line that is not a
// command (ActionCommand.TryParse), those three characters are parted.
func harmless(s string) string {
	return strings.ReplaceAll(Sanitize(s), "##[", "## [")
}

// commandData and commandProperty escape as the runner unescapes
// (ActionCommand.cs); nothing else has a meaning to it.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func commandProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
