package main

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/policy"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
)

// homepage is where the hook, the action and the GitLab template come from.
const homepage = "https://github.com/sallyport/sallyport"

// checkoutAction is actions/checkout at a commit, as the workflow names it.
const checkoutAction = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"

// draftAll drafts every file from what the repository shows.
func draftAll(ctx context.Context, snap *repo.Snapshot, age []string) ([]draft, error) {
	ref := releaseRef(readBuild())
	hook := hookEntry(ref)
	out := []draft{
		{path: gate.ConfigName, text: configDraft(policyDirs(ctx, snap))},
		{path: ".pre-commit-config.yaml", text: "repos:\n" + hook, addition: "repos:\n" + hook, sign: homepage},
	}
	hosts := remoteHosts(ctx, snap.Root())
	at := func(host string) bool {
		return slices.ContainsFunc(hosts, func(h string) bool { return strings.Contains(h, host) })
	}
	_, gitlabFile := snap.Lookup(".gitlab-ci.yml")
	github, gitlab := at("github") || snap.IsDir(".github"), at("gitlab") || gitlabFile
	if github {
		out = append(out, draft{path: ".github/workflows/sallyport.yml", text: githubWorkflow(ref, defaultBranch(ctx, snap.Root()))})
	}
	if gitlab {
		include := gitlabInclude(ref)
		out = append(out, draft{path: ".gitlab-ci.yml", text: include, addition: include, sign: "templates/sallyport.yml"})
	}
	if !github && !gitlab {
		out = append(out, draft{path: "CI job", missing: "no remote at GitHub or GitLab is known; " + homepage + "/blob/main/docs/ci.md has the jobs"})
	}
	creation, err := creationDraft(ctx, snap, age)
	return append(out, creation), err
}

// releaseRef names the source of this program for others to fetch: its release,
// else its commit, else the main branch.
func releaseRef(b build) string {
	switch {
	case regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(b.Version):
		return "v" + b.Version
	case b.Commit != "" && !b.Modified:
		return b.Commit
	}
	return "main"
}

func configDraft(policies []string) string {
	out := `# What sallyport checks, and how. Everything here is optional; sallyport explain
# config lists what else there is.
apiVersion: ` + finding.APIVersion + `
kind: Config

# The Kubernetes versions of the clusters; the newest known one by default.
# kubernetesVersions: ["1.35"]

# Targets that nobody deploys.
# targets: {exclude: ["examples/**"]}
`
	if len(policies) > 0 {
		out += "\n# Rego policies in conftest's conventions, beside the bundled ones.\npolicies:\n"
		for _, dir := range policies {
			out += "  - " + quoteYAML(dir) + "\n"
		}
	}
	return out
}

// policyDirs returns the directories where conftest users keep their policies,
// if those in them load. Policies for other things than Kubernetes often do not.
func policyDirs(ctx context.Context, snap *repo.Snapshot) []string {
	var out []string
	for _, dir := range []string{"policies", "policy"} {
		var opts policy.Options
		for _, e := range snap.Files() {
			if !strings.HasPrefix(e.Path, dir+"/") || path.Ext(e.Path) != ".rego" {
				continue
			}
			if data, err := snap.ReadFile(e.Path); err == nil {
				opts.Sources = append(opts.Sources, policy.Source{Path: e.Path, Data: data})
			}
		}
		if set, err := policy.Load(ctx, opts); err == nil && set.Len() > 0 {
			out = append(out, dir)
		}
	}
	return out
}

func hookEntry(ref string) string {
	return fmt.Sprintf("  - repo: %s\n    rev: %s%s\n    hooks:\n      - id: sallyport\n", homepage, ref, pinNote(ref))
}

func pinNote(ref string) string {
	if ref == "main" {
		return " # better a release"
	}
	return ""
}

func githubWorkflow(ref, branch string) string {
	return fmt.Sprintf(`name: sallyport
on:
  pull_request:
  push:
    branches: [%s]
permissions:
  contents: read
  pull-requests: write # for the comment
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: %s
        with:
          fetch-depth: 0 # the merge base has to be there
          persist-credentials: false
      - uses: sallyport/sallyport@%s%s
`, quoteYAML(branch), checkoutAction, ref, pinNote(ref))
}

func gitlabInclude(ref string) string {
	return "include:\n  - remote: https://raw.githubusercontent.com/sallyport/sallyport/" + ref + "/templates/sallyport.yml" + pinNote(ref) + "\n"
}

// remoteHosts returns the hosts of the remotes, and nothing else of their
// addresses: those may hold credentials.
func remoteHosts(ctx context.Context, root string) []string {
	var out []string
	for line := range strings.Lines(gitOutput(ctx, root, "config", "--get-regexp", `^remote\..*\.url$`)) {
		if _, address, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			out = append(out, hostOf(address))
		}
	}
	return out
}

// hostOf returns the host of a URL or of an scp-like address, else "".
func hostOf(address string) string {
	if strings.Contains(address, "://") {
		u, err := url.Parse(address)
		if err != nil {
			return ""
		}
		return u.Hostname()
	}
	host, _, ok := strings.Cut(address, ":")
	if !ok || strings.Contains(host, "/") {
		return ""
	}
	return host[strings.LastIndex(host, "@")+1:]
}

// defaultBranch is the default branch of origin, as far as the clone knows it.
func defaultBranch(ctx context.Context, root string) string {
	ref := strings.TrimSpace(gitOutput(ctx, root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD"))
	if branch, ok := strings.CutPrefix(ref, "origin/"); ok && branch != "" {
		return branch
	}
	return "main"
}

// gitOutput runs a git command that only reads the configuration and refs. What
// it does not know, the empty string included, is not known.
func gitOutput(ctx context.Context, root string, args ...string) string {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// quoteYAML returns a YAML scalar that is the text, whatever it holds.
func quoteYAML(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// creationDraft drafts the creation rules.
func creationDraft(ctx context.Context, snap *repo.Snapshot, age []string) (draft, error) {
	d := draft{path: secrets.CreationRulesName}
	for _, e := range snap.Files() {
		if path.Base(e.Path) != secrets.CreationRulesName {
			continue
		}
		if e.Path != d.path {
			d.missing = "the rules are in " + e.Path
		}
		return d, nil // which is kept
	}
	sealed, err := secrets.Seal(ctx, snap)
	if err != nil {
		return d, err
	}
	files, err := sealed.Encrypted(ctx)
	if err != nil {
		return d, err
	}
	d.text, d.missing = creationRules(files, age)
	return d, nil
}
