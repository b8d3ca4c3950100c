package main

import (
	"fmt"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/report"
)

// build says what this program was made of. Commit and the engines are empty
// where the Go toolchain did not record them.
type build struct {
	Version     string `json:"version"`
	Commit      string `json:"commit"`
	Modified    bool   `json:"modified"` // the work tree differed from Commit
	Go          string `json:"go"`
	Kustomize   string `json:"kustomize"` // of sigs.k8s.io/kustomize/api
	Kubeconform string `json:"kubeconform"`
	OPA         string `json:"opa"`
}

// readBuild reads what the Go toolchain recorded in the program.
func readBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: "devel"}
	}
	b := build{Version: strings.TrimPrefix(info.Main.Version, "v"), Go: info.GoVersion}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "devel"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "sigs.k8s.io/kustomize/api":
			b.Kustomize = m.Version
		case "github.com/yannh/kubeconform":
			b.Kubeconform = m.Version
		case "github.com/open-policy-agent/opa":
			b.OPA = m.Version
		}
	}
	return b
}

func newVersion(s *streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, and those of the engines inside",
		Long: `version prints the version of the program, the commit and the Go release that it
was built of, and the versions of the engines inside: kustomize, kubeconform, OPA.`,
		Example: `  sallyport version
  sallyport version -o json`,
		GroupID: groupMore,
		Args:    arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return usage(cmd, fmt.Errorf("-o %q: unknown format (known: text, json)", format))
			}
			return writeVersion(s, format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "print as `FORMAT`: text or json")
	complete(cmd, "output", "text", "json")
	return cmd
}

func writeVersion(s *streams, format string) error {
	b := readBuild()
	if format == "json" {
		return report.WriteJSON(s.out, b)
	}
	commit := b.Commit
	if b.Modified {
		commit += " (modified)"
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"sallyport", b.Version}, {"commit", commit}, {"go", b.Go},
		{"kustomize", b.Kustomize}, {"kubeconform", b.Kubeconform}, {"opa", b.OPA},
	} {
		if row[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
	return w.Flush()
}
