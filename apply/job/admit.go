package job

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/secrets/decrypt"
)

// admit has the gate judge the commit by the cluster's own configuration, and
// decrypts what passes. After it the snapshot is not needed any more.
func (r *run) admit(ctx context.Context) error {
	opts := r.job.opts
	opts.Tell("checking")
	admission, err := gate.Admit(ctx, gate.Options{
		Snapshot: r.snapshot, Own: opts.Config, Targets: opts.Targets, Jobs: opts.Jobs, ToolVersion: opts.ToolVersion, Now: opts.Now,
	})
	if errors.Is(err, gate.ErrNoTargets) {
		err = fmt.Errorf("%s: %w; nothing was changed in the cluster", r.origin(), err)
	}
	if err != nil {
		return &Error{Stage: StageGate, Err: err}
	}
	r.outcome.Admission = admission
	r.outcome.Notes = append(r.outcome.Notes, r.unjudged(admission.Expectations)...)
	if admission.Failed {
		return &Error{Stage: StageGate, Err: fmt.Errorf("%w: errors: %d", ErrRefused, admission.Report.Summary.Errors)}
	}
	if opts.Expect != "" {
		if err := admission.Expect(opts.Expect); err != nil {
			return &Error{Stage: StageDigest, Err: err}
		}
	}
	return r.decrypt(ctx, admission)
}

// unjudged says what nobody judges, since the configuration does not say how: it
// is the operator's to decide, and to know.
func (r *run) unjudged(e secrets.Expectations) (notes []string) {
	config := r.config.Apply
	keys := len(config.Identities.Files)+len(config.Identities.Keys) > 0 || config.Identities.Secret != ""
	if keys && e.Creation == nil && len(e.Environments) == 0 {
		notes = append(notes, "for whom secrets are encrypted is not judged: put creation rules (.sops.yaml) beside the configuration, name them in secrets.recipients.from, or list the keys in secrets.environments")
	}
	if config.Verify.Require == "" && r.job.opts.Expect == "" {
		notes = append(notes, "who made a commit is not judged: set apply.verify.require, and the keys in apply.verify.allowedSignersFile or apply.verify.gpgKeyringFiles")
	}
	return notes
}

// decrypt makes the targets of what was admitted.
func (r *run) decrypt(ctx context.Context, admission *gate.Admission) error {
	keys, err := r.identities(ctx)
	if err != nil {
		return &Error{Stage: StageDecrypt, Err: err}
	}
	allowed := r.decryptOptions(admission.Report)
	for _, a := range admission.Targets {
		result, err := decrypt.Objects(ctx, admission.Sealed, a.Rendered, admission.Expectations, keys, allowed)
		if err != nil {
			return &Error{Stage: StageDecrypt, Target: a.Target.Path, Err: err}
		}
		t, err := r.newTarget(a, result)
		if err != nil {
			return err
		}
		r.targets = append(r.targets, t)
		r.outcome.Targets = append(r.outcome.Targets, t.outcome)
	}
	return nil
}

// decryptOptions are what the configuration and the gate's verdict allow beyond
// the strictest.
func (r *run) decryptOptions(report *finding.Report) decrypt.Options {
	config := r.config.Apply.Identities
	opts := decrypt.Options{
		Accept: acceptedBy(report),
		Public: func(file, key string) bool { return slices.Contains(config.Public, file+"#"+key) },
	}
	for _, k := range config.Keys {
		opts.Keys = append(opts.Keys, decrypt.Key{Kind: secrets.RecipientKind(k.Kind), ID: k.ID})
	}
	return opts
}

// acceptedBy lets a finding pass that the gate has judged already: it is in the
// report of a gate that passed, as a warning or with a waiver.
func acceptedBy(report *finding.Report) func(finding.Finding) bool {
	type key struct{ rule, place, pointer, message string }
	of := func(f finding.Finding) key {
		return key{f.Rule, f.Location.String(), f.Pointer, f.Message}
	}
	known := map[key]bool{}
	for _, f := range report.Findings {
		known[of(f)] = true
	}
	return func(f finding.Finding) bool { return known[of(f)] }
}

// secretData decodes the data of a live Secret.
func secretData(u *unstructured.Unstructured) (map[string][]byte, error) {
	data, _, err := unstructured.NestedStringMap(u.Object, "data")
	if err != nil {
		return nil, errors.New("its data cannot be read")
	}
	out := map[string][]byte{}
	for key, text := range data {
		value, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("its data cannot be read")
		}
		out[key] = value
	}
	return out, nil
}
