package gate

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

var rulePolicyChanged = finding.Rule{
	Name:     "policy-changed",
	Severity: finding.Warning,
	Title:    "A change edits what judges it",
	Doc: "With --policy-from the configuration, the policies, the creation rules and the waivers of another revision judge, " +
		"so that a change cannot excuse itself. What it does to them counts from the merge on, for everybody: " +
		"a rule that is switched off, a policy that lets more pass or a waiver that is added deserves a look of its own. " +
		"So does a change to a pipeline that runs sallyport.",
	Fix:  "have somebody who answers for the rules review this file; sallyport check without --policy-from shows what the new ones say",
	Bad:  finding.Example{ConfigName: "apiVersion: sallyport.dev/v1\nkind: Config\nrules: {secret-plaintext: {severity: off}}\n"},
	Good: finding.Example{ConfigName: "apiVersion: sallyport.dev/v1\nkind: Config\n"},
}

// judgesChanged says what a change does to the files that judge it, where those
// of another revision do. What happened on that revision meanwhile is no part of
// the change.
func (g *gate) judgesChanged(ctx context.Context) ([]finding.Finding, error) {
	if g.opts.PolicyFrom == "" || g.opts.Shard.Index > 1 {
		return nil, nil
	}
	before := g.beforeJudging(ctx)
	changes, err := g.snap.Changed(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("--policy-from: %w", err)
	}
	j := judges{gate: g, before: before, proposed: &Config{}}
	if proposed, err := loadConfig(g.snap, ""); err == nil {
		j.proposed = proposed
	}
	var out []finding.Finding
	for _, c := range changes {
		if f, ok := j.about(c); ok {
			out = append(out, f)
		}
	}
	return out, nil
}

// beforeJudging is the state before the change, where another revision judges.
func (g *gate) beforeJudging(ctx context.Context) *repo.Snapshot {
	before, err := g.snap.Base(ctx, g.opts.PolicyFrom)
	if err != nil {
		return g.trusted // unrelated histories have everything between them
	}
	return before
}

// judges tells the files that judge from all others.
type judges struct {
	*gate
	before   *repo.Snapshot
	proposed *Config // of the change
}

// about is the finding about one changed file.
func (j judges) about(c repo.Change) (finding.Finding, bool) {
	name, base := c.Path, path.Base(c.Path)
	switch {
	case base == ConfigName, name == j.config.file:
		return j.aboutConfig(c), true
	case base == secrets.CreationRulesName, j.isCreation(j.config, name), j.isCreation(j.proposed, name):
		return j.finding(c, "the creation rules", waits), true
	case path.Ext(name) == ".rego" && j.listed(name, (*Config).policyDirs):
		return j.finding(c, "a policy", waits), true
	case j.listed(name, (*Config).schemaDirs):
		return j.finding(c, "a schema", waits), true
	case j.listed(name, (*Config).dataPaths):
		return j.finding(c, "data of policies", waits), true
	case isPipeline(name) && j.runsGate(name):
		return j.finding(c, "a pipeline that runs sallyport", ""), true
	}
	return finding.Finding{}, false
}

// waits says from when on a change to the judges counts.
const waits = "; the one before the change judges until it is merged"

func (c *Config) policyDirs() []string { return c.abs(c.Policies) }
func (c *Config) dataPaths() []string  { return c.abs(c.PolicyData) }

func (c *Config) schemaDirs() []string {
	var dirs []string
	for _, at := range c.Schemas {
		if onDisk(at) && !filepath.IsAbs(at) {
			dirs = append(dirs, fixed(filepath.ToSlash(at)))
		}
	}
	return c.abs(dirs)
}

// listed reports whether a file is one that the configuration, before or after
// the change, or the command line names.
func (j judges) listed(name string, paths func(*Config) []string) bool {
	all := slices.Concat(paths(j.config), paths(j.proposed))
	for _, p := range slices.Concat(j.opts.Policies, j.opts.Data) {
		if inside, ok := within(j.snap, p); ok {
			all = append(all, inside)
		}
	}
	return inside(name, all)
}

