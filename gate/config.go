package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// ConfigName is the configuration file's name. The nearest one at or above the
// checked directory, within the repository, is read.
const ConfigName = ".sallyport.yaml"

// misspeltName is taken for the configuration by people, and by nobody else.
const misspeltName = ".sallyport.yml"

// Config is `.sallyport.yaml`. Everything in it is optional. Patterns and paths
// in it are relative to the directory of the file.
//
// The doc tags are the documentation: `explain config` and the published JSON
// Schema are made from them.
type Config struct {
	APIVersion         string              `yaml:"apiVersion" doc:"Always sallyport.dev/v1." enum:"sallyport.dev/v1"`
	Kind               string              `yaml:"kind" doc:"Always Config." enum:"Config"`
	Targets            TargetsConfig       `yaml:"targets" doc:"Which of the discovered targets are checked."`
	KubernetesVersions []string            `yaml:"kubernetesVersions" doc:"Kubernetes minor versions to judge against, such as 1.35. The newest known one by default."`
	Schemas            []string            `yaml:"schemas" doc:"Schema locations in kubeconform's template syntax, tried after the CRDs found in the repository and before the embedded ones."`
	Policies           []string            `yaml:"policies" doc:"Directories of Rego policies, in conftest's conventions."`
	PolicyData         []string            `yaml:"policyData" doc:"JSON or YAML files that policies read as data."`
	Bundled            BundledConfig       `yaml:"bundled" doc:"The policies that come with sallyport. They are on unless named here."`
	Rules              map[string]RuleConf `yaml:"rules" doc:"Settings by rule name, as listed by sallyport explain."`
	Secrets            SecretsConfig       `yaml:"secrets" doc:"What is expected of encrypted files."`
	Waivers            []WaiverConfig      `yaml:"waivers" doc:"Findings that somebody has accepted, until a date."`
	Apply              ApplyConfig         `yaml:"apply" doc:"For sallyport apply and drift; it counts in the cluster's own configuration only."`

	file string // path as users know it; relative to the repository root where it lies inside
	dir  string // its directory, relative to the repository root; "" is the root
	disk string // directory of the file, where what it refers to lies there; else ""
	text *decoder
	root *yamlNode // nil without a document
}

// wrong is an error about the configured value at a JSON pointer, or about the
// key there.
func (c *Config) wrong(pointer string, err error) error {
	place := c.file
	if c.root != nil {
		if key, value, ok := source.Find(c.root, pointer); ok {
			if key == nil {
				key = value
			}
			place = c.text.file.Span(key).String()
		}
	}
	return &UsageError{fmt.Errorf("configuration: %s: %w", place, err)}
}

// TargetsConfig narrows the targets.
type TargetsConfig struct {
	Include []string `yaml:"include" doc:"Patterns of target paths to check; ** crosses directories. Everything by default."`
	Exclude []string `yaml:"exclude" doc:"Patterns of target paths to leave alone."`
}

// BundledConfig switches bundled policies off.
type BundledConfig struct {
	Disable []string `yaml:"disable" doc:"Rule names of bundled policies to switch off."`
}

// RuleConf changes one rule.
type RuleConf struct {
	Severity string `yaml:"severity" doc:"error, warning, or off." enum:"error,warning,off"`
}

// SecretsConfig declares where encrypted files may lead.
type SecretsConfig struct {
	Bind       []BindConfig     `yaml:"bind" doc:"Which namespaces the secrets of a file may reach."`
	Recipients RecipientsConfig `yaml:"recipients" doc:"Where the recipients that files must be encrypted to are declared."`
	Substitute []string         `yaml:"substitute" doc:"Flux variables that may carry a secret out of a Secret, one by one."`
	External   []string         `yaml:"external" doc:"Objects made outside the repository, as Kind/namespace/name or Kind/name; * stands for any part: Secret/*/regcred."`
	Metadata   MetadataConfig   `yaml:"metadata" doc:"Annotations and labels that Secrets with encrypted values may have."`
	KeyTypes   []string         `yaml:"keyTypes" doc:"Kinds of keys, beside age's own, that files may be encrypted for: kms, gcp_kms, azure_kv, hc_vault, pgp, age-plugin:NAME."`

	Environments []EnvironmentConfig `yaml:"environments" doc:"Which keys open the secrets of which targets."`
}

// EnvironmentConfig is one cluster, or several with the same keys.
type EnvironmentConfig struct {
	Name       string   `yaml:"name" doc:"A name for messages." required:"true"`
	Targets    []string `yaml:"targets" doc:"Patterns of target paths." required:"true"`
	Recipients []string `yaml:"recipients" doc:"Public keys of its clusters and of whoever looks after them." required:"true"`
}

// BindConfig ties files to namespaces.
type BindConfig struct {
	Files      string   `yaml:"files" doc:"Pattern of encrypted files." required:"true"`
	Namespaces []string `yaml:"namespaces" doc:"Namespaces that Secrets made from them may be in." required:"true"`
}

// MetadataConfig lists what may be done to Secrets.
type MetadataConfig struct {
	Allow []string `yaml:"allow" doc:"Patterns of annotations and labels that are meant, although they make a controller copy or use the Secret: reflector.v1.k8s.emberstack.com/*."`
}

