package secrets

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/render"
)

// In real repositories every finding was read: each variable is a key of the
// Secret, and leaves it. There is none about a setting from a ConfigMap, a script
// or a dashboard, and none about a key that no object uses.
func TestCorpusSubstitute(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes in one goroutine")
	}
	for name, want := range map[string]string{
		"argocd-example-apps": "", "flux2-kustomize-helm-example": "", "flux2-multi-tenancy": "", "gitops-catalog": "",
		"microservices-demo": "", "onedr0p-home-ops": "CLOUDFLARE_TUNNEL_ID", "operate-first-apps": "",
		"onedr0p-home-ops-2022-08": "SECRET_EMAIL SECRET_EMAIL_DOMAIN SECRET_PIKVM_PASSWORD SECRET_PIKVM_USERNAME " +
			"SECRET_PRIVATE_DOMAIN SECRET_PUBLIC_DOMAIN SECRET_PUSHOVER_ALERT_MANAGER_APIKEY SECRET_PUSHOVER_USERKEY",
	} {
		t.Run(name, func(t *testing.T) {
			_, s := corpus(t, name)
			if strings.HasSuffix(name, "2022-08") {
				s = seal(t, offline(t, name))
			}
			x := s.NewSubstitutions(Expectations{})
			d, err := render.Discover(context.Background(), s, render.DiscoverOptions{})
			if err != nil {
				t.Fatal(err)
			}
			builder := render.NewBuilder(s, render.Options{})
			for _, target := range d.Targets {
				r, err := builder.Build(context.Background(), target)
				if err != nil {
					t.Fatal(err)
				}
				x.Collect(r)
			}
			var got []string
			for _, f := range x.Findings() {
				got = append(got, strings.Fields(f.Message)[1])
				if f.Location.Start.Line == 0 {
					t.Errorf("no place: %s", f.Message)
				}
			}
			if slices.Sort(got); strings.Join(got, " ") != want {
				t.Errorf("got %v, want %s", got, want)
			}
		})
	}
}

var remoteEntry = regexp.MustCompile(`(?m)^ *- .*(https://|github\.com/).*\n`)

// offline is a repository without what its kustomizations take from the network,
// so that the targets render which use variables.
func offline(t testing.TB, name string) memTree {
	t.Helper()
	snap, _ := corpus(t, name)
	tree := memTree{}
	for _, e := range snap.Files() {
		data, err := snap.ReadFile(e.Path)
		if err != nil {
			continue // not a file
		}
		tree[e.Path] = string(data)
		if isKustomization(e.Path) {
			tree[e.Path] = remoteEntry.ReplaceAllString(tree[e.Path], "")
		}
	}
	system := "cluster/apps/kustomization.yaml" // one of its directories patches what is remote
	tree[system] = strings.Replace(tree[system], "  - system-upgrade\n", "", 1)
	return tree
}
