package secrets

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// metadata judges labels, annotations and the type of the Secrets that hold
// encrypted values. What the file of the Secret sets itself is its author's
// decision; what comes from elsewhere, a patch for instance, must not make a
// controller copy the Secret or take it for another kind of credential. Labels
// that are not known pass: selectors need them everywhere, and controllers are
// told what to do by annotations.
func (b *bound) metadata() {
	seen := map[*render.Object]bool{}
	for _, a := range b.arrivals {
		if seen[a.object] {
			continue
		}
		seen[a.object] = true
		home := b.rendered.Place(a.object, "").Span.File
		metadata, _ := a.object.Value["metadata"].(map[string]any)
		for _, field := range []string{"annotations", "labels"} {
			values, _ := metadata[field].(map[string]any)
			for _, key := range sortedKeys(values) {
				pointer, what := source.Pointer("metadata", field, key), fmt.Sprintf("%s %q", strings.TrimSuffix(field, "s"), key)
				if b.e.allows(key) {
					continue
				}
				if effect := effectOf(key); effect != "" {
					b.foreign(a, home, pointer, finding.Error, what+" makes a controller "+effect+" the Secret")
					b.unproved(a, home, pointer, what+" makes a controller "+effect+" the Secret")
				} else if field == "annotations" && !harmless.MatchString(key) {
					b.foreign(a, home, pointer, finding.Warning, what+" is none that is known to leave the Secret alone")
				}
			}
		}
		if _, ok := a.object.Value["type"]; ok {
			b.foreign(a, home, "/type", finding.Error, "the type of the Secret, on which its readers depend, is changed")
		}
	}
}

// foreign reports a field that is set outside the file of the Secret.
func (b *bound) foreign(a arrival, home, pointer string, severity finding.Severity, message string) {
	if b.rendered.Place(a.object, pointer).Span.File == home {
		return
	}
	f := b.rendered.At(a.object, pointer, finding.Finding{
		Rule: ruleMetadata, Severity: severity,
		Message: message + ", and is set outside its file",
		Help:    "set it in the file that holds the encrypted values, or take it away",
	})
	b.out = append(b.out, f)
}

// unproved reports a field in the file of the Secret itself that its MAC does not
// cover, where nothing says what stood there before: anybody may have put it in.
func (b *bound) unproved(a arrival, home, pointer, message string) {
	open := slices.ContainsFunc(b.blocks(home), func(k block) bool { return k.meta.MACOnlyEncrypted })
	if !b.e.NoBase || !open || b.rendered.Place(a.object, pointer).Span.File != home {
		return
	}
	b.out = append(b.out, b.rendered.At(a.object, pointer, finding.Finding{
		Rule: ruleMetadata, Severity: finding.Error,
		Message: message + ", and the mac of its file, with mac_only_encrypted, does not say who put it there",
		Help:    "allow it under secrets.metadata in the cluster's own configuration, or encrypt the file without mac_only_encrypted",
	}))
}

// copiers are the prefixes of the annotations and labels that known controllers
// act on: reflector, kubernetes-replicator, config-syncer (kubed), the
// hierarchical namespace controller, synator.
var copiers = regexp.MustCompile(`^(?:reflector\.v1\.k8s\.emberstack\.com|replicator\.v1\.mittwald\.de|` +
	`v1\.kubernetes-replicator\.olli\.com|(?:kubed|config-syncer)\.appscode\.com|propagate\.hnc\.x-k8s\.io|synator)/`)

// copying fits the names that a controller nobody here has heard of may have
// given the same thing.
var copying = regexp.MustCompile(`(?i)replicat|reflect|mirror|propagat|clone|cop(?:y|ied)|(?:^|[^a-z])sync(?:$|[^a-z])|export`)

// applied fits what copying fits and steers only how the object itself is
// applied.
var applied = regexp.MustCompile(`^(?:argocd\.argoproj\.io|(?:kustomize|helm)\.toolkit\.fluxcd\.io|kapp\.k14s\.io)/`)

// harmless fits annotations that make nobody read or write the Secret: what says
// how it is applied, rendered, described or judged, and what is about Pods. A key
// without a prefix is the user's own (Kubernetes, "Annotations": automated
// components must have one).
var harmless = regexp.MustCompile(`^(?:[^/]+$|kubernetes\.io/(?:description|change-cause)$|(?:` + strings.Join([]string{
	`app\.kubernetes\.io`, `kubectl\.kubernetes\.io`, `(?:internal\.)?config\.kubernetes\.io`, `(?:kustomize\.)?config\.k8s\.io`,
	`(?:meta\.)?helm\.sh`, `(?:[a-z]+\.toolkit|reconcile)\.fluxcd\.io`, `argocd\.argoproj\.io`, `kapp\.k14s\.io`, `kluctl\.io`, `pulumi\.com`,
	`app\.openshift\.io`, `a8r\.io`, `backstage\.io`, `checkov\.io`, `ignore-check\.kube-linter\.io`, `kube-score`,
	`polaris\.fairwinds\.com`, `(?:config\.)?linkerd\.io`, `(?:[a-z]+\.)?istio\.io`, `prometheus\.io`, `reloader\.stakater\.com`,
}, "|") + `)/)`)

// adopters are the keys that turn a Secret into a credential of a controller.
var adopters = map[string]bool{
	"argocd.argoproj.io/secret-type":     true, // a repository, a cluster
	"kubernetes.io/service-account.name": true, // filled with a token
	"jenkins.io/credentials-type":        true,
	"cluster.x-k8s.io/cluster-name":      true,
	"external-secrets.io/type":           true,
}

// allows reports whether the configuration lets Secrets have a key.
func (e Expectations) allows(key string) bool {
	return slices.ContainsFunc(e.Metadata, func(pattern string) bool {
		ok, err := doublestar.Match(pattern, key)
		return ok && err == nil
	})
}

// effectOf says what a controller does with a Secret because of a key of its
// metadata; "" where none is known to do anything.
func effectOf(key string) string {
	switch {
	case copiers.MatchString(key):
		return "copy"
	case adopters[key]:
		return "use"
	case copying.MatchString(key) && !applied.MatchString(key):
		return "copy"
	}
	return ""
}
