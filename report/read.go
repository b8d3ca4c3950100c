package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sallyport/sallyport/finding"
)

// Read reads a JSON report. What is not one, or is of another version, is an
// error. Fields that are not known are passed over, as further ones may be added.
func Read(r io.Reader) (*finding.Report, error) {
	dec := json.NewDecoder(r)
	var out finding.Report
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("no JSON report: %w", err)
	}
	if out.APIVersion != finding.APIVersion || out.Kind != finding.Kind {
		return nil, fmt.Errorf("no JSON report: it is not of apiVersion %s, kind %s", finding.APIVersion, finding.Kind)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no JSON report: something follows it")
	}
	return &out, nil
}
