package repo

// Proved lists the files on disk whose ids the index proves.
func (s *Snapshot) Proved() []string {
	var names []string
	for i, id := range s.clean() {
		if id != "" {
			names = append(names, s.entries[i].Path)
		}
	}
	return names
}
