package secrets

import (
	"context"
	"fmt"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// checkMessages judges the messages of commits: keys, tokens and credentials that
// their own structure shows, and manifests. No file has the place, so the message
// of the finding names the commit alone.
func (s *Sealed) checkMessages(ctx context.Context, history *repo.Snapshot, from, to string) ([]finding.Finding, error) {
	var out []finding.Finding
	err := history.Messages(ctx, from, to, func(commit string, text []byte) error {
		told := map[string]bool{}
		for _, f := range judgeMessage(text) {
			if key := f.Rule + f.Message; !told[key] {
				told[key] = true
				out = append(out, inMessage(f, commit))
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("commit messages: %w", err)
	}
	return out, nil
}

func judgeMessage(text []byte) []finding.Finding {
	var out []finding.Finding
	for _, e := range judgeText(text, "") {
		if e.finding.Rule != "" {
			out = append(out, e.finding)
		}
	}
	return append(out, scanned("", toUTF8(text), nil)...)
}

// inMessage says that a finding is about the message of a commit.
func inMessage(f finding.Finding, commit string) finding.Finding {
	short := commit[:min(shortCommit, len(commit))]
	return finding.Finding{
		Rule: f.Rule, Severity: f.Severity, Object: f.Object, Pointer: f.Pointer, Commit: commit,
		Message: fmt.Sprintf("%s, in the message of commit %s; it is burnt", f.Message, short),
		Help:    "rotate it: everybody who can read the repository has it; then rewrite the commit or waive the finding",
	}
}
