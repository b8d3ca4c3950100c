package job

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/fetch"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets/decrypt"
)

// run is one way of a commit into the cluster.
type run struct {
	job       *Job
	config    *gate.Config
	namespace string // of inventory, status and lease
	source    *fetch.Source
	snapshot  *repo.Snapshot
	cluster   *cluster.Cluster
	outcome   *Outcome
	targets   []*target

	comparing bool // nothing is written: see Drift
	standIn   bool // it is applied in place of a revision that failed
	turn      turn // of the lease, before the reference was looked up

	judge   *health.Judge
	ignores ignores
	newer   *newer // nil where nothing newer can come
}

// prepare reads the configuration and connects. The run is never nil: what is
// known so far can be reported.
func (j *Job) prepare(ctx context.Context) (*run, error) {
	r := &run{job: j, outcome: &Outcome{}, namespace: j.opts.Namespace, config: &gate.Config{}}
	config, err := gate.ReadOwn(j.opts.Config)
	if err != nil {
		return r, err
	}
	r.config = config
	if err := r.settle(); err != nil {
		return r, err
	}
	if err := r.connect(ctx); err != nil {
		return r, &Error{Stage: StageConnect, Err: err}
	}
	j.home = home{r.cluster, r.namespace}
	return r, nil
}

// connect prepares the connection; nothing is sent yet.
func (r *run) connect(ctx context.Context) error {
	opts := cluster.Options{Kubeconfig: r.job.opts.Kubeconfig, Context: r.job.opts.Context, UserAgent: "sallyport/" + r.job.opts.ToolVersion}
	if account := r.config.Apply.Impersonate; account != "" {
		namespace, name, ok := strings.Cut(account, "/")
		if !ok || namespace == "" || name == "" {
			return &gate.UsageError{Err: fmt.Errorf("configuration: apply.impersonate: %q is not namespace/name of a ServiceAccount", account)}
		}
		// The account that acts must be able to keep its own books.
		opts.Impersonate, r.namespace = "system:serviceaccount:"+namespace+":"+name, namespace
	}
	var err error
	r.cluster, err = cluster.Connect(ctx, opts)
	return err
}

// fetch takes the commit, or opens the directory.
func (r *run) fetch(ctx context.Context, revision string) error {
	at := r.config.Apply.Source
	if at.URL == "" {
		if r.job.opts.Directory == "" {
			return &gate.UsageError{Err: fmt.Errorf("configuration: %s: apply.source.url names no repository, and no directory is given", r.job.opts.Config)}
		}
		var err error
		r.snapshot, err = repo.Open(ctx, r.job.opts.Directory, repo.Selector{Rev: revision})
		if err == nil {
			r.outcome.Revision = r.snapshot.Revision()
		}
		return err
	}
	opts := r.fetchOptions(revision)
	var err error
	if r.source, err = fetch.Open(ctx, opts); err != nil {
		return err
	}
	r.newer = newNewer(opts, r.source.Revision(), r.job.every)
	r.outcome.Revision, r.outcome.Signer = r.source.Revision(), r.source.Signer()
	r.job.opts.Tell("fetched " + r.outcome.Revision)
	r.snapshot, err = r.source.Snapshot(ctx)
	return err
}

func (r *run) fetchOptions(revision string) fetch.Options {
	at, verify := r.config.Apply.Source, r.config.Apply.Verify
	if revision == "" {
		revision = at.Ref
	}
	mirror := r.beside(at.Mirror)
	if mirror == "" {
		mirror = filepath.Join(os.TempDir(), "sallyport-mirror")
	}
	opts := fetch.Options{
		URL: at.URL, Ref: revision, Mirror: mirror, Now: r.job.opts.Now,
		HTTPS:  fetch.HTTPS{Username: at.Username, PasswordFile: r.beside(at.TokenFile), CAFile: r.beside(at.CAFile)},
		SSH:    fetch.SSH{KeyFile: r.beside(at.SSHKeyFile), PassphraseFile: r.beside(at.PassphraseFile), KnownHostsFile: r.beside(at.KnownHostsFile)},
		Verify: fetch.Verify{Require: verify.Require, AllowedSignersFile: r.beside(verify.AllowedSignersFile)},
	}
	for _, file := range verify.GPGKeyringFiles {
		opts.Verify.GPGKeyringFiles = append(opts.Verify.GPGKeyringFiles, r.beside(file))
	}
	return opts
}

// beside resolves a file of the runner: relative ones lie beside the
// configuration. An empty name stays empty.
func (r *run) beside(file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(filepath.Dir(r.job.opts.Config), file)
}

// origin names what is applied, for people.
func (r *run) origin() string {
	from := r.config.Apply.Source.URL
	if from == "" {
		from = r.job.opts.Directory
	}
	if r.outcome.Revision == "" {
		return from
	}
	return from + " at " + r.outcome.Revision
}

// close lets go of the mirror. Everything that is applied is in memory by then.
func (r *run) close() {
	if r.source != nil {
		_ = r.source.Close() // read only: there is nothing to lose
		r.source = nil
	}
}

// maxIdentities bounds an identity file in bytes: some hundred keys.
const maxIdentities = 1 << 20

// identities gathers the age identities from the files and the Secret that the
// configuration names.
func (r *run) identities(ctx context.Context) (*decrypt.Identities, error) {
	var sets []*decrypt.Identities
	for _, file := range r.config.Apply.Identities.Files {
		path := r.beside(file)
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.Size() > maxIdentities {
			return nil, fmt.Errorf("%s: larger than %d bytes", file, maxIdentities)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		set, err := decrypt.ParseIdentities(file, data)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	if secret := r.config.Apply.Identities.Secret; secret != "" {
		more, err := r.identitiesOf(ctx, secret)
		if err != nil {
			return nil, err
		}
		sets = append(sets, more...)
	}
	return decrypt.Join(sets...), nil
}

// identitiesOf reads a Secret of the cluster. A key counts when its name ends as
// Flux and age-keygen name such files.
func (r *run) identitiesOf(ctx context.Context, secret string) ([]*decrypt.Identities, error) {
	namespace, name, ok := strings.Cut(secret, "/")
	if !ok || namespace == "" || name == "" {
		return nil, &gate.UsageError{Err: fmt.Errorf("configuration: apply.identities.secret: %q is not namespace/name of a Secret", secret)}
	}
	u, err := r.cluster.Get(ctx, cluster.ID{Kind: "Secret", Namespace: namespace, Name: name})
	if err != nil {
		return nil, err
	}
	values, err := secretData(u)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", secret, err)
	}
	var sets []*decrypt.Identities
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !strings.HasSuffix(key, ".agekey") && !strings.HasSuffix(key, ".txt") {
			continue
		}
		set, err := decrypt.ParseIdentities("secret "+secret+" "+key, values[key])
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	if len(sets) == 0 {
		return nil, fmt.Errorf("secret %s: no key ends in .agekey or .txt", secret)
	}
	return sets, nil
}
