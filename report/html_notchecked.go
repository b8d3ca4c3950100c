package report

import (
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// htmlReason is why some objects were not checked.
type htmlReason struct {
	Check, Text, Count string
	Objects            []string
	More               int
}

const (
	// maxHTMLReasons and maxHTMLObjects bound what was not checked; a
	// repository of one kind without a schema has one reason and a thousand
	// objects.
	maxHTMLReasons = 100
	maxHTMLObjects = 100
)

// notChecked lists the reasons and the objects of each.
func (h *htmlWriter) notChecked(page *htmlPage, r *finding.Report) {
	why := reasons(r.NotChecked)
	page.MoreWhy = max(len(why)-maxHTMLReasons, 0)
	at := map[[2]string]*htmlReason{}
	for _, w := range why[:len(why)-page.MoreWhy] {
		at[[2]string{w.check, w.text}] = &htmlReason{Check: w.check, Text: clip(w.text, maxHTMLText), Count: w.count()}
	}
	for _, n := range r.NotChecked {
		reason := at[[2]string{n.Check, n.Reason}]
		switch {
		case reason == nil:
		case len(reason.Objects) == maxHTMLObjects:
			reason.More++
		default:
			name := strings.TrimSpace(n.Object.String())
			if n.Target != "" {
				name = strings.TrimPrefix(name+" in "+n.Target, " ")
			}
			reason.Objects = append(reason.Objects, name)
		}
	}
	for _, w := range why[:len(why)-page.MoreWhy] {
		page.NotChecked = append(page.NotChecked, *at[[2]string{w.check, w.text}])
	}
}
