package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/show"
)

func newVersionCommand() *cobra.Command {
	var o *output
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Prints the version of lvsd, and of Go and the system that it was built for.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.word == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(map[string]any{
					"schema_version": show.SchemaVersion, "version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
				})
			}
			_, err := fmt.Fprint(c.OutOrStdout(), versionLine())
			return failure(err)
		},
	}
	o = outputFlag(c)
	return c
}

func versionLine() string {
	return fmt.Sprintf("lvsd %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
