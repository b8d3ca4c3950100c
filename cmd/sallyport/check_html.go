package main

import (
	"context"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/report"
)

// htmlExtras is what only the HTML report shows, and only it waits for.
type htmlExtras struct {
	diff       *diff.Result
	diffWhyNot string
	reach      []report.Reach
}

// gatherExtras asks what each target is made of and, where a change is judged,
// what it does to them. A diff that cannot be made is no reason to lose the
// verdict: the page says why it is not there.
func gatherExtras(ctx context.Context, opts gate.Options, result *gate.Result) (htmlExtras, error) {
	var out htmlExtras
	for _, r := range result.Reach() {
		reach := report.Reach{Target: r.Target, Files: r.Files}
		for _, e := range r.Edges {
			reach.Edges = append(reach.Edges, report.Edge(e))
		}
		out.reach = append(out.reach, reach)
	}
	if opts.ChangedSince == "" {
		return out, nil
	}
	var err error
	if out.diff, err = result.Diff(ctx, diff.Options{Unified: true}); err != nil {
		out.diffWhyNot = err.Error()
	}
	return out, ctx.Err()
}
