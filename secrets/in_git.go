package secrets

// InGit reports whether the sealed tree is of a Git repository. A tree that
// cannot tell is.
func (s *Sealed) InGit() bool {
	t, ok := s.tree.(interface{ InGit() bool })
	return !ok || t.InGit()
}
