package report

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// writeLine writes each finding on one line, for grep and for editors:
//
//	file:line:col: severity: message [rule] (target, target)
//
// A finding without a place begins with its first target instead. Waived
// findings are left out.
func writeLine(w *bufio.Writer, r *finding.Report, _ Options) error {
	for _, f := range open(r) {
		at, targets := f.Location.String(), f.Targets
		if at == "" {
			at = unplacedAt(f)
			targets = targets[min(len(targets), 1):]
		}
		fmt.Fprintf(w, "%s: %s: %s [%s]", Sanitize(at), f.Severity, Sanitize(f.Message), Sanitize(f.Rule))
		if len(targets) > 0 {
			fmt.Fprintf(w, " (%s)", Sanitize(strings.Join(targets, ", ")))
		}
		w.WriteByte('\n')
	}
	return nil
}
