//go:build unix

package encrypt

import (
	"os"
	"syscall"
)

// ownerOf is the owner and the group of a file.
func ownerOf(info os.FileInfo) [2]uint32 {
	stat := info.Sys().(*syscall.Stat_t)
	return [2]uint32{stat.Uid, stat.Gid}
}
