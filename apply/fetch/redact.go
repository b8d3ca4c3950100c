package fetch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// maxText is how many characters of a foreign error text are passed on: servers
// send whole pages.
const maxText = 300

// maxForeign is how many bytes of a foreign text are looked at.
const maxForeign = 16 << 10

// redacted stands for a credential.
const redacted = "••••••••"

// redactor takes credentials out of texts.
type redactor struct{ values []string }

// add remembers a credential in the forms in which a server or a library may
// repeat it.
func (r *redactor) add(value string) {
	if value == "" {
		return
	}
	r.values = append(r.values, value, url.QueryEscape(value), url.PathEscape(value),
		base64.StdEncoding.EncodeToString([]byte(value)))
}

// minShared is how many characters in a row of a credential are one too many: a
// protocol or a server may cut it anywhere.
const minShared = 8

// hide replaces a value, and every longer part of it.
func hide(s, value string) string {
	s = strings.ReplaceAll(s, value, redacted)
	var out strings.Builder
	for s != "" {
		n := 0
		for n < len(s) && strings.Contains(value, s[:n+1]) {
			n++
		}
		if n >= minShared {
			out.WriteString(redacted)
		} else {
			n = 1
			out.WriteByte(s[0])
		}
		s = s[n:]
	}
	return out.String()
}

// text returns a foreign text as it may be shown, on one line.
func (r *redactor) text(s string) string {
	s = s[:min(len(s), maxForeign)]
	for _, v := range r.values {
		s = hide(s, v)
	}
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar {
			return ' '
		}
		return c
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText]) + "…"
	}
	return s
}

// failure is an error of this package. Its text is clean; what it wraps is one of
// the package's kinds or the context's error, and nothing else.
type failure struct {
	text string
	kind error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.kind }

// fail names the repository and takes out of an error what must not be said.
func (f *fetcher) fail(ctx context.Context, err error) error {
	kind := f.kind(ctx, err)
	text := f.secrets.text(err.Error())
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		text = ErrAuth.Error() + ": " + f.access()
	case errors.Is(err, transport.ErrRepositoryNotFound):
		text = "repository not found, or hidden from these credentials"
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		text = "the repository is empty"
	case strings.Contains(text, "unable to authenticate"):
		kind, text = ErrAuth, ErrAuth.Error()+": "+f.access()
	}
	return &failure{text: fmt.Sprintf("fetch %s: %s", f.at, text), kind: kind}
}

// access says which credentials a server refused.
func (f *fetcher) access() string {
	switch {
	case f.at.scheme == schemeSSH:
		return "the server does not accept the key in " + f.opts.SSH.KeyFile
	case f.opts.HTTPS.PasswordFile == "":
		return "the server asks for credentials, and none are configured"
	}
	return "the server does not accept the credentials in " + f.opts.HTTPS.PasswordFile
}

// kind is what callers may tell errors apart by.
func (f *fetcher) kind(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, transport.ErrAuthenticationRequired) || errors.Is(err, transport.ErrAuthorizationFailed) {
		return ErrAuth
	}
	for _, kind := range []error{ErrURL, ErrCredentials, ErrAuth, ErrHostKey, ErrReference, ErrTooLarge, ErrLocked, ErrSignature} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}