func (j judges) isCreation(c *Config, name string) bool {
	from := c.Secrets.Recipients.From
	return from != "" && path.Join(c.dir, from) == name
}

// isPipeline knows where pipelines are configured.
func isPipeline(name string) bool {
	switch {
	case path.Dir(name) == ".github/workflows":
		return source.IsYAML(name)
	case strings.HasPrefix(name, ".gitlab/") && source.IsYAML(name):
		return true
	}
	return slices.Contains([]string{".gitlab-ci.yml", ".pre-commit-config.yaml"}, name)
}

// runsGate reports whether a pipeline names sallyport, before or after the change.
func (j judges) runsGate(name string) bool {
	for _, snap := range []*repo.Snapshot{j.before, j.snap} {
		if data, err := snap.ReadFile(name); err == nil && bytes.Contains(data, []byte("sallyport")) {
			return true
		}
	}
	return false
}

// finding says that a change does something to a file. Of a file that is gone
// there is no place.
func (j judges) finding(c repo.Change, what, then string) finding.Finding {
	verb := map[repo.Status]string{repo.Added: "adds", repo.Deleted: "deletes"}[c.Status]
	if verb == "" {
		verb = "edits"
	}
	f := finding.Finding{
		Rule: rulePolicyChanged.Name, Severity: rulePolicyChanged.Severity, Help: rulePolicyChanged.Fix,
		Message: fmt.Sprintf("the change %s %s, %s%s", verb, what, c.Path, then), Location: finding.Span{File: c.Path},
	}
	if c.Status == repo.Deleted {
		f.Location, f.Unplaced = finding.Span{}, "the change deletes the file"
	}
	return f
}

// aboutConfig says which sections of a configuration change. One that the tool
// would refuse is an error: after the merge nothing would be checked.
func (j judges) aboutConfig(c repo.Change) finding.Finding {
	old, err := sections(j.before, c.Path)
	if err != nil {
		old = &Config{}
	}
	now, err := sections(j.snap, c.Path)
	f := j.finding(c, "the configuration", waits)
	if err != nil && c.Status != repo.Deleted {
		f.Severity = finding.Error
		f.Message = "the change makes " + c.Path + " a configuration that sallyport refuses: nothing would be checked after the merge"
		return f
	}
	changed := differing(old, now)
	if len(changed) == 0 {
		return f
	}
	f.Message = strings.Replace(f.Message, waits, ": "+strings.Join(changed, ", ")+waits, 1)
	if key, _, ok := source.Find(now.root, source.Pointer(changed[0])); ok && key != nil {
		f.Location = now.text.file.Span(key)
	}
	return f
}

// sections reads a configuration, which is empty where there is none.
func sections(snap *repo.Snapshot, name string) (*Config, error) {
	if _, ok := snap.Lookup(name); !ok {
		return &Config{}, nil
	}
	data, err := snap.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parseConfig(name, name, data)
}

// differing lists the keys of the configuration under which two differ, in the
// order of the documentation.
func differing(a, b *Config) []string {
	var out []string
	for _, f := range fieldsOf(reflect.TypeFor[Config]()) {
		x, y := reflect.ValueOf(a.withoutPlaces()).Field(f.index), reflect.ValueOf(b.withoutPlaces()).Field(f.index)
		if !reflect.DeepEqual(x.Interface(), y.Interface()) {
			out = append(out, f.name)
		}
	}
	return out
}

// withoutPlaces is the configuration without the lines of its waivers.
func (c *Config) withoutPlaces() Config {
	out := *c
	out.Waivers = slices.Clone(c.Waivers)
	for i := range out.Waivers {
		out.Waivers[i].span = finding.Span{}
	}
	return out
}
