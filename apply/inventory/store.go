package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validation/path"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sallyport/sallyport/apply/cluster"
)

// tooling is the name under which the parent says who manages it.
const tooling = "sallyport"

const (
	// maxData is what a ConfigMap may hold (API server: MaxSecretSize, the same
	// for both), less the room for the keys and the revision.
	maxData = 1<<20 - 4<<10
	// maxAnnotations is what the annotations of an object may take together,
	// less the room for the others.
	maxAnnotations = 256<<10 - 4<<10
)

// Load reads the inventory of a set. A set that has no parent yet is empty. A
// parent that another tool manages, or that is not the parent of this set, is
// an error that says what to do.
func Load(ctx context.Context, c *cluster.Cluster, set Set) (*Inventory, error) {
	inv := &Inventory{Set: set, Members: map[cluster.ID]types.UID{}}
	parent, err := c.Get(ctx, set.Parent())
	if cluster.IsNotFound(err) {
		return inv, nil
	}
	if err != nil {
		return nil, fmt.Errorf("inventory of set %s: %w", set.Name, err)
	}
	if err := inv.read(parent); err != nil {
		return nil, fmt.Errorf("inventory of set %s: ConfigMap %s/%s %w", set.Name, parent.GetNamespace(), parent.GetName(), err)
	}
	return inv, nil
}

// read takes over what a parent says, once it is sure to be ours.
func (i *Inventory) read(parent *unstructured.Unstructured) error {
	tool := parent.GetAnnotations()[annotationTooling]
	name, _, _ := strings.Cut(tool, "/")
	switch id := parent.GetLabels()[LabelID]; {
	case name != tooling && tool != "":
		return fmt.Errorf("is managed by %q: use another set name, or hand the set over by changing its annotation %s to %q",
			tool, annotationTooling, i.Set.tooling())
	case id == "" && tool == "":
		return fmt.Errorf("exists and is no inventory: use another set name, or delete it")
	case id != i.Set.ID():
		return fmt.Errorf("has %s=%q and not this set's %q: it was copied or renamed; delete it, then label its objects or let them be adopted",
			LabelID, id, i.Set.ID())
	}
	if of := parent.GetAnnotations()[annotationSource]; of != "" && i.Set.Source != "" && of != i.Set.Source {
		return fmt.Errorf("is the inventory of %q, and %q would have the same name: rename one of the two", cluster.OneLine(of, maxEntry), i.Set.Source)
	}
	i.version = parent.GetResourceVersion()
	i.Revision, _, _ = unstructured.NestedString(parent.Object, "data", "revision")
	i.Applying, _, _ = unstructured.NestedString(parent.Object, "data", "applying")
	listed, found, err := unstructured.NestedString(parent.Object, "data", "inventory")
	if err != nil || !found {
		return nil // the first run died between creating the parent and writing the list
	}
	var members map[string]types.UID
	if json.Unmarshal([]byte(listed), &members) != nil {
		return fmt.Errorf("has data.inventory that is not JSON of object to uid: restore it, or delete the ConfigMap (kubectl -n %s delete configmap %s): "+
			"what Git has is adopted anew then, and what it does not have any more is left for you to delete", parent.GetNamespace(), parent.GetName())
	}
	for _, s := range slices.Sorted(maps.Keys(members)) {
		id, err := memberID(s)
		if err != nil {
			return fmt.Errorf("has data.inventory with %w: take that entry out (kubectl -n %s edit configmap %s); nothing is lost, since no object can have that name",
				err, parent.GetNamespace(), parent.GetName())
		}
		i.Members[id] = members[s]
	}
	i.written = true
	return nil
}

// maxEntry bounds what is quoted of an entry, in bytes: a kind, a namespace and a
// name as long as they may be fit in.
const maxEntry = 500

// memberID reads an entry of the list. The first versions wrote names there
// before the server had seen them.
func memberID(entry string) (cluster.ID, error) {
	id, err := cluster.ParseID(entry)
	if err != nil || len(path.IsValidPathSegmentName(id.Name)) > 0 || len(path.IsValidPathSegmentName(id.Namespace)) > 0 {
		return id, fmt.Errorf("the entry %q, which is not Kind.group/namespace/name of an object", cluster.OneLine(entry, maxEntry))
	}
	return id, nil
}

// Superset adds members to the list and writes it, before anything is changed:
// those that exist with their uid, those that are to be created as [Pending].
// It also notes which revision is on its way, unless it is the one that is there.
// A parent that changed since it was read is an error: another runner is at it.
func (i *Inventory) Superset(ctx context.Context, c *cluster.Cluster, members map[cluster.ID]types.UID, revision string) error {
	union := maps.Clone(i.Members)
	maps.Copy(union, members)
	if i.version == "" {
		if err := i.create(ctx, c); err != nil {
			return fmt.Errorf("inventory of set %s: %w", i.Set.Name, err)
		}
	}
	applying := i.Applying
	if revision != i.Revision {
		applying = revision
	}
	return i.write(ctx, c, &Inventory{Set: i.Set, Members: union, Revision: i.Revision, Applying: applying})
}

