// Package policies holds the rules that ship with sallyport, in Rego, with
// their unit tests. A directory is a rule: policy.rego with its documentation
// in METADATA, policy_test.rego, and the manifests bad.yaml and good.yaml that
// show it at work. What the rules share is in lib.
//
// Any policy may import data.sallyport.kubernetes and data.sallyport.images;
// only files of this directory may add to the package sallyport.
package policies

import "embed"

// FS holds the files of this directory.
//
//go:embed lib */*.rego */*.yaml
var FS embed.FS
