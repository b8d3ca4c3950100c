package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conflict is a field that another manager set to another value.
type Conflict struct {
	Manager string
	Field   string // such as ".spec.replicas"
}

// Error is a request that failed.
type Error struct {
	Verb      string     // apply, create, get, list, delete, patch
	ID        ID         // the object; without a name for a list
	Code      int        // HTTP status; 0 where there was no answer
	Reason    string     // the API's, such as Conflict or Invalid
	Conflicts []Conflict // of a server-side apply, in the server's order
	Fields    []string   // the paths of fields that the server refused, in its order
	Immutable bool       // every field was refused only because it may not change
	NotFound  bool       // the object, or the namespace it should be in, does not exist
	NoMatch   bool       // the server does not serve the kind
	Exists    bool       // a create met an object of that name
	Stale     bool       // a precondition failed: the object is not, or not any more, as the request says

	text string // one line, redacted; empty for Secrets, unless in words of this package
	stop error  // context.Canceled or context.DeadlineExceeded
}

// Error implements error. It never shows a value of a Secret.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", e.Verb, e.subject())
	switch {
	case e.Code != 0:
		fmt.Fprintf(&b, "%d %s", e.Code, http.StatusText(e.Code))
	case e.text == "":
		b.WriteString("no answer from the API server")
	}
	if e.Code != 0 && e.text != "" {
		b.WriteString(": ")
	}
	b.WriteString(e.text)
	if e.text == "" && len(e.Fields) > 0 {
		fmt.Fprintf(&b, " at %s", strings.Join(e.Fields, ", "))
	}
	if e.text == "" {
		for _, c := range e.Conflicts {
			fmt.Fprintf(&b, "; %s belongs to field manager %q", c.Field, c.Manager)
		}
	}
	return b.String()
}

func (e *Error) subject() string {
	if e.ID.Name != "" {
		return e.ID.String()
	}
	if e.ID.Namespace != "" {
		return e.ID.GroupKind().String() + " in " + e.ID.Namespace
	}
	return e.ID.GroupKind().String()
}

// Unwrap gives the context's error where that ended the request, and nothing
// else: what the server said is not passed on unredacted.
func (e *Error) Unwrap() error { return e.stop }

// IsNotFound says whether the object or its namespace does not exist.
func IsNotFound(err error) bool { return is(err, func(e *Error) bool { return e.NotFound }) }

// IsNoMatch says whether the server does not serve the kind.
func IsNoMatch(err error) bool { return is(err, func(e *Error) bool { return e.NoMatch }) }

// IsConflict says whether a precondition or another field manager stood in the
// way. The server compares fields before versions: a request that meets both
// gives the conflicts of the object as it is, and is not [Error.Stale].
func IsConflict(err error) bool {
	return is(err, func(e *Error) bool { return e.Stale || len(e.Conflicts) > 0 })
}

// IsStale says whether a precondition failed, so that what the request was made
// from has to be read again.
func IsStale(err error) bool { return is(err, func(e *Error) bool { return e.Stale }) }

// IsExists says whether an object of that name was there already.
func IsExists(err error) bool { return is(err, func(e *Error) bool { return e.Exists }) }

// IsForbidden says whether the account may not do that.
func IsForbidden(err error) bool {
	return is(err, func(e *Error) bool { return e.Code == http.StatusForbidden })
}

func is(err error, holds func(*Error) bool) bool {
	var e *Error
	return errors.As(err, &e) && holds(e)
}

// immutable matches what the API server says of a field that may not change,
// and nothing else: a mere conflict or an invalid value is no reason to delete
// an object (kustomize-controller#734).
var immutable = regexp.MustCompile(`field is immutable|may not change once set|immutable when`)

