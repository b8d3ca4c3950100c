package cluster

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Event is a v1 Event: something worth telling about an object.
type Event struct {
	Regarding *unstructured.Unstructured // needs apiVersion, kind, name and, to be found by kubectl describe, uid
	Warning   bool                       // type Warning instead of Normal
	Reason    string                     // one word in CamelCase, such as Applied
	Message   string                     // redacted, and cut after maxMessage bytes
	Time      time.Time
}

// maxMessage is the API's limit for the message of an Event.
const maxMessage = 1024

// Record creates an Event in the namespace of its object, or in "default" for
// a cluster-scoped one. It needs the verb create on events.
func (c *Cluster) Record(ctx context.Context, e Event) error {
	r := e.Regarding
	namespace, kind := r.GetNamespace(), "Normal"
	if namespace == "" {
		namespace = "default"
	}
	if e.Warning {
		kind = "Warning"
	}
	at := e.Time.UTC().Format(time.RFC3339)
	_, err := c.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Event",
		"metadata": map[string]any{
			"namespace": namespace,
			"name":      fmt.Sprintf("%.200s.%x", r.GetName(), e.Time.UnixNano()), // client-go's form, within 253 characters
		},
		"involvedObject": map[string]any{
			"apiVersion": r.GetAPIVersion(), "kind": r.GetKind(), "namespace": r.GetNamespace(),
			"name": r.GetName(), "uid": string(r.GetUID()), "resourceVersion": r.GetResourceVersion(),
		},
		"type": kind, "reason": e.Reason, "message": cut(c.redact(e.Message), maxMessage),
		"source": map[string]any{"component": Manager}, "reportingComponent": Manager,
		"firstTimestamp": at, "lastTimestamp": at, "count": int64(1),
	}}, CreateOptions{})
	if IsExists(err) {
		return nil // sent twice, since the first answer was lost
	}
	return err
}
