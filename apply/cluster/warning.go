package cluster

import (
	"context"
	"maps"
	"slices"
)

// quietKey marks the context of requests about Secrets, whose warnings are not
// kept: a webhook may quote what it saw.
type quietKey struct{}

// HandleWarningHeaderWithContext implements client-go's warning handler, in
// place of the one that writes to standard error.
func (w *warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	const miscellaneous = 299 // the only code that the API server uses, RFC 7234 5.5.7
	if code != miscellaneous || text == "" || ctx.Value(quietKey{}) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.text == nil {
		w.text = map[string]bool{}
	}
	if len(w.text) < maxWarnings {
		w.text[text] = true
	}
}

func (w *warnings) sorted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.text))
}
