package gate

import "time"

// ApplyConfig is what `sallyport apply` and `sallyport drift` need beyond the
// gate. It counts in the cluster's own configuration only: a repository cannot
// say where it is applied from, what may be pruned, or whom to tell. Files are
// those of the runner, relative to the file of the configuration.
type ApplyConfig struct {
	Source      SourceConfig   `yaml:"source" doc:"Where the commits come from. Without a URL, the directory that the command is given."`
	Verify      VerifyConfig   `yaml:"verify" doc:"Whose signature a commit or a tag must carry."`
	Identities  IdentityConfig `yaml:"identities" doc:"Where the age identities are that decrypt."`
	Namespace   string         `yaml:"namespace" doc:"For objects of namespaced kinds that name none."`
	Impersonate string         `yaml:"impersonate" doc:"The ServiceAccount to act as, as namespace/name. Its namespace holds inventories, status, Lease and keys, and nothing is applied into it. The runner's own by default."`
	TakeOver    []string       `yaml:"takeOver" doc:"Field managers whose fields are taken over instead of reported as a conflict, such as kubectl-client-side-apply."`
	Prune       PruneConfig    `yaml:"prune" doc:"How much may be deleted by one run."`
	Health      HealthConfig   `yaml:"health" doc:"How long to wait, and what healthy means."`
	Smoke       []SmokeConfig  `yaml:"smoke" doc:"HTTP requests that must be answered after the rollout."`
	OnFailure   string         `yaml:"onFailure" doc:"After a failed rollout: keep what was applied (the default), or revert to the last good revision." enum:"keep,revert"`
	Drift       DriftConfig    `yaml:"drift" doc:"What differs on purpose, and what is put back."`
	Notify      []NotifyConfig `yaml:"notify" doc:"Whom to tell."`
}

// SourceConfig is a Git repository and how to reach it.
type SourceConfig struct {
	URL            string `yaml:"url" doc:"https://, ssh:// or user@host:path."`
	Ref            string `yaml:"ref" doc:"A branch, a tag or a commit. The default branch by default."`
	Username       string `yaml:"username" doc:"For https; many hosts take any name beside a token."`
	TokenFile      string `yaml:"tokenFile" doc:"File with the password or token for https."`
	CAFile         string `yaml:"caFile" doc:"Certificates to trust for https, beside the system's."`
	SSHKeyFile     string `yaml:"sshKeyFile" doc:"File with the private key for ssh."`
	PassphraseFile string `yaml:"passphraseFile" doc:"File with the passphrase of that key."`
	KnownHostsFile string `yaml:"knownHostsFile" doc:"Host keys for ssh, in the format of known_hosts. Required for ssh."`
	Mirror         string `yaml:"mirror" doc:"Directory that keeps what was fetched, between runs."`
}

// VerifyConfig asks for signatures.
type VerifyConfig struct {
	Require            string   `yaml:"require" doc:"What must be signed: the commit, the tag that was asked for, or either. Nothing by default." enum:"commit,tag,either"`
	GPGKeyringFiles    []string `yaml:"gpgKeyringFiles" doc:"Files with armoured public keys."`
	AllowedSignersFile string   `yaml:"allowedSignersFile" doc:"SSH keys that may sign, in the format of ssh-keygen's allowed_signers."`
}

// IdentityConfig names the age identities of the runner.
type IdentityConfig struct {
	Files  []string `yaml:"files" doc:"Files with age identities, as age-keygen writes them."`
	Secret string   `yaml:"secret" doc:"A Secret with age identities, as namespace/name; every key that ends in .agekey or .txt counts."`

	Keys   []KeyConfig `yaml:"keys" doc:"Keys in a cloud or a Vault that may be asked to open a file. None by default: a file cannot choose whom the runner talks to."`
	Public []string    `yaml:"public" doc:"Encrypted values that are no secrets, so that they may stand elsewhere in plaintext too, as FILE#POINTER: apps/db.yaml#/stringData/user."`
}

// KeyConfig is one key beside age's.
type KeyConfig struct {
	Kind string `yaml:"kind" doc:"kms, gcp_kms, azure_kv, hc_vault or hckms." required:"true"`
	ID   string `yaml:"id" doc:"The key as sops prints it: an ARN, a resource id, the URL of a key." required:"true"`
}

