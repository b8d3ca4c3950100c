package finding

// APIVersion and Kind head every JSON report.
const (
	APIVersion = "sallyport.dev/v1"
	Kind       = "Report"
)

// Report is everything that one run found out.
type Report struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Tool       Tool         `json:"tool"`
	Snapshot   Snapshot     `json:"snapshot"`
	Summary    Summary      `json:"summary"`
	Targets    []Target     `json:"targets"`
	Findings   []Finding    `json:"findings"`
	NotChecked []NotChecked `json:"notChecked"`
	Shard      *Shard       `json:"shard,omitempty"` // nil for a whole run
}

// Shard says which part of a run a report is of. Index counts from 1. Inputs is
// equal for all parts of one run; Evidence is for merging them, and for nothing
// else.
type Shard struct {
	Index    int    `json:"index"`
	Count    int    `json:"count"`
	Inputs   string `json:"inputs"`
	Evidence string `json:"evidence"`
}

// Tool names the program that made the report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Snapshot names what was read. Kind is worktree, index or commit; Revision is
// the commit's SHA, of HEAD for worktree and index, empty outside Git.
type Snapshot struct {
	Kind     string `json:"kind"`
	Revision string `json:"revision"`
}

// Summary counts. Waived findings are in neither Errors nor Warnings. Checks
// holds a line for each check, in the order in which they ran.
type Summary struct {
	Targets    int     `json:"targets"`
	Objects    int     `json:"objects"`
	Errors     int     `json:"errors"`
	Warnings   int     `json:"warnings"`
	Waived     int     `json:"waived"`
	NotChecked int     `json:"notChecked"`
	Checks     []Check `json:"checks"`

	// Where only some checks were asked for: the others, and how many files were
	// searched for secrets.
	NotRun []string `json:"notRun,omitempty"`
	Files  int      `json:"files,omitempty"`
}

// Check is the summary line of one check: "schema  40 objects  1 error".
type Check struct {
	Name     string `json:"name"`     // render, schema, policy, secrets
	Count    int    `json:"count"`    // how many of Unit it looked at
	Unit     string `json:"unit"`     // targets, objects, rules, Secrets
	Errors   int    `json:"errors"`   // findings not waived
	Warnings int    `json:"warnings"` // findings not waived
	Note     string `json:"note,omitempty"`
}

// Status is how one target fared.
type Status string

// The statuses of a target.
const (
	Passed      Status = "passed"       // rendered, nothing at error level
	Failed      Status = "failed"       // rendered, at least one error
	NotRendered Status = "not-rendered" // Reason says why; a finding says where
	Skipped     Status = "skipped"      // Reason says why
)

// Target is one target's result. Digest is "sha256:" and the hex digest of its
// sealed render.
type Target struct {
	Path    string `json:"path"`
	Kind    string `json:"kind"`
	Status  Status `json:"status"`
	Objects int    `json:"objects"`
	Digest  string `json:"digest,omitempty"`
	Reason  string `json:"reason"`
}

// NotChecked says that a check could not judge an object, and why. It is a
// result, never silence.
type NotChecked struct {
	Target string `json:"target"`
	Object Object `json:"object"`
	Check  string `json:"check"`
	Reason string `json:"reason"`
}