// failure turns any error of a request into an Error.
func (c *Cluster) failure(verb string, id ID, err error) *Error {
	e := &Error{Verb: verb, ID: id}
	for _, stop := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, stop) {
			e.stop = stop
		}
	}
	var status apierrors.APIStatus
	var refused *refusedAccount
	switch {
	case errors.As(err, &refused):
		e.Code, e.Reason, e.text = http.StatusForbidden, string(metav1.StatusReasonForbidden), OneLine(c.redact(refused.Error()), maxText)
		return e
	case meta.IsNoMatchError(err):
		e.NoMatch, e.text = true, fmt.Sprintf("the server does not serve %s", id.GroupKind())
		return e
	case errors.As(err, &status):
		c.read(e, status.Status())
	default:
		e.text = err.Error()
	}
	switch {
	case !id.secret():
		e.text = OneLine(c.redact(e.text), maxText)
	case e.Stale:
		e.text = "the object changed since it was read, or is another by now"
	default:
		e.text = ""
	}
	return e
}

// maxText bounds what one error may say in bytes: a Job's 422 holds its whole
// pod template, and a webhook may say what it likes.
const maxText = 4 << 10

// read takes over what the server said.
func (c *Cluster) read(e *Error, s metav1.Status) {
	e.Code, e.NotFound = int(s.Code), s.Code == http.StatusNotFound
	e.Exists = s.Reason == metav1.StatusReasonAlreadyExists
	if known[s.Reason] {
		e.Reason = string(s.Reason)
	}
	var causes []metav1.StatusCause
	if s.Details != nil {
		causes = s.Details.Causes
	}
	var said []string
	for _, cause := range causes {
		field := c.redact(cause.Field)
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			e.Conflicts = append(e.Conflicts, Conflict{Manager: c.redact(manager(cause.Message)), Field: field})
			continue
		}
		if field != "" && !slices.Contains(e.Fields, field) {
			e.Fields = append(e.Fields, field)
		}
		if text := strings.TrimPrefix(field+": ", ": ") + withoutValue(cause.Message); !slices.Contains(said, text) {
			said = append(said, text) // a bad label is refused once for each version and validator
		}
	}
	e.Stale = s.Code == http.StatusConflict && !e.Exists && len(e.Conflicts) == 0 || slices.Contains(e.Fields, "metadata.uid")
	e.Immutable = !e.Stale && len(causes) > 0 && !slices.ContainsFunc(causes, func(cause metav1.StatusCause) bool {
		return !immutable.MatchString(withoutValue(cause.Message))
	})
	switch {
	case e.Stale && s.Code != http.StatusConflict:
		e.text = "there is another object of that name by now"
	case len(e.Conflicts) > 0: // told by Error from the list
	case len(said) > 0 && s.Reason == metav1.StatusReasonInvalid:
		e.text = strings.Join(said, "; ")
	default:
		e.text = withoutTypes(s.Message)
	}
}

// manager reads the manager's name from the message of a conflict, which is
// `conflict with "name" using v1 at …`.
func manager(message string) string {
	_, rest, _ := strings.Cut(message, "conflict with ")
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return rest
	}
	name, err := strconv.Unquote(quoted)
	if err != nil {
		return rest
	}
	return name
}

// known holds the reasons of the API. A webhook can send any text for one.
var known = map[metav1.StatusReason]bool{
	metav1.StatusReasonUnauthorized: true, metav1.StatusReasonForbidden: true, metav1.StatusReasonNotFound: true,
	metav1.StatusReasonAlreadyExists: true, metav1.StatusReasonConflict: true, metav1.StatusReasonGone: true,
	metav1.StatusReasonInvalid: true, metav1.StatusReasonServerTimeout: true, metav1.StatusReasonTimeout: true,
	metav1.StatusReasonTooManyRequests: true, metav1.StatusReasonBadRequest: true,
	metav1.StatusReasonMethodNotAllowed: true, metav1.StatusReasonNotAcceptable: true,
	metav1.StatusReasonRequestEntityTooLarge: true, metav1.StatusReasonUnsupportedMediaType: true,
	metav1.StatusReasonInternalError: true, metav1.StatusReasonExpired: true, metav1.StatusReasonServiceUnavailable: true,
}
