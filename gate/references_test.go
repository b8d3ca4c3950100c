package gate

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// reader is a Pod that reads the ConfigMap settings.
func reader(name string) string {
	return strings.NewReplacer("name: web\n  namespace", "name: "+name+"\n  namespace", "nginx:latest", "nginx:1.29.1\n      envFrom: [{configMapRef: {name: settings}}]").Replace(pod)
}

const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {a: b}\n"

// TestReferencesOfAChange holds that a change answers for names across targets: it
// is told when it leaves one open, or takes away what another target uses, and is
// not told of what was so before.
func TestReferencesOfAChange(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after map[string]string // "" deletes
		want          []string          // files of references to nothing
		skipped       int
	}{
		{"a name that nobody defines", map[string]string{"other/c.yaml": settings}, map[string]string{
			"new/pod.yaml": strings.Replace(reader("new"), "settings", "nothing", 1)}, []string{"new/pod.yaml"}, 1},
		{"a name that another target defines", map[string]string{"other/c.yaml": settings}, map[string]string{"new/pod.yaml": reader("new")}, nil, 1},
		{"what others use is gone", map[string]string{"other/c.yaml": settings, "user/pod.yaml": reader("user")}, map[string]string{"other/c.yaml": ""}, []string{"user/pod.yaml"}, 1},
		{"what others use is renamed", map[string]string{"other/c.yaml": settings, "user/pod.yaml": reader("user")}, map[string]string{
			"other/c.yaml": strings.Replace(settings, "name: settings", "name: renamed", 1)}, []string{"user/pod.yaml"}, 1},
		{"what others use moves", map[string]string{"other/c.yaml": settings, "user/pod.yaml": reader("user")}, map[string]string{
			"other/c.yaml": "", "elsewhere/c.yaml": settings}, nil, 1},
		{"it was open before", map[string]string{"user/pod.yaml": reader("user"), "note/c.yaml": strings.Replace(settings, "name: settings", "name: note", 1)},
			map[string]string{"note/c.yaml": ""}, nil, 1},
		{"every target is affected", map[string]string{"user/pod.yaml": reader("user"), "rules/x.rego": denyPods}, map[string]string{
			"rules/x.rego": ""}, []string{"user/pod.yaml"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.before["stable/pod.yaml"] = strings.Replace(pod, "name: web\n  namespace", "name: stable\n  namespace", 1)
			r := newCheckout(t, c.before)
			r.change(c.after)
			got, skipped := []string(nil), 0
			result := r.check(Options{ChangedSince: "main"})
			for _, f := range result.Report.Findings {
				if f.Rule == "reference-missing" {
					got = append(got, f.Location.File)
				}
			}
			for _, status := range statuses(result) {
				if status == finding.Skipped {
					skipped++
				}
			}
			if !slices.Equal(got, c.want) || (skipped > 0) != (c.skipped > 0) {
				t.Errorf("references to nothing in %q, want %q; %d targets skipped", got, c.want, skipped)
			}
		})
	}
}
