package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/http2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var (
	webID    = ID{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}
	secretID = ID{Kind: "Secret", Namespace: "shop", Name: "db"}
)

// TestNoValues: whatever the value in an error of the API server looks like, it
// is not in ours, and what is wrong with it is.
func TestNoValues(t *testing.T) {
	at := field.NewPath("spec", "x")
	gk := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	for name, e := range map[string]*field.Error{
		"string":      field.Invalid(at, "canary: \"with\" colons: and quotes", "why it is wrong"),
		"number":      field.Invalid(at, int64(987654321), "why it is wrong"),
		"bool":        field.Invalid(at, true, "why it is wrong"),
		"object":      field.Invalid(at, map[string]any{"canary": ": canary: "}, "why it is wrong"),
		"list":        field.Invalid(at, []string{"canary"}, "why it is wrong"),
		"unsupported": field.NotSupported(at, "canary", []string{"why it is wrong"}),
		"not found":   field.NotFound(at, "canary"),
		"duplicate":   field.Duplicate(at, "canary"),
		"forbidden":   field.Forbidden(at, "why it is wrong"),
		"required":    field.Required(at, "why it is wrong"),
	} {
		c := (&Cluster{}).Redacting(nil)
		got := c.failure("apply", webID, apierrors.NewInvalid(gk, "web", field.ErrorList{e})).Error()
		if strings.Contains(got, "canary") || strings.Contains(got, "987654321") || strings.Contains(got, "true") {
			t.Errorf("%s: %s", name, got)
		}
		if !strings.HasPrefix(got, "apply Deployment.apps/shop/web: 422 Unprocessable Entity: spec.x: ") {
			t.Errorf("%s: %s", name, got)
		}
		if name != "not found" && name != "duplicate" && !strings.Contains(got, "why it is wrong") {
			t.Errorf("%s: the reason is gone: %s", name, got)
		}
	}
}

// TestTypeError: the value that a type error quotes is taken out, also where
// several are in one text.
func TestTypeError(t *testing.T) {
	c := (&Cluster{}).Redacting(nil)
	status := &apierrors.StatusError{ErrStatus: metav1.Status{Code: 500, Message: "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): errors:\n" +
		"  .spec.replicas: expected numeric (int or float), got &value.valueUnstructured{Value:\"canary\"}\n" +
		"  .spec.paused: expected bool, got &value.valueUnstructured{Value:987654321}"}}
	got := c.failure("apply", webID, status).Error()
	if strings.Contains(got, "canary") || strings.Contains(got, "987654321") || !strings.Contains(got, ".spec.paused: expected bool, got another type") {
		t.Error(got)
	}
	if passing(status) {
		t.Error("a type error would be sent again")
	}
}

// TestSecretError: of what a server, a webhook or a network says about a Secret,
// nothing is passed on but the code and the paths of fields.
func TestSecretError(t *testing.T) {
	c := (&Cluster{}).Redacting(nil)
	causes := []metav1.StatusCause{{Type: "FieldValueInvalid", Field: "data[password]", Message: `Invalid value: "canary": canary`}}
	for _, err := range []error{
		&apierrors.StatusError{ErrStatus: metav1.Status{Code: 422, Reason: "canary", Message: "canary", Details: &metav1.StatusDetails{Causes: causes}}},
		&apierrors.StatusError{ErrStatus: metav1.Status{Code: 500, Message: "canary"}},
		fmt.Errorf("canary: %w", syscall.ECONNREFUSED),
		&url.Error{Op: "Patch", URL: "https://x/canary", Err: syscall.ECONNRESET},
		errors.New("canary"),
	} {
		e := c.failure("apply", secretID, err)
		if text := fmt.Sprintf("%v %+v %#v %v", e, e, e, e.Unwrap()); strings.Contains(text, "canary") {
			t.Error(text)
		}
		if errors.Is(e, syscall.ECONNREFUSED) {
			t.Error("the cause can be reached")
		}
	}
	e := c.failure("apply", secretID, &apierrors.StatusError{ErrStatus: metav1.Status{Code: 422, Details: &metav1.StatusDetails{Causes: causes}}})
	if want := "apply Secret/shop/db: 422 Unprocessable Entity at data[password]"; e.Error() != want {
		t.Errorf("%s, want %s", e, want)
	}
	if e := c.failure("apply", secretID, fmt.Errorf("canary: %w", context.Canceled)); !errors.Is(e, context.Canceled) {
		t.Error("the end of the context is lost")
	}
}

