package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sallyport/sallyport/finding"
)

var errNoReport = errors.New("not a JSON report of check")

// unreadable leaves out what the decoder quotes of the file.
func unreadable(err error) error {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends too early", errNoReport)
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: no JSON at byte %d", errNoReport, syntax.Offset)
	case errors.As(err, &typed):
		return fmt.Errorf("%w: another type is needed at byte %d", errNoReport, typed.Offset)
	}
	return err
}

// Read reads a JSON report. What is not one, or is of another version, is an
// error. Fields that are not known are passed over, as further ones may be added.
func Read(r io.Reader) (*finding.Report, error) {
	dec := json.NewDecoder(r)
	var out finding.Report
	if err := dec.Decode(&out); err != nil {
		return nil, unreadable(err)
	}
	if out.APIVersion != finding.APIVersion || out.Kind != finding.Kind {
		return nil, fmt.Errorf("%w: it is not of apiVersion %s, kind %s", errNoReport, finding.APIVersion, finding.Kind)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows it", errNoReport)
	}
	return &out, nil
}
