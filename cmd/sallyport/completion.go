package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCompletion(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a completion script for bash, zsh, fish or powershell",
		Long: `completion prints a script that lets a shell complete commands, flags and their
values: bash, zsh, fish or powershell.`,
		Example: `  source <(sallyport completion bash)
  sallyport completion zsh > "${fpath[1]}/_sallyport"
  sallyport completion fish > ~/.config/fish/completions/sallyport.fish`,
		GroupID:   groupMore,
		Args:      arguments(1, 1, "SHELL"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(s.out, true)
			case "zsh":
				return root.GenZshCompletion(s.out)
			case "fish":
				return root.GenFishCompletion(s.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(s.out)
			}
			return usage(cmd, fmt.Errorf("unknown shell %q (known: bash, zsh, fish, powershell)", args[0]))
		},
	}
}
