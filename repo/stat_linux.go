package repo

import (
	"io/fs"
	"syscall"
)

func statOf(info fs.FileInfo) seen {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return seen{}
	}
	return seen{
		device: uint64(st.Dev),
		statData: statData{
			ctime: uint32(st.Ctim.Sec), ctimeNano: uint32(st.Ctim.Nsec),
			mtime: uint32(st.Mtim.Sec), mtimeNano: uint32(st.Mtim.Nsec),
			inode: uint32(st.Ino), uid: st.Uid, gid: st.Gid, size: uint32(st.Size),
		},
	}
}
