// Command gen writes the assets that package validate embeds: the definitions
// of the Kubernetes API, the schemas of popular custom resources, and the life
// cycle of API versions.
//
// Run it as `go run -C validate/gen .`. Everything comes from Go modules that
// are pinned by version and checksum (see pins.go), so the same pins give the
// same bytes on any machine.
package main

import (
	"fmt"
	"os"
)

// assets is where the files go, relative to this directory.
const assets = "../schemas"

func main() {
	if err := run(assets); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes the assets to a directory.
func run(dir string) error {
	releases, err := loadReleases(kubernetesPins)
	if err != nil {
		return err
	}
	crds, err := loadCRDs(crdSources)
	if err != nil {
		return err
	}
	lifecycles, err := loadLifecycles(lifecyclePins)
	if err != nil {
		return err
	}
	if err := complete(lifecycles, releases); err != nil {
		return err
	}
	if err := writeKubernetes(dir, releases); err != nil {
		return err
	}
	if err := writeCRDs(dir, crds); err != nil {
		return err
	}
	if err := writeLifecycles(dir, lifecycles); err != nil {
		return err
	}
	return writeNotice(dir, releases, crdSources)
}
