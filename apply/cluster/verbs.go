package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// pageSize is how many objects one LIST request asks for: kubectl's figure, a
// few megabytes at most.
const pageSize = 500

// ApplyOptions says how to apply.
type ApplyOptions struct {
	DryRun  bool   // the server does everything but store
	Force   bool   // take fields from other managers; see [Error.Conflicts]
	OnlyNew bool   // refuse an object that exists: by [Error.Conflicts], or as [Error.Stale]
	Manager string // field manager; empty means [Manager]
}

// noVersion is a resourceVersion that no object has: etcd's revision of the empty
// store, which the first write raises. To name it in a server-side apply creates
// an object and never changes one, with the fields under the manager's operation
// Apply, which a create would put under Update.
const noVersion = "1"

// Apply sends an object by server-side apply with strict field validation and
// returns what the server made of it.
//
// A resourceVersion or uid in the object is a precondition of a change: where it
// does not hold, the error is [Error.Stale]. An object that does not exist is
// created whatever its resourceVersion, and not for any uid. With DryRun, the
// resourceVersion of the result is empty where the object would be created, and
// that of the live object otherwise.
func (c *Cluster) Apply(ctx context.Context, u *unstructured.Unstructured, opts ApplyOptions) (*unstructured.Unstructured, error) {
	id := IDOf(u)
	if opts.OnlyNew {
		u = u.DeepCopy()
		u.SetResourceVersion(noVersion)
	}
	body, err := json.Marshal(u.Object)
	if err != nil { // never wrapped: its text may quote what it could not encode
		return nil, &Error{Verb: "apply", ID: id, text: "the object is not JSON"}
	}
	if opts.Manager == "" {
		opts.Manager = Manager
	}
	patch := metav1.PatchOptions{
		FieldManager: opts.Manager, Force: &opts.Force, DryRun: dryRun(opts.DryRun),
		FieldValidation: metav1.FieldValidationStrict,
	}
	return c.send(ctx, "apply", id, u.GroupVersionKind().Version, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return r.Patch(ctx, id.Name, types.ApplyPatchType, body, patch)
	})
}

// CreateOptions says how to create.
type CreateOptions struct {
	DryRun bool
}

// Create sends an object that must not exist yet.
func (c *Cluster) Create(ctx context.Context, u *unstructured.Unstructured, opts CreateOptions) (*unstructured.Unstructured, error) {
	create := metav1.CreateOptions{FieldManager: Manager, DryRun: dryRun(opts.DryRun), FieldValidation: metav1.FieldValidationStrict}
	return c.send(ctx, "create", IDOf(u), u.GroupVersionKind().Version, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return r.Create(ctx, u, create)
	})
}

// Get reads one object in the version that the server prefers.
func (c *Cluster) Get(ctx context.Context, id ID) (*unstructured.Unstructured, error) {
	return c.get(ctx, id, "")
}

// Live reads the object that u describes, in the version of u.
func (c *Cluster) Live(ctx context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.get(ctx, IDOf(u), u.GroupVersionKind().Version)
}

func (c *Cluster) get(ctx context.Context, id ID, version string) (*unstructured.Unstructured, error) {
	return c.send(ctx, "get", id, version, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return r.Get(ctx, id.Name, metav1.GetOptions{})
	})
}

// List reads the objects of a kind that a label selector selects, in the
// version that the server prefers. An empty namespace means all of them.
func (c *Cluster) List(ctx context.Context, gk schema.GroupKind, namespace, selector string) ([]*unstructured.Unstructured, error) {
	id := ID{Group: gk.Group, Kind: gk.Kind, Namespace: namespace}
	resource, err := c.resource(ctx, "list", id, "")
	if err != nil {
		return nil, err
	}
	var found []*unstructured.Unstructured
	opts := metav1.ListOptions{LabelSelector: selector, Limit: pageSize}
	for {
		var page *unstructured.UnstructuredList
		err := c.retry(quiet(ctx, id), func(ctx context.Context) (err error) {
			page, err = resource.List(ctx, opts)
			return err
		})
		if err != nil {
			return nil, c.failure("list", id, err)
		}
		for i := range page.Items {
			found = append(found, &page.Items[i])
		}
		if opts.Continue = page.GetContinue(); opts.Continue == "" {
			return found, nil
		}
	}
}

// DeleteOptions says what may be deleted, and how.
type DeleteOptions struct {
	UID             types.UID // precondition; empty means none
	ResourceVersion string    // precondition; empty means none
	Propagation     metav1.DeletionPropagation
	DryRun          bool
}

// Delete asks the server to delete an object. It does not wait.
func (c *Cluster) Delete(ctx context.Context, id ID, opts DeleteOptions) error {
	options := metav1.DeleteOptions{DryRun: dryRun(opts.DryRun)}
	if opts.Propagation != "" {
		options.PropagationPolicy = &opts.Propagation
	}
	if opts.UID != "" || opts.ResourceVersion != "" {
		options.Preconditions = &metav1.Preconditions{}
		if opts.UID != "" {
			options.Preconditions.UID = &opts.UID
		}
		if opts.ResourceVersion != "" {
			options.Preconditions.ResourceVersion = &opts.ResourceVersion
		}
	}
	_, err := c.send(ctx, "delete", id, "", func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return nil, r.Delete(ctx, id.Name, options)
	})
	return err
}

// send runs one request about one object.
func (c *Cluster) send(ctx context.Context, verb string, id ID, version string,
	request func(context.Context, dynamic.ResourceInterface) (*unstructured.Unstructured, error),
) (*unstructured.Unstructured, error) {
	resource, err := c.resource(ctx, verb, id, version)
	if err != nil {
		return nil, err
	}
	var got *unstructured.Unstructured
	err = c.retry(quiet(ctx, id), func(ctx context.Context) (err error) {
		got, err = request(ctx, resource)
		return err
	})
	if err != nil {
		return nil, c.failure(verb, id, err)
	}
	return got, nil
}

func (c *Cluster) resource(ctx context.Context, verb string, id ID, version string) (dynamic.ResourceInterface, error) {
	m, err := c.mapping(ctx, verb, id, version)
	if err != nil {
		return nil, err
	}
	resource := c.dynamic.Resource(m.Resource)
	if m.Scope.Name() == "namespace" && id.Namespace != "" {
		return resource.Namespace(id.Namespace), nil
	}
	if m.Scope.Name() == "namespace" && verb != "list" {
		return nil, &Error{Verb: verb, ID: id, text: fmt.Sprintf("%s is namespaced and the object has no namespace", id.Kind)}
	}
	return resource, nil
}

func quiet(ctx context.Context, id ID) context.Context {
	if id.secret() {
		return context.WithValue(ctx, quietKey{}, true)
	}
	return ctx
}

func dryRun(on bool) []string {
	if on {
		return []string{metav1.DryRunAll}
	}
	return nil
}
