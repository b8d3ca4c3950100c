package apply

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/apply/cluster"
)

// Errors is everything that went wrong in one step, in the order of applying.
type Errors struct {
	Step  string // plan, preflight, apply, prune
	Total int    // how many objects the step had to do with
	All   []ObjectError
}

// ObjectError is what is wrong with one object.
type ObjectError struct {
	ID  cluster.ID
	Err error
}

// Error implements error with one line for each object.
func (e *Errors) Error() string {
	var b strings.Builder
	outcome := "failed"
	if e.Step == "plan" || e.Step == "preflight" {
		outcome = "refused"
	}
	fmt.Fprintf(&b, "%s: %d of %d objects %s", e.Step, len(e.All), e.Total, outcome)
	for _, one := range e.All {
		fmt.Fprintf(&b, "\n  %s: %s", one.ID, said(one))
	}
	return b.String()
}

// said is the error without the object's name in front a second time.
func said(e ObjectError) string {
	text := e.Err.Error()
	var failure *cluster.Error
	if errors.As(e.Err, &failure) && failure.ID == e.ID {
		text = strings.TrimPrefix(text, failure.Verb+" "+failure.ID.String()+": ")
	}
	return text
}

// Unwrap gives the errors of the objects.
func (e *Errors) Unwrap() []error {
	all := make([]error, len(e.All))
	for i, one := range e.All {
		all[i] = one.Err
	}
	return all
}

func (e *Errors) add(id cluster.ID, err error) {
	e.All = append(e.All, ObjectError{ID: id, Err: err})
}

func (e *Errors) orNil() error {
	if len(e.All) == 0 {
		return nil
	}
	return e
}

// of keeps the failures of a list of items that were worked on side by side.
func (e *Errors) of(items []*item, failures []error) {
	for i, err := range failures {
		if err != nil {
			e.add(items[i].id, err)
		}
	}
}
