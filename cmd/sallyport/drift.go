package main

import (
	"github.com/spf13/cobra"
)

func newDrift(s *streams) *cobra.Command {
	f := &jobFlags{}
	cmd := &cobra.Command{
		Use:   "drift [TARGET...]",
		Short: "In the cluster: say what differs from Git, and change nothing",
		Long: `drift compares the cluster with a commit, by dry-runs of the apply, and writes
nothing. It names each field that differs and who changed it, never a value, and
exits with 1 if anything differs. Fields that others added beside those of Git are
listed too; they are no drift.`,
		Example: `  sallyport drift --config /etc/sallyport/config.yaml
  sallyport drift overlays/prod --config config.yaml -o json`,
		GroupID: groupMain,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := harden(); err != nil {
				return err
			}
			j, err := f.job(cmd, s, args)
			if err != nil {
				return err
			}
			out, err := j.Drift(cmd.Context())
			if err := f.finish(s, out, err); err != nil {
				return err
			}
			if out.Drifted() {
				return errFindings
			}
			return nil
		},
	}
	f.add(cmd)
	return cmd
}
