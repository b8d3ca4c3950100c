package repo

// InGit reports whether the snapshot is of a Git repository. The root of any
// other is the directory that was asked for, and nothing above it is known.
func (s *Snapshot) InGit() bool { return s.git != nil || s.load != nil }
