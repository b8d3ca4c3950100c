package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
)

// pin names one version of a Go module and its checksum, as in go.sum.
type pin struct {
	Path    string
	Version string
	Sum     string
}

// fetch downloads the module, or finds it in the module cache, and returns the
// directory that holds its files. A checksum other than the pinned one is an
// error.
func fetch(p pin) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("go", "mod", "download", "-json", p.Path+"@"+p.Version)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	var got struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		return "", fmt.Errorf("download %s@%s: %w: %s", p.Path, p.Version, runErr, stderr.String())
	}
	if got.Error != "" {
		return "", fmt.Errorf("download %s@%s: %s", p.Path, p.Version, got.Error)
	}
	if got.Sum != p.Sum {
		return "", fmt.Errorf("download %s@%s: checksum is %s, pinned is %s", p.Path, p.Version, got.Sum, p.Sum)
	}
	return got.Dir, nil
}
