package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
)

// sideName says which state a side is.
func sideName(s diff.Side) string {
	if s.Target != "" {
		return s.Target
	}
	short := s.Revision[:min(len(s.Revision), shortRevision)]
	switch {
	case s.Name != "":
		return fmt.Sprintf("%s, the merge base with %s", short, s.Name)
	case s.Kind == "commit":
		return short
	case s.Kind == "index":
		return "the index"
	}
	return "the work tree"
}

// diffTitle says what is compared.
func diffTitle(r *diff.Result) string {
	if r.Between() {
		return fmt.Sprintf("%s beside %s", r.To.Target, r.From.Target)
	}
	return fmt.Sprintf("%s against %s", sideName(r.To), sideName(r.From))
}

// diffVerdict says in one line what differs.
func diffVerdict(r *diff.Result) string {
	s := r.Summary
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{s.Removed, "removed"}, {s.Changed, "changed"}, {s.Added, "added"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", number(p.n, "object"), p.what))
		}
	}
	objects := strings.Join(parts, ", ")
	var text string
	switch {
	case r.Between() && s.Unknown > 0:
		text = "cannot be compared"
	case r.Between() && objects == "":
		text = "no differences"
	case r.Between():
		text = lacks(s)
	case s.Differ == 0 && s.Unknown == 0:
		text = "no differences in " + number(s.Targets, "target")
	case s.Differ == 0:
		text = fmt.Sprintf("no differences in the %s that could be compared", number(s.Targets-s.Unknown, "target"))
	default:
		text = fmt.Sprintf("%d of %s %s", s.Differ, number(s.Targets, "target"), plural3(s.Differ))
		if objects != "" {
			text += ": " + objects
		}
	}
	if s.Loss > 0 {
		text += fmt.Sprintf("; %s whose deletion loses data", number(s.Loss, "object"))
	}
	if s.Moved > 0 {
		text += fmt.Sprintf("; %s moved", number(s.Moved, "target"))
	}
	if s.Unknown > 0 && !r.Between() {
		text += fmt.Sprintf("; %s could not be compared", number(s.Unknown, "target"))
	}
	return text
}

// lacks counts for two targets that are compared.
func lacks(s diff.Summary) string {
	return fmt.Sprintf("%s missing, %d more, %d different", number(s.Removed, "object"), s.Added, s.Changed)
}

func plural3(n int) string {
	if n == 1 {
		return "differs"
	}
	return "differ"
}

// noiseNote says what was left out.
func noiseNote(r *diff.Result) string {
	if r.Summary.Noise == 0 {
		return ""
	}
	return fmt.Sprintf("%s of labels and annotations left out as noise; --show-noise shows them", number(r.Summary.Noise, "change"))
}

// changeGroup is a heading and the changes under it.
type changeGroup struct {
	title   string
	noun    string
	sign    string
	changes []diff.Change
}

// groups sorts the changes into what a reader looks for.
func groups(r *diff.Result) []changeGroup {
	titles := [3]string{"removed: a prune deletes", "changed", "added"}
	if r.Between() {
		titles = [3]string{r.To.Target + " lacks", "different", r.To.Target + " has more"}
	}
	out := []changeGroup{
		{title: titles[0], noun: "removed object", sign: "-"},
		{title: titles[1], noun: "changed object", sign: "~"},
		{title: titles[2], noun: "added object", sign: "+"},
	}
	for _, c := range r.Changes {
		if onlyFollows(c) {
			continue
		}
		i := slices.Index([]diff.Action{diff.Removed, diff.Changed, diff.Added}, c.Action)
		out[i].changes = append(out[i].changes, c)
	}
	return slices.DeleteFunc(out, func(g changeGroup) bool { return len(g.changes) == 0 })
}

// onlyFollows reports whether nothing in an object changes but the names of
// generated objects that it refers to.
func onlyFollows(c diff.Change) bool {
	return c.Action == diff.Changed && len(c.Fields) == 0 && c.Instances[0].Was == ""
}

