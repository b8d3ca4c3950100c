package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/report"
)

func newRender(s *streams) *cobra.Command {
	var flags readFlags
	var encrypted bool
	cmd := &cobra.Command{
		Use:   "render TARGET",
		Short: "Print one target as YAML, its secrets sealed",
		Long: `render prints the objects of one target as YAML, the way check sees them. Every
encrypted value is a token that names nothing but itself, and every plaintext
value of a Secret is masked, so the output can be shown to anyone.

TARGET is the directory of a kustomization or of plain manifests, or FILE#NAME of
a Flux Kustomization or an Argo CD Application. What is wrong with it goes to standard error.`,
		Example: `  sallyport render overlays/prod
  sallyport render overlays/prod --rev v1.4.0
  sallyport render overlays/prod --encrypted   # what kustomize build prints`,
		GroupID: groupMain,
		Args:    arguments(1, 1, "TARGET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options(cmd)
			if err != nil {
				return err
			}
			var out []byte
			var findings []finding.Finding
			err = s.watch(cmd.Context(), &flags, &opts, func() (err error) {
				out, findings, err = gate.Render(cmd.Context(), opts, args[0], encrypted)
				return err
			})
			if err != nil {
				return err
			}
			return writeRendered(s, out, findings)
		},
	}
	cmd.Flags().BoolVar(&encrypted, "encrypted", false, "leave encrypted values as they are in the repository; the bytes that kustomize build prints")
	flags.add(cmd)
	return cmd
}

// writeRendered prints the YAML, and the findings beside it. That a target has
// findings is for check to judge; here only one that does not render fails.
func writeRendered(s *streams, out []byte, findings []finding.Finding) error {
	if err := report.Write(s.err, "line", &finding.Report{Findings: findings}, report.Options{}); err != nil {
		return err
	}
	if out == nil {
		return errFindings
	}
	if _, err := s.out.Write(out); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}
