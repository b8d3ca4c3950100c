package fetch

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// The schemes of URLs.
const (
	schemeFile  = "file"
	schemeHTTP  = "http"
	schemeHTTPS = "https"
	schemeSSH   = "ssh"
)

// location is a parsed URL.
type location struct {
	scheme string
	user   string
	host   string // with a port where the URL has one
	path   string
}

// String returns the location without the user.
func (l location) String() string { return l.scheme + "://" + l.host + l.slashed() }

func (l location) slashed() string {
	if strings.HasPrefix(l.path, "/") {
		return l.path
	}
	return "/" + l.path
}

// scpLike is git's short form of an ssh URL: user@host:path.
var scpLike = regexp.MustCompile(`^(?:([^@/:]+)@)?([^@/:\[\]]+):([^:].*)$`)

// parseURL takes a URL apart. Its errors do not quote it: it may hold a password.
func parseURL(text string, insecure bool) (location, error) {
	wrong := func(format string, args ...any) (location, error) {
		return location{}, fmt.Errorf("fetch: %w: "+format, append([]any{ErrURL}, args...)...)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) || text == "" {
		return wrong("it is empty or holds a blank or a control character")
	}
	l, err := split(text)
	if err != nil {
		return wrong("%w", err)
	}
	switch {
	case strings.HasPrefix(l.path, "-") || strings.HasPrefix(l.host, "-"):
		return wrong("a part of it begins with a hyphen")
	case l.scheme == schemeFile && (l.host != "" || !filepath.IsAbs(l.path)):
		return wrong("a file URL is file:// and an absolute path")
	case l.scheme == schemeFile:
		return l, nil
	case l.host == "" || strings.Trim(l.path, "/") == "":
		return wrong("it needs a host and a path")
	case l.scheme == schemeHTTP && !insecure:
		return wrong("http shows credentials and files to the network: use https or ssh")
	}
	return l, nil
}

func split(text string) (location, error) {
	if !strings.Contains(text, "://") {
		m := scpLike.FindStringSubmatch(text)
		if m == nil {
			return location{}, fmt.Errorf("it is neither https://, ssh://, file:// nor user@host:path")
		}
		return location{scheme: schemeSSH, user: m[1], host: m[2], path: m[3]}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return location{}, fmt.Errorf("it cannot be parsed")
	}
	switch _, password := u.User.Password(); {
	case password:
		return location{}, fmt.Errorf("it holds a password: keep that in a file")
	case u.RawQuery != "" || u.Fragment != "":
		return location{}, fmt.Errorf("it has a query or a fragment")
	}
	switch u.Scheme {
	case schemeFile, schemeHTTP, schemeHTTPS, schemeSSH:
		return location{scheme: u.Scheme, user: u.User.Username(), host: u.Host, path: u.Path}, nil
	}
	return location{}, fmt.Errorf("it is neither https://, ssh://, file:// nor user@host:path")
}
