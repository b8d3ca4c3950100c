package notify

import (
	"context"
	"net/http"
	"strings"
)

// Slack is an incoming webhook of Slack, or of a chat that understands its
// messages. URLFile holds its address, which is a credential.
type Slack struct {
	URLFile string
}

func (s Slack) name() string { return "slack" }

// escape keeps text from being markup, which could mention a whole channel or
// hide where a link leads (Slack's "Escaping text").
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func (s Slack) request(ctx context.Context, m Message) (*http.Request, error) {
	address, err := credential(s.URLFile)
	if err != nil {
		return nil, err
	}
	title := m.Title
	if m.Revision != "" {
		title += " (" + short(m.Revision) + ")"
	}
	lines := []string{mark(m.State) + " *" + escape.Replace(cut(m.Environment, maxText)) + "*: " + escape.Replace(cut(title, maxText))}
	for _, d := range m.details() {
		lines = append(lines, "• "+escape.Replace(cut(d, maxText)))
	}
	req, _, err := post(ctx, address, map[string]string{"text": strings.Join(lines, "\n")})
	return req, err
}

// mark is a sign for the state; the title says it in words.
func mark(s State) string {
	switch s {
	case Applied:
		return "✓"
	case Failed:
		return "✗"
	case Drifted:
		return "≠"
	}
	return "…"
}