// TestRedact: every text about another object passes the redaction.
func TestRedact(t *testing.T) {
	c := (&Cluster{}).Redacting(func(s string) string { return strings.ReplaceAll(s, "canary", "••••••••") })
	status := metav1.Status{Code: 409, Reason: "Conflict", Message: "canary", Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{
		{Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "canary" using v1`, Field: ".data.canary"},
	}}}
	for _, err := range []error{
		&apierrors.StatusError{ErrStatus: status},
		&apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Message: "webhook says canary"}},
		errors.New("canary"),
	} {
		if text := fmt.Sprintf("%+v", c.failure("apply", webID, err)); strings.Contains(text, "canary") {
			t.Error(text)
		}
	}
}

// TestOneLine: nothing that a server, a webhook or a controller says begins a
// line, is a command to a CI system, or is longer than a report can bear.
func TestOneLine(t *testing.T) {
	c := (&Cluster{}).Redacting(nil)
	said := "no\n::error::x\r\n##[add-mask]y\u2028z\x1b[2K\u202e\u200b " + strings.Repeat("é", maxText)
	got := c.failure("apply", webID, &apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Message: said}}).Error()
	if want := "apply Deployment.apps/shop/web: 403 Forbidden: no ::error::x ## [add-mask]y z [2K é"; !strings.HasPrefix(got, want) || len(got) > maxText+100 || !utf8.ValidString(got) {
		t.Errorf("%.200q, %d bytes", got, len(got))
	}
}

// TestImmutable: only where every cause says so.
func TestImmutable(t *testing.T) {
	gk := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	selector := field.Invalid(field.NewPath("spec", "selector"), map[string]string{"a": "b"}, "field is immutable")
	class := field.Forbidden(field.NewPath("spec", "class"), "may not change once set")
	data := field.Forbidden(field.NewPath("data"), "field is immutable when `immutable` is set")
	replicas := field.Invalid(field.NewPath("spec", "replicas"), int64(-1), "must be greater than or equal to 0")
	lure := field.Invalid(field.NewPath("spec", "note"), "field is immutable", "must be a number")
	for _, c := range []struct {
		causes field.ErrorList
		want   bool
	}{
		{field.ErrorList{selector}, true},
		{field.ErrorList{selector, class, data}, true},
		{field.ErrorList{selector, replicas}, false},
		{field.ErrorList{replicas}, false},
		{field.ErrorList{lure}, false}, // the words are the author's, in the value
		{nil, false},
	} {
		e := (&Cluster{}).Redacting(nil).failure("apply", webID, apierrors.NewInvalid(gk, "web", c.causes))
		if e.Immutable != c.want {
			t.Errorf("%v: %t", c.causes, e.Immutable)
		}
	}
}

// TestManager reads the name of a manager out of the server's prose, whatever
// the name is.
func TestManager(t *testing.T) {
	for message, want := range map[string]string{
		`conflict with "kubectl" using apps/v1`:                                           "kubectl",
		`conflict with "kube-controller-manager" with subresource "status" using apps/v1`: "kube-controller-manager",
		`conflict with "a \"b\" using v1" using apps/v1 at 2026-01-01T00:00:00Z`:          `a "b" using v1`,
		`conflict with "argocd-controller"`:                                               "argocd-controller",
	} {
		if got := manager(message); got != want {
			t.Errorf("%s: %q", message, got)
		}
	}
}

// TestParseID: what is written is read again, and nothing else is read.
func TestParseID(t *testing.T) {
	for _, id := range []ID{
		webID, secretID, {Kind: "Namespace", Name: "shop"},
		{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "system:node:x"},
	} {
		if got, err := ParseID(id.String()); err != nil || got != id {
			t.Errorf("%s: %v, %v", id, got, err)
		}
	}
	for _, s := range []string{"", "Namespace", "a/b/c/d", "Namespace//shop", "/x"} {
		if got, err := ParseID(s); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// TestPassing: what is sent again.
func TestPassing(t *testing.T) {
	gr := schema.GroupResource{Resource: "configmaps"}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{apierrors.NewTooManyRequests("slow down", 1), true},
		{apierrors.NewServiceUnavailable("starting"), true},
		{apierrors.NewTimeoutError("too slow", 1), true},
		{apierrors.NewServerTimeout(gr, "patch", 1), true},
		{&apierrors.StatusError{ErrStatus: metav1.Status{Code: 502}}, true},
		{&url.Error{Op: "Get", URL: "https://x", Err: syscall.ECONNREFUSED}, true},
		{context.DeadlineExceeded, true},
		{fmt.Errorf("unexpected error when reading response body: %w", io.ErrUnexpectedEOF), true},
		{fmt.Errorf("stream error: %w", http2.StreamError{Code: http2.ErrCodeInternal}), true},
		{apierrors.NewInternalError(errors.New("failed calling webhook")), false},
		{apierrors.NewForbidden(gr, "a", nil), false},
		{apierrors.NewConflict(gr, "a", nil), false},
		{apierrors.NewUnauthorized("who?"), false},
		{errors.New("anything"), false},
	} {
		if got := passing(c.err); got != c.want {
			t.Errorf("%v: %t", c.err, got)
		}
	}
}