// PruneConfig bounds what one run deletes.
type PruneConfig struct {
	Count   int      `yaml:"count" doc:"How many objects one run may delete; above it nothing is deleted. 20 by default."`
	Share   int      `yaml:"share" doc:"How many of a hundred objects one run may delete. 30 by default."`
	Protect []string `yaml:"protect" doc:"Kinds that are never deleted, as Kind or Kind.group, beside Namespace, CustomResourceDefinition, PersistentVolume and PersistentVolumeClaim."`
}

// HealthConfig says when a rollout is done.
type HealthConfig struct {
	Timeout time.Duration      `yaml:"timeout" doc:"How long to wait for health. 5m by default."`
	Stable  time.Duration      `yaml:"stable" doc:"How long all must be healthy without a break. 5s by default."`
	Rules   []HealthRuleConfig `yaml:"rules" doc:"What healthy means for kinds that the built-in rules do not know."`
}

// HealthRuleConfig is a rule for one kind, in CEL.
type HealthRuleConfig struct {
	Group   string `yaml:"group" doc:"API group of the kind; empty is the core group."`
	Kind    string `yaml:"kind" doc:"The kind." required:"true"`
	Healthy string `yaml:"healthy" doc:"CEL over self, metadata, spec and status: when it is healthy." required:"true"`
	Failed  string `yaml:"failed" doc:"CEL: when waiting longer does not help."`
}

// SmokeConfig is one HTTP request and its answer.
type SmokeConfig struct {
	Name     string            `yaml:"name" doc:"A name for messages." required:"true"`
	URL      string            `yaml:"url" doc:"Address, as seen from the runner." required:"true"`
	Method   string            `yaml:"method" doc:"GET by default."`
	Headers  map[string]string `yaml:"headers" doc:"Headers of the request. Not for credentials: this file is no Secret."`
	Status   []int             `yaml:"status" doc:"Any of these; 200 to 299 by default."`
	Contains string            `yaml:"contains" doc:"Text that the body must hold."`
	Matches  string            `yaml:"matches" doc:"Regular expression (RE2) that the body must match."`
	JSON     []SmokeJSONConfig `yaml:"json" doc:"Values that the body must hold, as JSON."`
	Latency  time.Duration     `yaml:"latency" doc:"How long the answer may take."`
	Timeout  time.Duration     `yaml:"timeout" doc:"Of one attempt. 5s by default."`
	Within   time.Duration     `yaml:"within" doc:"How long to try again. 30s by default."`
}

// SmokeJSONConfig is one value of a JSON body.
type SmokeJSONConfig struct {
	Path   string `yaml:"path" doc:"JSON path (RFC 9535)." required:"true"`
	Equals string `yaml:"equals" doc:"The text of the value; without it, anything there will do."`
}

// DriftConfig says what to do about differences between Git and the cluster.
type DriftConfig struct {
	Heal   string         `yaml:"heal" doc:"Whether --interval puts drift back: never (the default), always, or only the objects listed." enum:"never,always,listed"`
	Listed []string       `yaml:"listed" doc:"Objects to put back with heal: listed, as Kind.group/namespace/name; * stands for any part."`
	Ignore []IgnoreConfig `yaml:"ignore" doc:"Fields that others may own. They are neither reported nor applied."`
}

// IgnoreConfig is fields of objects that sallyport leaves alone.
type IgnoreConfig struct {
	Object   string   `yaml:"object" doc:"Kind.group/namespace/name; * stands for any part." required:"true"`
	Pointers []string `yaml:"pointers" doc:"JSON pointers, such as /spec/replicas." required:"true"`
}

// NotifyConfig is somebody to tell.
type NotifyConfig struct {
	Type       string   `yaml:"type" doc:"slack, webhook, github or gitlab." enum:"slack,webhook,github,gitlab" required:"true"`
	URL        string   `yaml:"url" doc:"Address of a webhook."`
	URLFile    string   `yaml:"urlFile" doc:"File with the address, where that is a credential, as Slack's is."`
	SecretFile string   `yaml:"secretFile" doc:"File with the secret that signs a webhook's messages."`
	API        string   `yaml:"api" doc:"API of a GitHub or GitLab of one's own."`
	Repository string   `yaml:"repository" doc:"owner/name at GitHub, path or number of the project at GitLab."`
	TokenFile  string   `yaml:"tokenFile" doc:"File with a token that may write commit statuses."`
	Context    string   `yaml:"context" doc:"Name of the commit status; sallyport/TARGET by default."`
	On         []string `yaml:"on" doc:"States to tell: started, applied, failed, drifted. All by default."`
}
