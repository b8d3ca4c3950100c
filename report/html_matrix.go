package report

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

const (
	// maxMatrixRows and maxMatrixRules bound the table; with more of either
	// nobody reads it, and the filter finds the rest.
	maxMatrixRows  = 1_000
	maxMatrixRules = 50
	// maxCleanTargets is how many targets without a finding are named.
	maxCleanTargets = 2_000
)

// htmlMatrix is the table of targets and rules. Only targets with a finding, or
// that did not render, have a row.
type htmlMatrix struct {
	Rules     []htmlColumn
	Bands     []htmlBand
	MoreRules int
	MoreRows  int
	Rows      int
	Columns   int // of the whole table
	Clean     []htmlClean
	CleanSum  int
	MoreClean int
}

type htmlColumn struct {
	Rule, Mark, Level string
	Link              template.URL
	count             int
	severity          finding.Severity
}

// htmlBand is the rows of the targets below one directory.
type htmlBand struct {
	Dir    string
	Counts string
	Rows   []htmlRow
}

type htmlRow struct {
	Number int
	Name   string // below the directory of its band
	Path   string
	Status string
	Mark   string
	Level  string
	Link   template.URL
	Cells  []htmlCell
}

type htmlCell struct {
	Count int
	Level string
	Label string
	Link  template.URL
}

// htmlClean is targets without a finding that fared the same.
type htmlClean struct {
	Status  string
	Count   int
	Targets []string
}

// tally counts the open findings of a target by rule.
type tally struct {
	byRule           map[string]int
	errors, warnings int
}

// matrix counts the open findings by target and rule.
func (h *htmlWriter) matrix(r *finding.Report) *htmlMatrix {
	if len(r.Targets) == 0 {
		return nil
	}
	m := &htmlMatrix{}
	byTarget, columns := tallies(r)
	m.Rules = columns[:min(len(columns), maxMatrixRules)]
	m.MoreRules = len(columns) - len(m.Rules)
	m.Columns = len(m.Rules) + 1
	bands, common := map[string]int{}, commonDir(r.Targets)
	sums := []tally{}
	for _, t := range r.Targets {
		counted := byTarget[t.Path]
		if counted == nil {
			counted = &tally{}
		}
		if counted.errors+counted.warnings == 0 && t.Status != finding.NotRendered && t.Status != finding.Failed {
			h.clean(m, t)
			continue
		}
		if m.Rows == maxMatrixRows {
			m.MoreRows++
			continue
		}
		m.Rows++
		dir := band(t.Path, common)
		if _, ok := bands[dir]; !ok {
			bands[dir] = len(m.Bands)
			m.Bands, sums = append(m.Bands, htmlBand{Dir: Sanitize(cmp.Or(dir, "./"))}), append(sums, tally{})
		}
		at := bands[dir]
		sums[at].errors += counted.errors
		sums[at].warnings += counted.warnings
		m.Bands[at].Rows = append(m.Bands[at].Rows, h.row(t, dir, counted, m.Rules))
	}
	for i := range m.Bands {
		m.Bands[i].Counts = number(len(m.Bands[i].Rows), "target") + ": " + cmp.Or(counts(sums[i].errors, sums[i].warnings), "no findings")
	}
	return m
}

// band names the group of a target: the directory below the one that all targets
// share, with a slash at its end.
func band(target, common string) string {
	rest := strings.TrimPrefix(target, common)
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return common + rest[:i+1]
	}
	return common
}

// tallies counts, and lists the rules: errors first, then by how often.
func tallies(r *finding.Report) (map[string]*tally, []htmlColumn) {
	byTarget := map[string]*tally{}
	at := map[string]int{}
	var columns []htmlColumn
	for _, f := range open(r) {
		if len(f.Targets) == 0 {
			continue
		}
		if _, ok := at[f.Rule]; !ok {
			at[f.Rule] = len(columns)
			columns = append(columns, htmlColumn{Rule: f.Rule})
		}
		c := &columns[at[f.Rule]]
		c.count += len(f.Targets)
		c.severity = max(c.severity, f.Severity)
		for _, t := range f.Targets {
			if byTarget[t] == nil {
				byTarget[t] = &tally{byRule: map[string]int{}}
			}
			byTarget[t].byRule[f.Rule]++
			if f.Severity == finding.Error {
				byTarget[t].errors++
			} else {
				byTarget[t].warnings++
			}
		}
	}
	slices.SortFunc(columns, func(a, b htmlColumn) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(b.count, a.count), cmp.Compare(a.Rule, b.Rule))
	})
	for i := range columns {
		c := &columns[i]
		c.Mark, c.Level, c.Link = markWarn, "warn", query("rule", Sanitize(c.Rule))
		if c.severity == finding.Error {
			c.Mark, c.Level = markBad, "bad"
		}
	}
	return byTarget, columns
}

// row makes the row of one target.
func (h *htmlWriter) row(t finding.Target, dir string, counted *tally, rules []htmlColumn) htmlRow {
	name := Sanitize(t.Path)
	row := htmlRow{Number: h.number[t.Path], Path: name, Name: cmp.Or(Sanitize(strings.TrimPrefix(t.Path, dir)), name), Status: string(t.Status), Link: query("target", name)}
	row.Mark = (&printer{opts: h.opts}).mark(counted.errors, counted.warnings)
	if t.Status == finding.NotRendered {
		row.Mark = markBad
	}
	row.Level = levelOfMark(row.Mark)
	for _, rule := range rules {
		cell := htmlCell{Count: counted.byRule[rule.Rule], Level: rule.Level, Link: query("rule", Sanitize(rule.Rule), "target", name)}
		if cell.Count > 0 {
			cell.Label = number(cell.Count, "finding") + " of " + rule.Rule + " in " + t.Path
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

// clean notes a target without a finding.
func (h *htmlWriter) clean(m *htmlMatrix, t finding.Target) {
	m.CleanSum++
	if m.CleanSum > maxCleanTargets {
		m.MoreClean++
		return
	}
	status := string(t.Status)
	if t.Reason != "" {
		status = strings.TrimSpace(status + ": " + clip(t.Reason, maxHTMLText))
	}
	at := slices.IndexFunc(m.Clean, func(c htmlClean) bool { return c.Status == status })
	if at < 0 {
		at = len(m.Clean)
		m.Clean = append(m.Clean, htmlClean{Status: status})
	}
	m.Clean[at].Count++
	m.Clean[at].Targets = append(m.Clean[at].Targets, Sanitize(t.Path))
}
