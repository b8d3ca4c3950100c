package report

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// The ranks of findings: where room is limited, the lower is kept.
const (
	rankError = iota
	rankWarning
	rankWaived
)

func rank(f finding.Finding) int {
	switch {
	case f.Waiver != nil:
		return rankWaived
	case f.Severity == finding.Error:
		return rankError
	}
	return rankWarning
}

// ranked returns the findings by rank, each rank in the report's order.
func ranked(list []finding.Finding) []finding.Finding {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b finding.Finding) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// shortRevision is how many digits of a commit are shown.
const shortRevision = 12

func shortCommit(sha string) string { return sha[:min(len(sha), shortRevision)] }

// levelOf names a severity for formats that know no other than these two.
func levelOf(s finding.Severity) string {
	if s == finding.Error {
		return "error"
	}
	return "warning"
}

// subject says what a finding is about: "Deployment shop/web, in prod, dev and
// 4 more". It is empty where neither object nor target is known.
func subject(f finding.Finding) string {
	var parts []string
	if f.Object != nil {
		parts = append(parts, strings.TrimSpace(f.Object.String()))
	}
	if targets := (&printer{}).targets(f.Targets); targets != "" {
		parts = append(parts, "in "+targets)
	}
	if f.Commit != "" {
		parts = append(parts, "in the content of commit "+shortCommit(f.Commit))
	}
	return strings.Join(parts, ", ")
}

// place names where a finding is, in words where no file is known.
func place(f finding.Finding) string { return cmp.Or(f.Location.String(), unplacedAt(f)) }

// waived says who accepted a finding.
func waived(w finding.Waiver) string {
	return fmt.Sprintf("waived by %s until %s: %s", w.Owner, w.Expires, w.Reason)
}

// anchor is the place that a finding has in formats that demand a file: its
// own, else the kustomization of its first target, else that target's
// directory. Only the finding's own place has lines, and that only if it is a
// place in the snapshot: in another commit the lines are others.
func anchor(f finding.Finding, opts Options) finding.Span {
	if f.Location.File != "" {
		if f.Commit != "" {
			return finding.Span{File: f.Location.File}
		}
		return f.Location
	}
	dir := "."
	if len(f.Targets) > 0 {
		dir = path.Clean(f.Targets[0])
	}
	if file := kustomization(dir, opts); file != "" {
		return finding.Span{File: file}
	}
	return finding.Span{File: dir}
}

// kustomization returns the kustomization file of a directory, "" where there
// is none or files cannot be asked for.
func kustomization(dir string, opts Options) string {
	if opts.Source == nil {
		return ""
	}
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if file := path.Join(dir, name); opts.Source(file) != nil {
			return file
		}
	}
	return ""
}

// percent writes a path as a relative URI reference (RFC 3986): all but
// unreserved characters and inner slashes is percent-encoded, so that no path
// becomes a scheme, a host or the end of a Markdown link.
func percent(file string) string {
	const hexadecimal = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(file) {
		switch c := file[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0, c == '/' && i > 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexadecimal[c>>4], hexadecimal[c&15]})
		}
	}
	return b.String()
}

// clip cuts s to n characters, the last of them an ellipsis.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + ellipsis
}

// fingerprints returns the fingerprint of each finding. Merge makes them
// unique; this keeps that true of a report that was put together otherwise,
// since a platform drops the second of two equal ones.
func fingerprints(list []finding.Finding) []string {
	out := make([]string, len(list))
	seen, count := map[string]bool{}, map[string]int{}
	for i, f := range list {
		base := cmp.Or(f.Fingerprint, f.Rule, "finding")
		for out[i] = base; seen[out[i]]; {
			count[base]++
			out[i] = fmt.Sprintf("%s-%d", base, count[base]+1)
		}
		seen[out[i]] = true
	}
	return out
}