// RecipientsConfig names the file with the creation rules.
type RecipientsConfig struct {
	From string `yaml:"from" doc:"The SOPS configuration file; .sops.yaml by default."`
}

// WaiverConfig is one accepted finding.
type WaiverConfig struct {
	Rule        string `yaml:"rule" doc:"Exact rule name." required:"true"`
	Object      string `yaml:"object" doc:"Kind/namespace/name, or Kind/name where there is no namespace."`
	Path        string `yaml:"path" doc:"Pattern of files."`
	Fingerprint string `yaml:"fingerprint" doc:"The fingerprint of one finding, as the JSON report shows it."`
	Reason      string `yaml:"reason" doc:"Why this is accepted." required:"true"`
	Owner       string `yaml:"owner" doc:"Who answers for it." required:"true"`
	Expires     string `yaml:"expires" doc:"Last day of validity, YYYY-MM-DD." required:"true"`

	span finding.Span
}

// loadConfig reads the configuration that opts name or that lies nearest to the
// checked directory. Without one it returns the defaults.
func loadConfig(snap *repo.Snapshot, file string) (*Config, error) {
	if file != "" {
		return readConfig(snap, file)
	}
	for dir := snap.Scope(); ; dir = path.Dir(dir) {
		at := path.Join(dir, ConfigName)
		if _, ok := snap.Lookup(at); ok {
			data, err := snap.ReadFile(at)
			if err != nil {
				return nil, &UsageError{fmt.Errorf("configuration: %w", err)}
			}
			return parseConfig(at, at, data)
		}
		misspelt := path.Join(dir, misspeltName)
		if _, ok := snap.Lookup(misspelt); ok {
			return nil, &UsageError{fmt.Errorf("configuration: %s is not read: rename it to %s", misspelt, ConfigName)}
		}
		if dir == "" || dir == "." {
			return &Config{}, nil
		}
	}
}

// readConfig reads a file named on the command line: from the snapshot where it
// lies inside, so that --staged judges the staged configuration.
func readConfig(snap *repo.Snapshot, file string) (*Config, error) {
	if inside, ok := within(snap, file); ok {
		data, err := snap.ReadFile(inside)
		if err == nil {
			return parseConfig(inside, inside, data)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, &UsageError{fmt.Errorf("configuration: %w", err)}
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("configuration: %w", err)}
	}
	return parseConfig(file, "", data)
}

// within returns file relative to the snapshot's root if it lies inside.
func within(snap *repo.Snapshot, file string) (string, bool) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", false
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	rel, err := filepath.Rel(snap.Root(), abs)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// parseConfig decodes strictly: an unknown key, a wrong type or a bad value is a
// *UsageError with file, line and column. inside is the file's path in the
// repository, "" where it lies elsewhere.
func parseConfig(name, inside string, data []byte) (*Config, error) {
	f, err := source.Parse(name, data)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("configuration: %w", err)}
	}
	cfg := &Config{file: name}
	if inside != "" {
		if cfg.dir = path.Dir(inside); cfg.dir == "." {
			cfg.dir = ""
		}
	}
	if len(f.Docs) == 0 {
		return cfg, nil
	}
	d := decoder{file: f}
	if len(f.Docs) > 1 {
		return nil, d.errorf(f.Docs[1].Root, "a second document; the configuration is one document")
	}
	cfg.text, cfg.root = &d, f.Docs[0].Root
	if err := d.decode(cfg.root, cfg, ""); err != nil {
		return nil, err
	}
	return cfg, cfg.check(&d, f.Docs[0].Root)
}

// check judges what types alone cannot, and notes where each waiver stands.
func (c *Config) check(d *decoder, root *yamlNode) error {
	for i := range c.Waivers {
		w := &c.Waivers[i]
		_, node, _ := source.Find(root, source.Pointer("waivers", fmt.Sprint(i)))
		w.span = d.file.Span(node)
		if w.Object == "" && w.Path == "" && w.Fingerprint == "" {
			return d.errorf(node, "a waiver needs an object, a path or a fingerprint; it cannot waive a whole rule")
		}
		if _, err := time.Parse(time.DateOnly, w.Expires); err != nil {
			_, at, _ := source.Find(node, "/expires")
			return d.errorf(at, "expires must be a date, YYYY-MM-DD")
		}
		if w.Path != "" && !doublestar.ValidatePattern(w.Path) {
			_, at, _ := source.Find(node, "/path")
			return d.errorf(at, "path is not a valid pattern")
		}
	}
	for i, p := range c.Secrets.Metadata.Allow {
		if !doublestar.ValidatePattern(p) {
			_, at, _ := source.Find(root, source.Pointer("secrets", "metadata", "allow", fmt.Sprint(i)))
			return d.errorf(at, "not a valid pattern")
		}
	}
	for field, patterns := range map[string][]string{"include": c.Targets.Include, "exclude": c.Targets.Exclude} {
		for i, p := range patterns {
			if !doublestar.ValidatePattern(p) {
				_, at, _ := source.Find(root, source.Pointer("targets", field, fmt.Sprint(i)))
				return d.errorf(at, "not a valid pattern")
			}
		}
	}
	return nil
}

// abs makes patterns or paths of the configuration relative to the repository
// root.
func (c *Config) abs(in []string) []string {
	out := make([]string, len(in))
	for i, p := range in {
		out[i] = path.Join(c.dir, p)
	}
	return out
}
