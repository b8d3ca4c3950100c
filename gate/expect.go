package gate

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/sallyport/sallyport/finding"
)

// maxReport is the largest JSON report that is read: a thousand targets with as
// many findings each are a tenth of it.
const maxReport = 256 << 20

// DigestError says that a target is not what was reviewed. Want is empty where
// the review did not have the target.
type DigestError struct {
	Target    string
	Want, Got string // "sha256:" and 64 hexadecimal digits
	Reviewed  string // the commit of the report, where it is another than Applied
	Applied   string
}

func (e *DigestError) Error() string {
	if e.Want == "" {
		return fmt.Sprintf("target %s: its sealed render is %s, and the report that was expected has no digest of it", e.Target, e.Got)
	}
	text := fmt.Sprintf("target %s: its sealed render is %s, and %s was expected", e.Target, e.Got, e.Want)
	if e.Reviewed != "" {
		text += fmt.Sprintf(": commit %s was reviewed, this is %s", e.Reviewed, e.Applied)
	}
	return text
}

var sha256Digest = regexp.MustCompile(`^(?:sha256:)?[0-9a-f]{64}$`)

// Expect compares what was admitted with what was reviewed: value is a SHA-256
// digest, which names the one target that is applied, or the path of the gate's
// JSON report, which must have every target. The error is a *DigestError where
// they differ, and a *UsageError where value cannot be compared with.
func (a *Admission) Expect(value string) error {
	if sha256Digest.MatchString(value) {
		return a.expectDigest(value)
	}
	data, err := readReport(value)
	if err != nil {
		return &UsageError{fmt.Errorf("expected digest: neither a SHA-256 digest nor a report: %w", err)}
	}
	return a.ExpectReport(data)
}

func (a *Admission) expectDigest(want string) error {
	if len(a.Targets) != 1 {
		return &UsageError{fmt.Errorf("expected digest: it is of one target, and %d are applied: choose one, or give the gate's JSON report", len(a.Targets))}
	}
	if len(want) == 64 {
		want = "sha256:" + want
	}
	if t := a.Targets[0]; t.Digest != want {
		return &DigestError{Target: t.Target.Path, Want: want, Got: t.Digest}
	}
	return nil
}

// ExpectReport compares every admitted target with its digest in a JSON report.
// The report may have more targets, and be of another commit: what counts is what
// would be applied.
func (a *Admission) ExpectReport(data []byte) error {
	var report struct {
		APIVersion, Kind string
		Snapshot         finding.Snapshot
		Targets          []finding.Target
	}
	err := json.Unmarshal(data, &report)
	if err != nil || report.Kind != finding.Kind || report.APIVersion != finding.APIVersion {
		return &UsageError{fmt.Errorf("expected digest: not a JSON report of the gate (%s %s)", finding.APIVersion, finding.Kind)}
	}
	digests := map[string]string{}
	for _, t := range report.Targets {
		digests[t.Path] = t.Digest
	}
	for _, t := range a.Targets {
		want := digests[t.Target.Path]
		if want == t.Digest && want != "" {
			continue
		}
		e := &DigestError{Target: t.Target.Path, Want: want, Got: t.Digest}
		if here := a.Report.Snapshot.Revision; report.Snapshot.Revision != here {
			e.Reviewed, e.Applied = report.Snapshot.Revision, here
		}
		return e
	}
	return nil
}

func readReport(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxReport+1))
	if err == nil && len(data) > maxReport {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxReport>>20)
	}
	return data, err
}
