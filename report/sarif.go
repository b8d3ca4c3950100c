package report

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// GitHub refuses a log that is over one of these limits (SARIF support for code
// scanning, "File compatibility"); what does not fit is left out here, lowest
// rank first, and a notification says so.
const (
	maxResults = 25_000
	// maxLocations is for each result, the place of the finding included.
	maxLocations = 1_000
	// maxUpload is the size of the compressed log in bytes, 10 MB.
	maxUpload = 10_000_000
)

const (
	// maxSARIFText is how many characters of one text are kept, so that no
	// single text crowds out the other results.
	maxSARIFText = 8_000
	// maxSARIFTargets is how many targets a result lists; a base that a thousand
	// overlays share would otherwise fill the log with its readers.
	maxSARIFTargets = 100

	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sourceRoot  = "%SRCROOT%"
)

// writeSARIF writes a SARIF 2.1.0 log with one run.
//
// GitHub shows only results that have a file. One without a place gets the
// kustomization of its first target, or the target's directory, without a
// region; its message and its property "unplaced" say so.
func writeSARIF(w *bufio.Writer, r *finding.Report, opts Options) error {
	for keep := min(len(r.Findings), maxResults); ; {
		var b bytes.Buffer
		if err := WriteJSON(&b, newSARIF(r, opts, keep)); err != nil {
			return err
		}
		size, err := compressed(b.Bytes())
		if err != nil {
			return err
		}
		if size <= maxUpload || keep == 0 {
			_, err := b.WriteTo(w)
			return err
		}
		keep = int(int64(keep) * maxUpload / int64(size) * 9 / 10)
	}
}

// compressed returns the size of data after gzip, or of data itself where that
// is within the limit anyway.
func compressed(data []byte) (int, error) {
	if len(data) < maxUpload {
		return len(data), nil
	}
	var n counter
	z := gzip.NewWriter(&n)
	if _, err := z.Write(data); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return int(n), nil
}

// counter counts what is written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func newSARIF(r *finding.Report, opts Options, keep int) sarifLog {
	list := first(r.Findings, keep)
	rules, index := sarifRules(list, opts.Rules)
	results := make([]sarifResult, len(list))
	prints, cut := fingerprints(list), 0
	for i, f := range list {
		cut += max(len(f.Related)-(maxLocations-1), 0)
		results[i] = newSARIFResult(f, opts)
		results[i].RuleIndex = index[f.Rule]
		results[i].PartialFingerprints = partialFingerprints(prints[i], results[i].Locations[0])
	}
	return sarifLog{
		Schema:  sarifSchema,
		Version: "2.1.0",
		Runs: []sarifRun{{
			Tool: sarifTool{Driver: sarifDriver{
				Name:           cmp.Or(r.Tool.Name, "sallyport"),
				Version:        r.Tool.Version,
				InformationURI: "https://github.com/sallyport/sallyport",
				Rules:          rules,
			}},
			Invocations: []sarifInvocation{{ExecutionSuccessful: true, Notifications: notifications(r, len(list), cut)}},
			OriginalURIBaseIDs: map[string]sarifArtifact{
				sourceRoot: {Description: &sarifMessage{Text: "The root of the repository."}},
			},
			ColumnKind: "unicodeCodePoints",
			Results:    results,
			Properties: sarifRunProperties{Snapshot: r.Snapshot.Kind, Revision: r.Snapshot.Revision},
		}},
	}
}

// first returns the n findings of the highest rank, in the report's order.
func first(list []finding.Finding, n int) []finding.Finding {
	if n >= len(list) {
		return list
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank(list[a]), rank(list[b])) })
	order = order[:n]
	slices.Sort(order)
	out := make([]finding.Finding, n)
	for i, at := range order {
		out[i] = list[at]
	}
	return out
}

// notifications says what the log leaves out and what was not checked.
func notifications(r *finding.Report, kept, cut int) []sarifNotification {
	out := []sarifNotification{}
	say := func(level, format string, args ...any) {
		out = append(out, sarifNotification{Level: level, Message: sarifMessage{Text: sarifText(fmt.Sprintf(format, args...))}})
	}
	if n := len(r.Findings) - kept; n > 0 {
		say("warning", "%s of %d left out, errors last: this log has the limits of GitHub code scanning (%d results, %d bytes compressed). -o json lists all.",
			number(n, "finding"), len(r.Findings), maxResults, maxUpload)
	}
	if cut > 0 {
		say("note", "%s left out: a result has %d locations at the most.", number(cut, "related place"), maxLocations)
	}
	why := reasons(r.NotChecked)
	for _, w := range why[:min(len(why), maxReasons)] {
		say("note", "%s not checked by %s: %s", w.count(), w.check, w.text)
	}
	if rest := len(why) - maxReasons; rest > 0 {
		say("note", "Objects not checked for %d more %s; -o json lists every object.", rest, plural(rest, "reason"))
	}
	return out
}

// partialFingerprints names a result across runs. GitHub reads only
// primaryLocationLineHash. Its upload-sarif action computes that itself from the
// line and warns once for each result that brings another
// (github/codeql-action#4052), so it is given only where there is no line to
// compute it from.
func partialFingerprints(print string, at sarifLocation) map[string]string {
	out := map[string]string{"sallyport/v1": print}
	if at.PhysicalLocation.Region == nil {
		out["primaryLocationLineHash"] = print
	}
	return out
}

// placeholder is what a SARIF viewer replaces by an argument (3.11.5).
var placeholder = regexp.MustCompile(`\{\d+\}`)

// sarifText makes repository text a plain text message: "[text](address)" would
// become a link (3.11.6), and {0} an argument. Other brackets and braces show as
// they are.
func sarifText(s string) string {
	s = strings.ReplaceAll(clip(s, maxSARIFText), "](", "] (")
	return placeholder.ReplaceAllString(s, "{$0}")
}
