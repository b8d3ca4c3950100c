//go:build !linux

package main

import "syscall"

// attributes put a child into a group of its own, so that an interrupt at a
// terminal goes to "up" alone. Only Linux can tie its life to that of "up".
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
