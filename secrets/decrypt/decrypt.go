// Package decrypt puts the real values into a sealed render: the one place of
// the program where a secret is in the clear. It runs in the cluster, in the
// memory of the apply job, behind the gate.
//
// # The order
//
// [Objects] follows the tokens again and refuses on any leak before a key is
// touched. Only then does it read the source files that the target really uses,
// each with its MAC verified. sops' parser reads them, and for every value that
// it finds the token is made anew from the file, the place and the ciphertext; a
// value is set only where that token stands whole in data or stringData of a v1
// Secret. A file that sops reads differently from the seal gives other tokens, so
// a difference between parsers ends in a refusal and never in another field. The
// last step looks at all final objects once more.
//
// # Keys
//
// Identities come from memory, and age alone uses them: no environment, no file,
// no agent, no plugin. The sops block of a file was written by whoever can push.
// It may list a Vault, a cloud KMS or a PGP key; none is asked unless
// [Options.Keys] names exactly that key, and PGP never, since it runs programs.
//
// # What comes out
//
// No error quotes a value, a line of a file or a word of sops: an [Error] is a
// path, a key and a code. [Plaintext], [Identities] and [Result] print as dots in
// every format. [Redactor] scrubs what the API server says.
//
// # Memory
//
// Data keys are overwritten and sops' trees dropped as soon as the values are
// set. Go strings cannot be overwritten: copies stay until the garbage collector
// has reused them. The package runtime/secret would erase them, but it exists
// only in a toolchain with GOEXPERIMENT=runtimesecret, which this program does
// not require. So the job switches off core dumps and ptrace, and ends soon.
package decrypt

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/secrets"
)

// Options say what else is allowed. The zero value allows age identities and
// nothing more, and refuses on every finding of severity error.
type Options struct {
	// Keys are the keys beside age's that may be asked to open a file.
	Keys []Key
	// Accept reports whether a finding is waived. It is never asked about a
	// secret-leak. The value of a Secret that is in the repository in plaintext
	// is refused even then: the sealed render does not have it.
	Accept func(finding.Finding) bool
	// Public reports whether an encrypted value is known to be no secret (a user
	// name, an address), so that it may stand elsewhere as well. key is an RFC
	// 6901 pointer in the document of file.
	Public func(file, key string) bool
}

// Key is one key in a cloud or a Vault. ID is written as sops prints the key: an
// ARN ("arn:…", with "+role" behind it where the file asks for a role), the
// resource id of Google, "https://VAULT.vault.azure.net/keys/NAME/VERSION",
// "ADDRESS/v1/ENGINE/keys/NAME" of a Vault, the key id of Huawei.
type Key struct {
	Kind secrets.RecipientKind
	ID   string
}

// Result is a target with its real values. It prints as dots.
type Result struct {
	opaque

	// Objects are in the order of the render. Secrets have data and no stringData.
	Objects []*unstructured.Unstructured
	// Redact replaces every decrypted value in a text: see [Redactor.Redact].
	Redact func(text string) string
	// Files are the encrypted files that were opened, sorted.
	Files []string
}

// Objects decrypts one target. r must come straight from a [render.Builder] over
// sealed: what [secrets.Sealed.CheckRendered] masks is gone for good, so a render
// that was checked before is refused where a mask shows. Objects checks r itself,
// and leaves it masked.
//
// The error is a *[RefusedError] where the token flow, the bindings or the files
// are not in order, an *[Error] about one file or object, or ctx's.
func Objects(ctx context.Context, sealed *secrets.Sealed, r *render.Rendered, e secrets.Expectations, keys *Identities, opts Options) (*Result, error) {
	if r.Reason != "" {
		return nil, fmt.Errorf("decrypt %s: the target does not render", r.Target.Path)
	}
	j := &job{sealed: sealed, rendered: r, expect: e, keys: keys, opts: opts, files: map[string]*opened{}}
	for _, step := range []func(context.Context) error{j.copy, j.check, j.open, j.set, j.settle, j.inspect} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("decrypt %s: %w", r.Target.Path, err)
		}
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("decrypt %s: %w", r.Target.Path, err)
		}
	}
	return &Result{Objects: j.objects, Redact: j.redactor().Redact, Files: j.paths}, nil
}

// A job is the decryption of one target.
type job struct {
	opaque
	sealed   *secrets.Sealed
	rendered *render.Rendered
	expect   secrets.Expectations
	keys     *Identities
	opts     Options

	objects []*unstructured.Unstructured
	sites   []site
	paths   []string // of the files with a value in the target, sorted
	files   map[string]*opened
}

// copy takes the objects before CheckRendered masks them, and finds the tokens.
func (j *job) copy(context.Context) error {
	files, err := j.sealed.TokenFiles(j.rendered)
	if err != nil {
		return err
	}
	for _, o := range j.rendered.Objects {
		u := (&unstructured.Unstructured{Object: o.Value}).DeepCopy()
		j.objects = append(j.objects, u)
		j.sites = append(j.sites, sitesOf(u, o.Object, files)...)
	}
	for _, s := range j.sites {
		if s.file != "" { // else check says what the token is
			j.paths = append(j.paths, s.file)
		}
	}
	slices.Sort(j.paths)
	j.paths = slices.Compact(j.paths)
	return nil
}

// check is the gate's judgement of the target and of the files it uses, made
// again before a key is touched.
func (j *job) check(ctx context.Context) error {
	found := j.sealed.CheckRendered(j.rendered)
	found = append(found, j.sealed.CheckBinding(j.rendered, j.expect)...)
	for _, path := range j.paths {
		inFile, err := j.sealed.CheckFiles(ctx, path)
		if err != nil {
			return err
		}
		open, err := j.sealed.CheckRecipients(ctx, path, j.expect)
		if err != nil {
			return err
		}
		// The creation rules above the file are judged by the gate.
		open = slices.DeleteFunc(open, func(f finding.Finding) bool { return f.Location.File != path })
		found = append(found, slices.Concat(inFile, open)...)
	}
	return j.refuse(found)
}

// refuse keeps the findings that nobody waived.
func (j *job) refuse(found []finding.Finding) error {
	found = slices.DeleteFunc(finding.Merge(found), func(f finding.Finding) bool {
		if f.Rule == ruleLeak {
			return false
		}
		return f.Severity != finding.Error || j.opts.Accept != nil && j.opts.Accept(f)
	})
	if len(found) > 0 {
		return &RefusedError{Findings: found}
	}
	return nil
}

// ruleLeak is the rule that no waiver lifts here.
const ruleLeak = "secret-leak"

// open decrypts the files that the target uses.
func (j *job) open(ctx context.Context) error {
	if len(j.paths) > 0 && j.keys.none() && len(j.opts.Keys) == 0 {
		// sops would look for identities in the environment, in files and commands.
		return &Error{File: j.paths[0], Code: CodeNoIdentity}
	}
	total := 0
	for _, path := range j.paths {
		f, err := j.decrypt(ctx, path)
		if err != nil {
			return err
		}
		if total += f.size; total > maxTarget {
			return &Error{File: path, Code: CodeTooLarge}
		}
		j.files[path] = f
	}
	return nil
}