// create makes a parent without a list, so that the write of the first list has
// a resourceVersion to name and only one of two runners gets it through.
func (i *Inventory) create(ctx context.Context, c *cluster.Cluster) error {
	u, err := (&Inventory{Set: i.Set}).object("")
	if err != nil {
		return err
	}
	delete(u.Object, "data")
	parent, err := c.Create(ctx, u, cluster.CreateOptions{})
	if err == nil {
		i.version = parent.GetResourceVersion()
		return nil
	}
	if !cluster.IsExists(err) {
		return err
	}
	// By another runner just now, or by this one, whose answer was lost.
	found, err := Load(ctx, c, i.Set)
	if err != nil {
		return err
	}
	if found.written {
		return errRace
	}
	*i = *found
	return nil
}

// errRace says that two runs are at the same set.
var errRace = errors.New("the ConfigMap was changed by another runner or by hand since it was read; run again")

// Shrink writes what is left after the last change.
func (i *Inventory) Shrink(ctx context.Context, c *cluster.Cluster, members map[cluster.ID]types.UID, revision string) error {
	return i.write(ctx, c, &Inventory{Set: i.Set, Members: members, Revision: revision})
}

// write replaces the parent's text by next, if it differs, and i with it.
func (i *Inventory) write(ctx context.Context, c *cluster.Cluster, next *Inventory) error {
	if i.written && i.Revision == next.Revision && i.Applying == next.Applying && maps.Equal(i.Members, next.Members) {
		return nil
	}
	u, err := next.object(i.version)
	if err != nil {
		return fmt.Errorf("inventory of set %s: %w", i.Set.Name, err)
	}
	// A parent that was read and found to be ours is written whatever manager
	// touched it, as the one who handed it over must have; its resourceVersion
	// sees to it that nothing is overwritten unread.
	stored, err := c.Apply(ctx, u, cluster.ApplyOptions{Force: i.version != ""})
	if cluster.IsConflict(err) && i.arrived(ctx, c, next) {
		return nil
	}
	if cluster.IsConflict(err) {
		return fmt.Errorf("inventory of set %s: %w: %w", i.Set.Name, errRace, err)
	}
	if err != nil {
		return fmt.Errorf("inventory of set %s: %w", i.Set.Name, err)
	}
	i.Members, i.Revision, i.Applying = maps.Clone(next.Members), next.Revision, next.Applying
	i.version, i.written = stored.GetResourceVersion(), true
	if i.Members == nil {
		i.Members = map[cluster.ID]types.UID{}
	}
	return nil
}

// arrived says whether a write that was refused for its resourceVersion had been
// done after all, as when its answer was lost and it was sent again, and if so
// takes it over.
func (i *Inventory) arrived(ctx context.Context, c *cluster.Cluster, next *Inventory) bool {
	stored, err := Load(ctx, c, i.Set)
	if err != nil || !stored.written || stored.Revision != next.Revision || stored.Applying != next.Applying || !maps.Equal(stored.Members, next.Members) {
		return false
	}
	*i = *stored
	return true
}

// object is the parent as it is sent.
func (i *Inventory) object(version string) (*unstructured.Unstructured, error) {
	kinds, namespaces := map[string]bool{}, map[string]bool{}
	members := make(map[string]types.UID, len(i.Members))
	for id, uid := range i.Members {
		members[id.String()] = uid
		kinds[id.GroupKind().String()] = true
		if id.Namespace != "" && id.Namespace != i.Set.Namespace {
			namespaces[id.Namespace] = true
		}
	}
	list, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	annotations := map[string]any{
		annotationTooling:    i.Set.tooling(),
		annotationKinds:      strings.Join(slices.Sorted(maps.Keys(kinds)), ","),
		annotationNamespaces: strings.Join(slices.Sorted(maps.Keys(namespaces)), ","),
	}
	if i.Set.Source != "" {
		annotations[annotationSource] = i.Set.Source
	}
	if err := fits(len(members), len(list), annotations); err != nil {
		return nil, err
	}
	parent := i.Set.Parent()
	metadata := map[string]any{
		"name": parent.Name, "namespace": parent.Namespace,
		"labels": map[string]any{LabelID: i.Set.ID()}, "annotations": annotations,
	}
	if version != "" {
		metadata["resourceVersion"] = version
	}
	data := map[string]any{"inventory": string(list), "revision": i.Revision}
	if i.Applying != "" {
		data["applying"] = i.Applying
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}}, nil
}

// fits says, before the server does, that a set is too large to be remembered.
func fits(objects, list int, annotations map[string]any) error {
	if list > maxData {
		return fmt.Errorf("the list of %d objects takes %d bytes and a ConfigMap holds %d: split the target into several", objects, list, maxData)
	}
	size := 0
	for k, v := range annotations {
		size += len(k) + len(v.(string))
	}
	if size > maxAnnotations {
		return fmt.Errorf("the kinds and namespaces of %d objects take %d bytes and annotations hold %d: split the target into several", objects, size, maxAnnotations)
	}
	return nil
}

func (s Set) tooling() string { return tooling + "/v" + strings.TrimPrefix(s.Version, "v") }
