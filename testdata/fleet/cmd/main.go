// Command cmd writes the benchmark repository of package fleet:
//
//	go run ./testdata/fleet/cmd [-apps N] [-envs N] DIR
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/sallyport/sallyport/testdata/fleet"
)

func main() {
	var opts fleet.Options
	flag.IntVar(&opts.Apps, "apps", fleet.DefaultApps, "number of applications")
	flag.IntVar(&opts.Envs, "envs", fleet.DefaultEnvs, "number of environments of each")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./testdata/fleet/cmd [-apps N] [-envs N] DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := fleet.Write(flag.Arg(0), opts); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Printf("%d overlays of %d objects in %s\n", opts.Overlays(), fleet.ObjectsPerOverlay, flag.Arg(0))
}
