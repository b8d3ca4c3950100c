// Command sallyport checks a GitOps repository before it is merged: it renders
// every target without any key, and judges the result by schema, policy and the
// rules for secrets. In the cluster it does so again, decrypts and applies.
package main

import (
	"context"
	"os"
)

func main() {
	tune(os.Getenv)
	os.Exit(run(context.Background(), system(), os.Args[1:]))
}
