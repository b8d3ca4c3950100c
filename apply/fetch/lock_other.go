//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package fetch

import (
	"errors"
	"os"
)

// lockFile fails: the apply job runs in a cluster, and there is no lock here that
// ends with the process.
func lockFile(string) (*os.File, error) {
	return nil, errors.New("mirrors cannot be locked on this system")
}
