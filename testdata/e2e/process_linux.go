package main

import "syscall"

// attributes put a child into a group of its own, so that an interrupt at a
// terminal goes to "up" alone, and have it killed with the thread that starts it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
