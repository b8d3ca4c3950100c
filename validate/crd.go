package validate

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/finding"
)

const (
	crdKind  = "CustomResourceDefinition"
	crdGroup = "apiextensions.k8s.io"
)

// crd is one CustomResourceDefinition. It is converted and compiled when it is
// first asked for.
type crd struct {
	file  string       // empty for one of the render
	span  finding.Span // its place in file
	name  string
	group string
	kind  string

	value    map[string]any
	versions func() (map[string]crdVersion, error) // by "group/version/Kind"
	mu       sync.Mutex
	shapes   map[string]*shape
}

// newCRD wraps a decoded object; nil if it is no definition or names no kind.
func newCRD(value map[string]any) *crd {
	apiVersion, _ := value["apiVersion"].(string)
	if value["kind"] != crdKind || !strings.HasPrefix(apiVersion, crdGroup+"/") {
		return nil
	}
	c := &crd{value: value, shapes: map[string]*shape{}}
	c.name, _ = at(value, []string{"metadata", "name"}).(string)
	c.group, _ = at(value, []string{"spec", "group"}).(string)
	c.kind, _ = at(value, []string{"spec", "names", "kind"}).(string)
	if c.group == "" || c.kind == "" {
		return nil
	}
	c.versions = sync.OnceValues(func() (map[string]crdVersion, error) { return crdSchemas(value) })
	return c
}

// shape returns the schema of one version, or nil if the definition does not
// serve it. An error says what is wrong with the definition.
func (c *crd) shape(gvk string) (*shape, error) {
	versions, err := c.versions()
	if err != nil {
		return nil, err
	}
	version, ok := versions[gvk]
	if !ok {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.shapes[gvk]; s != nil {
		return s, nil
	}
	s, err := compile("crd:/"+gvk, version.Schema, refuse)
	if err != nil {
		return nil, err
	}
	s.defaults = version.Structural
	c.shapes[gvk] = s
	return s, nil
}

// served lists the definition's versions as "group/version", in order.
func (c *crd) served() []string {
	versions, _ := c.versions()
	var out []string
	for gvk := range versions {
		apiVersion, _ := splitGVK(gvk)
		out = append(out, apiVersion)
	}
	slices.Sort(out)
	return out
}

// broken is the finding about a definition that cannot be used.
func (c *crd) broken(err error) finding.Finding {
	return finding.Finding{
		Rule:     ruleInvalid,
		Severity: finding.Error,
		Message:  fmt.Sprintf("the definition of %s in %s cannot be used: %v", c.kind, c.group, err),
		Help:     "correct the CustomResourceDefinition; until then its objects are not checked",
		Object:   &finding.Object{APIVersion: crdGroup + "/v1", Kind: crdKind, Name: c.name},
		Location: c.span,
	}
}
