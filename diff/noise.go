package diff

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// DefaultNoise lists the labels and annotations that change with every release
// of a chart or with the content of something else that is shown anyway.
func DefaultNoise() []string {
	return []string{
		"helm.sh/chart", "chart", "app.kubernetes.io/version",
		"checksum/*", "*/checksum*", "*checksum",
		"config.kubernetes.io/*", "internal.config.kubernetes.io/*",
		"kubectl.kubernetes.io/last-applied-configuration", "argocd.argoproj.io/tracking-id",
	}
}

// Validate reports a malformed pattern.
func (o Options) Validate() error {
	for _, pattern := range o.Ignore {
		if _, err := path.Match(flat(pattern), ""); err != nil {
			return fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	return nil
}

// noise reports whether a field is a label or an annotation that a pattern
// names. Labels of a selector are none: they decide what is selected.
func (o Options) noise(at []string) bool {
	n := len(at)
	if n < 3 || at[n-3] != "metadata" || at[n-2] != "labels" && at[n-2] != "annotations" {
		return false
	}
	match := func(pattern string) bool {
		ok, _ := path.Match(flat(pattern), flat(at[n-1])) // Validate has judged it
		return ok
	}
	return slices.ContainsFunc(DefaultNoise(), match) || slices.ContainsFunc(o.Ignore, match)
}

// flat lets * cross the one slash that a key may have.
func flat(s string) string { return strings.ReplaceAll(s, "/", ":") }

// loss says what is lost when an object is deleted, "" for kinds that a new
// apply restores.
func loss(o finding.Object) string {
	switch group(o) + "/" + o.Kind {
	case "/PersistentVolumeClaim":
		return "deletes its volume and the data on it, unless the reclaim policy is Retain"
	case "/PersistentVolume":
		return "lets go of the storage behind it"
	case "/Namespace":
		return "deletes everything in it"
	case "apiextensions.k8s.io/CustomResourceDefinition":
		return "deletes every object of the kind that it defines"
	case "apps/StatefulSet":
		return "stops a stateful workload; its claims go too if persistentVolumeClaimRetentionPolicy says Delete"
	case "snapshot.storage.k8s.io/VolumeSnapshot", "snapshot.storage.k8s.io/VolumeSnapshotContent":
		return "deletes the snapshot, unless the deletion policy is Retain"
	case "kustomize.toolkit.fluxcd.io/Kustomization", "helm.toolkit.fluxcd.io/HelmRelease":
		return "deletes everything that it has applied, if it prunes"
	case "argoproj.io/Application", "argoproj.io/ApplicationSet":
		return "deletes everything that it has applied, if it cascades"
	case "postgresql.cnpg.io/Cluster", "acid.zalan.do/postgresql", "kafka.strimzi.io/Kafka", "kafka.strimzi.io/KafkaTopic",
		"mongodbcommunity.mongodb.com/MongoDBCommunity", "mariadb.mmontes.io/MariaDB", "k8s.mariadb.com/MariaDB":
		return "deletes a database or its topics with their data, as its operator decides"
	case "bitnami.com/SealedSecret", "external-secrets.io/ExternalSecret":
		return "deletes the Secret that it owns"
	}
	return ""
}

// kept names the annotation that keeps an object from being pruned.
func kept(value map[string]any) string {
	metadata, _ := value["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	for _, key := range []string{"kustomize.toolkit.fluxcd.io/prune", "argocd.argoproj.io/sync-options", "helm.sh/resource-policy"} {
		text, _ := annotations[key].(string)
		if text == "disabled" || text == "keep" || strings.Contains(text, "Prune=false") {
			return key
		}
	}
	return ""
}

func group(o finding.Object) string {
	group, _, ok := strings.Cut(o.APIVersion, "/")
	if !ok {
		return ""
	}
	return group
}
