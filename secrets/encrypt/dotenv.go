package encrypt

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
	sopsdotenv "github.com/getsops/sops/v3/stores/dotenv"

	"github.com/sallyport/sallyport/finding"
)

// dotenvLayout seals lines of KEY=value.
type dotenvLayout struct{ path string }

func (dotenvLayout) store() sops.Store { return sopsdotenv.NewStore(&config.DotenvStoreConfig{}) }

// at is a place by its line, from 1.
func (d dotenvLayout) at(line int, message string) error {
	place := finding.Position{Line: line, Column: 1}
	return &Error{Span: finding.Span{File: d.path, Start: place, End: place}, Message: message}
}

// insert puts the block, one line for each field, at the end.
func (d dotenvLayout) insert(data []byte) ([]insertion, error) {
	if !utf8.Valid(data) || bytes.HasPrefix(data, []byte(bom)) {
		return nil, refusal("is not plain UTF-8, as files of variables must be")
	}
	for i, line := range strings.Split(string(data), "\n") {
		switch {
		case strings.Contains(line, "\r"):
			return nil, d.at(i+1, "ends its lines with CR LF, which sops takes for a part of each value; convert it to LF")
		case line == "" || line[0] == '#':
		case !strings.Contains(line, "="):
			return nil, d.at(i+1, "a line that is neither KEY=value nor a comment; sops cannot read it")
		case strings.HasPrefix(line, "sops_"):
			return nil, d.at(i+1, "a key that starts with sops_, which sops keeps for itself")
		}
	}
	first := ""
	if !bytes.HasSuffix(data, []byte("\n")) {
		first = "\n"
	}
	return []insertion{{at: len(data), render: func(block []byte) string { return first + string(block) }}}, nil
}

// slots lists the values and comments; empty lines are no leaves.
func (dotenvLayout) slots(data []byte) (values, comments []slot, err error) {
	at := 0
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		from, to := at, at+len(line)
		at = to + 1
		switch {
		case len(line) == 0 || bytes.HasPrefix(line, []byte("sops_")):
		case line[0] == '#':
			comments = append(comments, slot{stretch: stretch{from + 1, to}, comment: string(line[1:])})
		default:
			from += bytes.IndexByte(line, '=') + 1
			values = append(values, slot{stretch: stretch{from, to}})
		}
	}
	return values, comments, nil
}
