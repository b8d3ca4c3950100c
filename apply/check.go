package apply

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validation/path"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/inventory"
)

// check refuses what must not be sent, before anything is: what only the server
// sets, what says itself which set it belongs to, and Secrets of the wrong shape.
// No message quotes a value.
func check(u *unstructured.Unstructured) error {
	if u.GetAPIVersion() == "" || u.GetKind() == "" {
		return errors.New("has no apiVersion or no kind")
	}
	if u.GetName() == "" {
		return errors.New("has no metadata.name, which an object needs to be applied again; generateName will not do")
	}
	for _, name := range []string{u.GetName(), u.GetNamespace()} {
		// The inventory is written before the server sees the object, and could not
		// be read again: a slash parts the namespace from the name there.
		if wrong := path.IsValidPathSegmentName(name); len(wrong) > 0 {
			return fmt.Errorf("has a name or a namespace that no object can have: it %s", strings.Join(wrong, ", "))
		}
	}
	if u.IsList() && strings.HasSuffix(u.GetKind(), "List") {
		return errors.New("is a list: its items have to be given one by one")
	}
	metadata, ok := u.Object["metadata"].(map[string]any)
	if !ok {
		return errors.New("has metadata that is not a map")
	}
	for _, key := range []string{"uid", "resourceVersion", "managedFields"} {
		if _, has := metadata[key]; has {
			return fmt.Errorf("sets metadata.%s, which belongs to the server: remove it from the manifest", key)
		}
	}
	for _, key := range []string{"labels", "annotations"} {
		if err := stringMap(metadata[key], "metadata."+key); err != nil {
			return err
		}
	}
	if _, has := u.Object["sops"]; has {
		return errors.New("is still encrypted: it has a sops block")
	}
	if err := inventory.Check(u); err != nil {
		return err
	}
	if u.GetAPIVersion() == "v1" && u.GetKind() == "Secret" {
		return checkSecret(u, metadata)
	}
	return nil
}

// encrypted begins every value that sops encrypted.
const encrypted = "ENC[AES256_GCM,"

// checkSecret holds a Secret to its schema. The API server would answer a value
// of the wrong type with that value, and write it to its own log and to the
// audit log.
func checkSecret(u *unstructured.Unstructured, metadata map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(u.Object)) {
		switch key {
		case "apiVersion", "kind", "metadata", "data":
		case "stringData":
			return errors.New("has stringData, of which keys stay behind when they are removed: it must be given as data")
		case "type":
			if _, ok := u.Object[key].(string); !ok {
				return errors.New("has a type that is not a string")
			}
		case "immutable":
			if _, ok := u.Object[key].(bool); !ok {
				return errors.New("has an immutable that is not true or false")
			}
		default:
			return fmt.Errorf("has a field %q, which a Secret does not have", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		switch key {
		case "name", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "creationTimestamp":
		default:
			return fmt.Errorf("has a field metadata.%s, which does not belong into a manifest", key)
		}
	}
	if at := metadata["creationTimestamp"]; at != nil {
		return errors.New("sets metadata.creationTimestamp, which belongs to the server: remove it from the manifest")
	}
	if err := checkReferences(metadata); err != nil {
		return err
	}
	return checkData(u.Object["data"])
}

func checkReferences(metadata map[string]any) error {
	if _, _, err := unstructured.NestedStringSlice(metadata, "finalizers"); err != nil {
		return errors.New("has metadata.finalizers that are not a list of strings")
	}
	if metadata["ownerReferences"] != nil {
		return errors.New("has metadata.ownerReferences, which a Secret from a repository cannot have: they name a uid")
	}
	return nil
}

func checkData(data any) error {
	if err := stringMap(data, "data"); err != nil || data == nil {
		return err
	}
	values := data.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value, err := base64.StdEncoding.DecodeString(values[key].(string))
		if err != nil {
			return fmt.Errorf("has a value at data.%s that is not base64", key)
		}
		if strings.Contains(string(value), encrypted) {
			return fmt.Errorf("is still encrypted at data.%s", key)
		}
	}
	return nil
}

// stringMap refuses anything but a map of strings to strings, or nothing.
func stringMap(v any, path string) error {
	if v == nil {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("has %s that is not a map", path)
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if _, ok := m[key].(string); !ok {
			return fmt.Errorf("has a value at %s.%s that is not a string", path, key)
		}
	}
	return nil
}
