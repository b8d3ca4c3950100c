package apply

import (
	"maps"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// same says whether an apply would leave the live object as it is, fields and
// their managers alike. A change in managers alone has to be written too: a
// field that nobody knows to be ours would stay behind when it is removed.
func same(live, final *unstructured.Unstructured) bool {
	return live.GetAPIVersion() == final.GetAPIVersion() &&
		equality.Semantic.DeepEqual(withoutTimes(live), withoutTimes(final))
}

// withoutTimes is the object without the times at which managers last wrote. It
// shares everything else with u.
func withoutTimes(u *unstructured.Unstructured) map[string]any {
	metadata, ok := u.Object["metadata"].(map[string]any)
	if !ok {
		return u.Object
	}
	entries, _ := metadata["managedFields"].([]any)
	timeless := make([]any, len(entries))
	for i, entry := range entries {
		if fields, ok := entry.(map[string]any); ok {
			fields = maps.Clone(fields)
			delete(fields, "time")
			entry = fields
		}
		timeless[i] = entry
	}
	object, metadata := maps.Clone(u.Object), maps.Clone(metadata)
	metadata["managedFields"] = timeless
	object["metadata"] = metadata
	return object
}
