// Command e2e is a whole Kubernetes control plane in one program, for tests: its
// first argument chooses etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, kwok or kubectl; "up" starts all of them together.
//
// One binary shares what six would each contain: a third of the size, and one
// link instead of six.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 || applets()[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: e2e up|etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kwok|kubectl [flags]")
		os.Exit(2)
	}
	run := applets()[os.Args[1]]
	// The programs read os.Args themselves and expect their own name first.
	os.Args = os.Args[1:]
	os.Exit(run())
}
