//go:build !linux && !darwin

package repo

import "io/fs"

// statOf proves nothing on this system: every file is read.
func statOf(fs.FileInfo) seen { return seen{} }
