package main

import (
	"embed"
	"io/fs"
	"strings"

	node "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	lease "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	pod "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

// own are the stages that differ from kwok's: see each file.
//
//go:embed stages
var own embed.FS

// stages returns what kwok plays: nodes and the deletion of pods as kwok's own
// stages have them, the life of pods, volumes and load balancers as ours do.
func stages() string {
	all := []string{node.DefaultNodeInit, lease.DefaultNodeHeartbeatWithLease, pod.DefaultPodDelete}
	files, _ := fs.Glob(own, "stages/*.yaml") // the pattern is valid, and embedded files can be read
	for _, name := range files {
		content, _ := own.ReadFile(name)
		all = append(all, string(content))
	}
	return strings.Join(all, "\n---\n")
}
