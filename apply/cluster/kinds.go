package cluster

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/restmapper"
)

// kinds is what the server serves, asked for once and kept until reset.
//
// client-go's deferred mapper drops the error of a group that could not be
// discovered, so that an aggregated API that is down for a minute looks like
// one whose kinds were deleted, and a prune would forget their objects. This one
// tells the two apart.
type kinds struct {
	server *discovery.DiscoveryClient

	mu     sync.Mutex
	mapper meta.RESTMapper
	failed map[string]bool // groups whose discovery failed
}

func (k *kinds) reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mapper, k.failed = nil, nil
}

// mapping finds the resource of a kind: in the given version, or in the one
// that the server prefers where the version is empty.
func (k *kinds) mapping(ctx context.Context, gk schema.GroupKind, version string) (*meta.RESTMapping, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mapper == nil {
		if err := k.discover(ctx); err != nil {
			return nil, err
		}
	}
	var versions []string
	if version != "" {
		versions = append(versions, version)
	}
	found, err := k.mapper.RESTMapping(gk, versions...)
	if err != nil && k.failed[gk.Group] {
		return nil, fmt.Errorf("discovery of API group %s failed: its server does not answer", gk.Group)
	}
	return found, err
}

// discover asks the server, which takes two requests, and only two since
// Kubernetes 1.26 (KEP-3352).
func (k *kinds) discover(ctx context.Context) error {
	groups, lists, err := k.server.ServerGroupsAndResourcesWithContext(ctx)
	failed := map[string]bool{}
	if partial, ok := discovery.GroupDiscoveryFailedErrorGroups(err); ok {
		for gv := range partial {
			failed[gv.Group] = true
		}
	} else if err != nil {
		return err
	}
	byVersion := map[string][]metav1.APIResource{}
	for _, list := range lists {
		byVersion[list.GroupVersion] = list.APIResources
	}
	var served []*restmapper.APIGroupResources
	for _, g := range groups {
		one := &restmapper.APIGroupResources{Group: *g, VersionedResources: map[string][]metav1.APIResource{}}
		for _, v := range g.Versions {
			if resources, ok := byVersion[v.GroupVersion]; ok {
				one.VersionedResources[v.Version] = resources
			}
		}
		served = append(served, one)
	}
	k.mapper, k.failed = restmapper.NewDiscoveryRESTMapper(served), failed
	return nil
}

// Reset forgets which kinds the server serves. Call it after CRDs changed, and
// at the start of every run of a long-lived process.
func (c *Cluster) Reset() { c.kinds.reset() }

// Namespaced says whether objects of the kind live in a namespace. A kind that
// is not served gives an error for which [IsNoMatch] holds.
func (c *Cluster) Namespaced(ctx context.Context, gk schema.GroupKind) (bool, error) {
	m, err := c.mapping(ctx, "look up", ID{Group: gk.Group, Kind: gk.Kind}, "")
	if err != nil {
		return false, err
	}
	return m.Scope.Name() == meta.RESTScopeNameNamespace, nil
}

// mapping is the resource of an object's kind, with failures in the words of
// this package.
func (c *Cluster) mapping(ctx context.Context, verb string, id ID, version string) (*meta.RESTMapping, error) {
	var found *meta.RESTMapping
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		found, err = c.kinds.mapping(ctx, id.GroupKind(), version)
		return err
	})
	if err != nil {
		failure := c.failure(verb, id, err)
		if failure.NoMatch && version != "" {
			failure.text = fmt.Sprintf("the server does not serve %s in version %s", id.GroupKind(), version)
		}
		return nil, failure
	}
	return found, nil
}
