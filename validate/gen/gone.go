package main

// goneKinds are API versions whose types no module of lifecyclePins holds with
// its life cycle, and deprecations that the server announces elsewhere.
//
// Source: the releases' own api/openapi-spec (the first that lacks the kind is
// the one that removed it), and for deprecations
// https://kubernetes.io/docs/reference/using-api/deprecation-guide/. Two kinds
// are deprecated by a warning in the server's code: ComponentStatus and
// Endpoints.
var goneKinds = map[string]lifecycle{
	"auditregistration.k8s.io/v1alpha1/AuditSink":           {Introduced: "1.13", Removed: "1.19"},
	"batch/v2alpha1/CronJob":                                {Removed: "1.21", Replacement: "batch/v1/CronJob"},
	"discovery.k8s.io/v1alpha1/EndpointSlice":               {Introduced: "1.16", Removed: "1.17"},
	"networking.k8s.io/v1alpha1/ClusterCIDR":                {Introduced: "1.25", Removed: "1.29"},
	"node.k8s.io/v1alpha1/RuntimeClass":                     {Introduced: "1.12", Removed: "1.24"},
	"rbac.authorization.k8s.io/v1alpha1/ClusterRole":        {Deprecated: "1.17", Removed: "1.23"},
	"rbac.authorization.k8s.io/v1alpha1/ClusterRoleBinding": {Deprecated: "1.17", Removed: "1.23"},
	"rbac.authorization.k8s.io/v1alpha1/Role":               {Deprecated: "1.17", Removed: "1.23"},
	"rbac.authorization.k8s.io/v1alpha1/RoleBinding":        {Deprecated: "1.17", Removed: "1.23"},
	"resource.k8s.io/v1alpha1/PodScheduling":                {Introduced: "1.26", Removed: "1.27"},
	"resource.k8s.io/v1alpha1/ResourceClaim":                {Introduced: "1.26", Removed: "1.27"},
	"resource.k8s.io/v1alpha1/ResourceClaimTemplate":        {Introduced: "1.26", Removed: "1.27"},
	"resource.k8s.io/v1alpha1/ResourceClass":                {Introduced: "1.26", Removed: "1.27"},
	"scheduling.k8s.io/v1alpha1/PriorityClass":              {Deprecated: "1.14", Removed: "1.23"},
	"settings.k8s.io/v1alpha1/PodPreset":                    {Introduced: "1.6", Removed: "1.20"},
	"v1/ComponentStatus":                                    {Introduced: "1.0", Deprecated: "1.19"},
	"v1/Endpoints":                                          {Introduced: "1.0", Deprecated: "1.33", Replacement: "discovery.k8s.io/v1/EndpointSlice"},
}
