package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/finding"
)

const (
	// maxNodes and maxArrows are what a drawing can hold and still be read.
	maxNodes  = 40
	maxArrows = 120
	// maxNodeText is how much of a path a box shows, its end being what tells
	// paths apart.
	maxNodeText = 34

	// The measures of the drawing, in user units of the SVG.
	charWidth  = 7.3 // of the monospaced face at 12 units
	boxHeight  = 28
	boxPadding = 12
	rowGap     = 12
	columnGap  = 64
	margin     = 8
	tip        = 6               // of an arrow
	baseline   = boxHeight/2 + 4 // of a text in its box
	// sweeps is how often the columns are put in order; more change nothing
	// in graphs of this size.
	sweeps = 8
)

// htmlDrawing is a layered graph, bases on the left, targets on the right.
type htmlDrawing struct {
	Width, Height int
	Label         string
	Boxes         []htmlBox
	Arrows        []string // path data
}

type htmlBox struct {
	X, Y, Width, Height int
	TextX, TextY        int
	Text, Title, Class  string
}

// draft draws the edges of all targets, nil where that would be too much, or
// nothing.
func draft(reach []Reach, r *finding.Report) *htmlDrawing {
	edges := map[Edge]bool{}
	nodes := map[string]bool{}
	for _, one := range reach {
		for _, e := range one.Edges {
			edges[e], nodes[e.From], nodes[e.To] = true, true, true
		}
		if len(nodes) > maxNodes || len(edges) > maxArrows {
			return nil
		}
	}
	if len(edges) == 0 {
		return nil
	}
	list := slices.SortedFunc(maps.Keys(edges), func(a, b Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	columns := layers(slices.Sorted(maps.Keys(nodes)), list)
	untangle(columns, list)
	return drawn(columns, list, r)
}

// layers puts each directory one column left of the leftmost that takes it in.
// A cycle, which no build survives, ends the search.
func layers(nodes []string, edges []Edge) [][]string {
	depth := map[string]int{}
	for range nodes {
		for _, e := range edges {
			depth[e.To] = min(max(depth[e.To], depth[e.From]+1), len(nodes))
		}
	}
	used := map[int]bool{}
	for _, n := range nodes {
		used[depth[n]] = true
	}
	order := slices.Sorted(maps.Keys(used))
	columns := make([][]string, len(order))
	for _, n := range nodes {
		at := len(order) - 1 - slices.Index(order, depth[n])
		columns[at] = append(columns[at], n)
	}
	return columns
}

// untangle puts each column into the order of its neighbours' middle
// (barycenter method), so that few arrows cross.
func untangle(columns [][]string, edges []Edge) {
	for range sweeps {
		at := map[string]float64{}
		for _, column := range columns {
			for i, n := range column {
				at[n] = (float64(i) + 0.5) / float64(len(column))
			}
		}
		for _, column := range columns {
			middle := map[string]float64{}
			for _, n := range column {
				sum, count := 0.0, 0.0
				for _, e := range edges {
					switch n {
					case e.From:
						sum, count = sum+at[e.To], count+1
					case e.To:
						sum, count = sum+at[e.From], count+1
					}
				}
				middle[n] = sum / max(count, 1)
			}
			slices.SortStableFunc(column, func(a, b string) int { return cmp.Compare(middle[a], middle[b]) })
		}
	}
}

// drawn gives boxes and arrows their places.
func drawn(columns [][]string, edges []Edge, r *finding.Report) *htmlDrawing {
	labels := boxLabels(slices.Concat(columns...), r)
	tallest := 0
	for _, column := range columns {
		tallest = max(tallest, len(column))
	}
	d := &htmlDrawing{Height: 2*margin + stack(tallest)}
	boxes := map[string]htmlBox{}
	x := margin
	for _, column := range columns {
		width := 0
		for _, n := range column {
			width = max(width, int(charWidth*float64(utf8.RuneCountInString(labels[n].Text)))+2*boxPadding)
		}
		y := (d.Height - stack(len(column))) / 2
		for _, n := range column {
			box := labels[n]
			box.X, box.Y, box.Width, box.Height, box.TextX, box.TextY = x, y, width, boxHeight, x+boxPadding, y+baseline
			boxes[n] = box
			d.Boxes = append(d.Boxes, box)
			y += boxHeight + rowGap
		}
		x += width + columnGap
	}
	d.Width = x - columnGap + margin
	for _, e := range edges {
		d.Arrows = append(d.Arrows, arrow(boxes[e.To], boxes[e.From])) // it leads to what is deployed
	}
	d.Label = fmt.Sprintf("%s and %s between them; the tree below says the same in words", number(len(boxes), "kustomization"), number(len(edges), "arrow"))
	return d
}

// stack is the height of n boxes under each other.
func stack(n int) int { return n*(boxHeight+rowGap) - rowGap }

// arrow is the path of an arrow from one box to the next, in SVG path data.
func arrow(from, to htmlBox) string {
	const bend = columnGap / 2
	x1, y1, x2, y2 := from.X+from.Width, from.Y+boxHeight/2, to.X-tip, to.Y+boxHeight/2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+bend, y1, x2-bend, y2, x2, y2)
}

// boxLabels names the boxes: the end of each path below the directory that all
// share, and for a target how it fared.
func boxLabels(nodes []string, r *finding.Report) map[string]htmlBox {
	status := map[string]finding.Status{}
	for _, t := range r.Targets {
		status[t.Path] = t.Status
	}
	var paths []finding.Target
	for _, n := range nodes {
		paths = append(paths, finding.Target{Path: n})
	}
	common := commonDir(paths)
	out := map[string]htmlBox{}
	for _, n := range nodes {
		runes := []rune(Sanitize(strings.TrimPrefix(n, common)))
		if len(runes) > maxNodeText {
			runes = append([]rune(ellipsis), runes[len(runes)-maxNodeText+1:]...)
		}
		box := htmlBox{Text: string(runes), Title: Sanitize(n)}
		switch status[n] {
		case "":
		case finding.Passed:
			box.Text, box.Class = markGood+" "+box.Text, "target"
		case finding.Skipped:
			box.Class = "target"
		default:
			box.Text, box.Class = markBad+" "+box.Text, "target bad"
		}
		out[n] = box
	}
	return out
}
