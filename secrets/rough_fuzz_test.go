package secrets

import (
	"strings"
	"testing"
)

// The line reader never panics, and what it reports lies in the text and is hidden
// from the lines that are shown.
func FuzzRoughSecrets(f *testing.F) {
	for _, seed := range []string{
		"kind: Secret\nstringData:\n  a: b\n]\n",
		"{kind: Secret, stringData: {a: b, c: [d, {e: f}]}}",
		"x \"{\\\"kind\\\":\\\"Secret\\\",\\\"data\\\":{\\\"a\\\":\\\"b\\\"}}\"",
		"# - kind: Secret\n#   data:\n#     a: |\n#       b\n#\n#       c\n",
		"```yaml\ndata: {a: \"b\n  c\"}\nkind: \"Secret\",\n```\n",
		"kind: Secret\r\ndata:\r\n  ? a\r\n  a: !!binary |-\r\n    b\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<13 {
			return
		}
		s := &sheet{text: newText("s.md", []byte(text))}
		s.roughSecrets(0, len(text))
		for _, e := range s.exposed {
			at := e.finding.Location
			if e.from < 0 || e.to > len(text) || e.from >= e.to || at.Start.Line < 1 || at.End.Line < at.Start.Line {
				t.Fatalf("%q: %v %v", text, e.extent, at)
			}
			if masked := string(apply(s.data, []edit{maskOf(s.data, e.extent)})); strings.Contains(masked, "\x00") && !strings.Contains(text, "\x00") {
				t.Fatalf("%q is shown as %q", text, masked)
			}
		}
	})
}
