package notify

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// The hosts whose API is meant where none is named.
const (
	githubAPI = "https://api.github.com"
	gitlabAPI = "https://gitlab.com/api/v4"
)

// maxDescription is how long GitHub takes a status's description to be, in
// characters (REST API, "Create a commit status"); GitLab takes 255.
const maxDescription = 140

// GitHub sets the status of the commit. TokenFile holds a token that may write
// commit statuses, and needs nothing else.
type GitHub struct {
	API        string // "" is github.com
	Repository string // owner/name
	TokenFile  string
	Context    string // "" is sallyport/<environment>
}

// GitLab sets the status of the commit. TokenFile holds a project access token
// with the scope api and the role Developer.
type GitLab struct {
	API       string // "" is gitlab.com
	Project   string // path or number
	TokenFile string
	Context   string // "" is sallyport/<environment>
}

func (g GitHub) name() string { return "github" }
func (g GitLab) name() string { return "gitlab" }

func (g GitHub) request(ctx context.Context, m Message) (*http.Request, error) {
	state, ok := map[State]string{Started: "pending", Applied: "success", Failed: "failure"}[m.State]
	if !ok || m.Revision == "" {
		return nil, nil // drift says nothing about the commit
	}
	owner, repository, ok := strings.Cut(g.Repository, "/")
	if !ok || strings.Contains(repository, "/") {
		return nil, fmt.Errorf("the repository %q is not owner/name", g.Repository)
	}
	token, err := credential(g.TokenFile)
	if err != nil {
		return nil, err
	}
	target := base(g.API, githubAPI) + "/repos/" + url.PathEscape(owner) + "/" + url.PathEscape(repository) + "/statuses/" + url.PathEscape(m.Revision)
	req, _, err := post(ctx, target, map[string]string{"state": state, "description": cut(m.Title, maxDescription), "context": label(g.Context, m)})
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

func (g GitLab) request(ctx context.Context, m Message) (*http.Request, error) {
	state, ok := map[State]string{Started: "running", Applied: "success", Failed: "failed"}[m.State]
	if !ok || m.Revision == "" {
		return nil, nil
	}
	token, err := credential(g.TokenFile)
	if err != nil {
		return nil, err
	}
	target := base(g.API, gitlabAPI) + "/projects/" + url.PathEscape(g.Project) + "/statuses/" + url.PathEscape(m.Revision)
	req, _, err := post(ctx, target, map[string]string{"state": state, "description": cut(m.Title, maxDescription), "name": label(g.Context, m)})
	if err != nil {
		return nil, err
	}
	req.Header.Set("PRIVATE-TOKEN", token)
	return req, nil
}

func base(api, otherwise string) string {
	if api == "" {
		return otherwise
	}
	return strings.TrimSuffix(api, "/")
}

func label(context string, m Message) string {
	if context != "" {
		return context
	}
	return "sallyport/" + m.Environment
}
