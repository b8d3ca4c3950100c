// Package source reads one YAML or JSON file: the safety check that runs before
// any other parser sees it, its documents, and the way between a JSON pointer
// and a line and column.
package source
