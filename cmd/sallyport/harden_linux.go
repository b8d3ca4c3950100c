package main

import "golang.org/x/sys/unix"

// harden keeps the memory of this process out of files and from other processes
// of the same user: no core dumps (setrlimit(2)), no ptrace and no reading of
// /proc/PID/mem (prctl(2), PR_SET_DUMPABLE).
func harden() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
