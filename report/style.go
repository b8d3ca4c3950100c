package report

import "github.com/sallyport/sallyport/finding"

// style paints text for a terminal; the zero value paints nothing.
type style struct{ color bool }

// SGR parameters (ECMA-48, 8.3.117). The eight basic colours follow the user's
// theme, so they can be read on light and on dark backgrounds.
const (
	bold       = "1"
	boldRed    = "1;31"
	boldYellow = "1;33"
	boldGreen  = "1;32"
	blue       = "34"
)

func (s style) paint(sgr, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

func (s style) severity(sev finding.Severity, text string) string {
	if sev == finding.Error {
		return s.paint(boldRed, text)
	}
	return s.paint(boldYellow, text)
}
