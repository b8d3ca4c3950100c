package decrypt

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

// maxSecret is MaxSecretSize of k8s.io/api/core/v1: the sum of the decoded values.
const maxSecret = 1 << 20

// settle makes every Secret what the server would make of it, and validates it:
// the server answers a wrong value with the value, and logs it.
func (j *job) settle(context.Context) error {
	binds := []string{secrets.BindKey}
	for _, path := range j.paths {
		binds = append(binds, secrets.BindKey+j.files[path].suffix)
	}
	for i, u := range j.objects {
		if !isSecret(u) {
			continue
		}
		if err := settle(u, binds); err != nil {
			err.Object = &j.rendered.Objects[i].Object
			return err
		}
	}
	return nil
}

// settle turns stringData into data, as removing a key from stringData later
// would leave it in the cluster (kubernetes/kubernetes#108008), and drops the
// bind keys.
func settle(u *unstructured.Unstructured, binds []string) *Error {
	data, err := decoded(u, "data")
	if err != nil {
		return err
	}
	plain, err := decoded(u, "stringData")
	if err != nil {
		return err
	}
	maps.Copy(data, plain) // stringData wins, as in the server
	maps.DeleteFunc(data, func(key string, _ []byte) bool { return slices.Contains(binds, key) })
	_, had := u.Object["data"]
	delete(u.Object, "stringData")
	delete(u.Object, "data")
	size := 0
	fields := make(map[string]any, len(data))
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if len(validation.IsConfigMapKey(key)) > 0 {
			return &Error{Key: source.Pointer("data", key), Code: CodeSecretKey}
		}
		if size += len(data[key]); size > maxSecret {
			return &Error{Key: "/data", Code: CodeSecretSize}
		}
		fields[key] = base64.StdEncoding.EncodeToString(data[key])
	}
	if had || len(fields) > 0 {
		u.Object["data"] = fields
	}
	return typed(u)
}

// decoded reads data or stringData. null is an empty value, as in the server.
func decoded(u *unstructured.Unstructured, field string) (map[string][]byte, *Error) {
	out := map[string][]byte{}
	fields, ok := u.Object[field].(map[string]any)
	if !ok && u.Object[field] != nil {
		return nil, &Error{Key: source.Pointer(field), Code: CodeSecretValue}
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		text, ok := fields[key].(string)
		if !ok && fields[key] != nil {
			return nil, &Error{Key: source.Pointer(field, key), Code: CodeSecretValue}
		}
		out[key] = []byte(text)
		if field == "data" {
			raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(text))
			if err != nil {
				return nil, &Error{Key: source.Pointer(field, key), Code: CodeSecretValue}
			}
			out[key] = raw
		}
	}
	return out, nil
}

// typed checks the other fields of a Secret; what may change is the server's.
func typed(u *unstructured.Unstructured) *Error {
	if t, ok := u.Object["type"]; ok && t != nil {
		if _, ok := t.(string); !ok {
			return &Error{Key: "/type", Code: CodeSecretValue}
		}
	}
	if v, ok := u.Object["immutable"]; ok && v != nil {
		if _, ok := v.(bool); !ok {
			return &Error{Key: "/immutable", Code: CodeSecretValue}
		}
	}
	return nil
}
