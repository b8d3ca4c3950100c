package render

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// isRemote reports whether kustomize would go to the network for a reference:
// by HTTP for a file, by running git for a directory. It follows kustomize's
// IsRemoteFile and NewRepoSpecFromURL, and calls a URL that kustomize cannot
// take apart remote as well.
func isRemote(text string, role role) bool {
	if u, err := url.Parse(text); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return true
	}
	switch role {
	case roleResource, roleComponent, roleGenerator, roleTransformer, roleValidator:
		return isGit(text)
	}
	return false
}

var gitUser = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*@`)

// isGit reports whether kustomize would clone what text names. Without a
// scheme only user@host and github.com count, and only when host, owner and
// repository can be told apart.
func isGit(text string) bool {
	if path.IsAbs(text) {
		return false
	}
	text, _, _ = strings.Cut(text, "?")
	text = cutPrefixFold(text, "git::")
	for _, scheme := range []string{"ssh://", "https://", "http://", "file://"} {
		if cutPrefixFold(text, scheme) != text {
			return true
		}
	}
	rest := text[len(gitUser.FindString(text)):]
	lower := strings.ToLower(rest)
	github := strings.HasPrefix(lower, "github.com/") || strings.HasPrefix(lower, "github.com:")
	if rest == text && !github {
		return false
	}
	_, repository, found := strings.Cut(strings.Replace(rest, ":", "/", 1), "/")
	if !found || repository == "" {
		return false
	}
	for _, mark := range []string{"_git/", "//", ".git"} {
		if strings.Contains(repository, mark) {
			return true
		}
	}
	return strings.Contains(repository, "/")
}

// cutPrefixFold is strings.TrimPrefix for a prefix in any case.
func cutPrefixFold(s, prefix string) string {
	if len(prefix) <= len(s) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):]
	}
	return s
}

var userinfo = regexp.MustCompile(`//[^/@]*@`)

// withoutCredentials takes user, password and query out of a URL.
func withoutCredentials(text string) string {
	text, _, _ = strings.Cut(text, "?")
	return userinfo.ReplaceAllString(text, "//")
}