// followers lists the objects whose references follow new names, with the
// targets.
func followers(r *diff.Result) []diff.Change {
	var out []diff.Change
	for _, c := range r.Changes {
		if onlyFollows(c) {
			out = append(out, c)
		}
	}
	return out
}

// targetsOf lists the targets of a change, each once.
func targetsOf(c diff.Change) []string {
	var out []string
	for _, in := range c.Instances {
		if !slices.Contains(out, in.Target) {
			out = append(out, in.Target)
		}
	}
	return out
}

// remarks are the sentences about a change as a whole.
func remarks(c diff.Change) []string {
	var out []string
	if c.Kept != "" {
		out = append(out, "kept: the annotation "+c.Kept+" keeps it from being pruned")
	} else if c.Loss != "" {
		out = append(out, "data loss: deleting it "+c.Loss)
	}
	var to []string
	for _, in := range c.Instances {
		if in.MovedTo != "" && !slices.Contains(to, in.MovedTo) {
			to = append(to, in.MovedTo)
		}
	}
	if len(to) > 0 {
		out = append(out, "also added to "+strings.Join(to, ", ")+": it moves from one target to another")
	}
	if was := c.Instances[0].Was; was != "" {
		out = append(out, fmt.Sprintf("generated name: %s → %s", was, c.Instances[0].Object.Name))
	}
	if len(c.Keys) > 0 {
		out = append(out, "keys: "+strings.Join(c.Keys, ", "))
	}
	if c.Follows > 0 && len(c.Fields) > 0 {
		out = append(out, "references to generated objects follow their new names")
	}
	return out
}

// fieldText is the change of a field on one line, without its path. It is empty
// where only several lines can say it.
func fieldText(f diff.Field) string {
	switch {
	case f.Sealed:
		return string(f.Action) + " (sealed value)"
	case len(f.Hunks) > 0, len(blockLines(f)) > 0:
		return ""
	case f.Order:
		return "order: " + inline(f.Old) + " → " + inline(f.New)
	case f.Action == diff.Added:
		return inline(f.New)
	case f.Action == diff.Removed:
		return inline(f.Old)
	}
	return inline(f.Old) + " → " + inline(f.New)
}

// blockLines writes an object or a list that is new or gone, and that one line
// has no room for, as YAML behind the sign of its action.
func blockLines(f diff.Field) []string {
	value, sign := f.New, "+ "
	if f.Action == diff.Removed {
		value, sign = f.Old, "- "
	}
	switch value.(type) {
	case map[string]any, []any:
	default:
		return nil
	}
	if f.Action == diff.Changed || len(inline(value)) <= maxFlow {
		return nil
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for i, line := range lines {
		lines[i] = sign + clip(line, maxInline)
	}
	if rest := len(lines) - maxBlock; rest > 1 {
		lines = append(lines[:maxBlock], fmt.Sprintf("%s… %d more lines", sign, rest))
	}
	return lines
}

const (
	// maxFlow is how long an object or a list may be to stand on one line.
	maxFlow = 80
	// maxBlock is how many lines of a new object or list are shown.
	maxBlock = 40
)

// maxInline is how long a value may be on one line; more is cut.
const maxInline = 400

// inline writes a value as JSON would, texts without quotes where they cannot
// be taken for anything else.
func inline(v any) string {
	if text, ok := v.(string); ok && plainScalar(text) {
		return text
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "(a value that JSON cannot write)"
	}
	return clip(strings.TrimSuffix(b.String(), "\n"), maxInline)
}

// plainScalar reports whether YAML would read a text as that text.
func plainScalar(s string) bool {
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsAny(s, "\n→") || strings.ContainsAny(s[:1], "\"'[{&*!|>%@`#") {
		return false
	}
	var other any
	return json.Unmarshal([]byte(s), &other) != nil && !slices.Contains([]string{"yes", "no", "on", "off", "~"}, strings.ToLower(s))
}

// placed is where a field is set, or was.
func placed(f diff.Field) finding.Span {
	if f.Location.IsZero() {
		return f.OldLocation
	}
	return f.Location
}
