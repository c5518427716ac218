package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/control"
)

// withoutPowerShell adds the command completion, for shells that there are on
// directors.
func withoutPowerShell(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Short = "Print a script that completes commands in a shell"
		c.Long = `Prints a script with which a shell completes the commands and flags of lvsd, their
values, and the names of virtual services and routers. "make install" and packages install
these scripts for bash, zsh and fish.`
		for _, shell := range c.Commands() {
			shell.Short = "Print the script for " + shell.Name()
			if shell.Name() == "powershell" {
				c.RemoveCommand(shell)
			}
		}
	}
}

// completeFlag completes the value of a flag with words; without any, with nothing.
func completeFlag(c *cobra.Command, flag string, words ...string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeServices completes the names of virtual services that the daemon on the
// socket has, except those that are given. There are none if it does not answer.
func completeServices(socket *string) cobra.CompletionFunc {
	return completeNames(socket, func(ctx context.Context, c *control.Client) (names []string) {
		if st, err := c.Status(ctx); err == nil {
			for i := range st.Services {
				names = append(names, st.Services[i].Name)
			}
		}
		return names
	})
}

// completeServiceAndServer completes the name of a virtual service, and after it those of its
// real servers and fallbacks.
func completeServiceAndServer(socket *string) cobra.CompletionFunc {
	services := completeServices(socket)
	return func(cmd *cobra.Command, given []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(given) == 0 {
			return services(cmd, given, begun)
		}
		return completeNames(socket, func(ctx context.Context, c *control.Client) (names []string) {
			st, err := c.Status(ctx)
			if err != nil || len(given) > 1 {
				return nil
			}
			for _, s := range st.Services {
				if s.Name != given[0] {
					continue
				}
				for _, server := range slices.Concat(s.Servers, s.Fallbacks) {
					names = append(names, server.Name)
				}
			}
			return names
		})(cmd, nil, begun) // A server may be called as its service is.
	}
}

// completeRouters completes the names of virtual routers as completeServices does.
func completeRouters(socket *string) cobra.CompletionFunc {
	return completeNames(socket, func(ctx context.Context, c *control.Client) (names []string) {
		if st, err := c.Status(ctx); err == nil {
			for i := range st.Routers {
				names = append(names, st.Routers[i].Name)
			}
		}
		return names
	})
}

// completeRoutersAndGroups does the same for virtual routers and sync groups.
func completeRoutersAndGroups(socket *string) cobra.CompletionFunc {
	return completeNames(socket, func(ctx context.Context, c *control.Client) (names []string) {
		if st, err := c.Status(ctx); err == nil {
			for i := range st.Routers {
				names = append(names, st.Routers[i].Name)
			}
			for i := range st.SyncGroups {
				names = append(names, st.SyncGroups[i].Name)
			}
		}
		return names
	})
}

// completeKeptOut does the same for real servers that manual_resume keeps out.
func completeKeptOut(socket *string) cobra.CompletionFunc {
	return completeNames(socket, func(ctx context.Context, c *control.Client) (names []string) {
		if st, err := c.Status(ctx); err == nil {
			for i := range st.Services {
				for j := range st.Services[i].Servers {
					if s := &st.Services[i].Servers[j]; s.KeptOut {
						names = append(names, st.Services[i].Name+"/"+s.Name)
					}
				}
			}
		}
		return names
	})
}

// completeServers does the same for real servers.
func completeServers(socket *string) cobra.CompletionFunc {
	return completeNames(socket, func(ctx context.Context, c *control.Client) (names []string) {
		if st, err := c.Status(ctx); err == nil {
			for i := range st.Services {
				for j := range st.Services[i].Servers {
					names = append(names, st.Services[i].Servers[j].Name)
				}
			}
		}
		slices.Sort(names)
		return slices.Compact(names)
	})
}

// completeNames completes names that the daemon knows, except those that are given.
func completeNames(socket *string, all func(context.Context, *control.Client) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		names := slices.DeleteFunc(all(ctx, control.Dial(*socket)), func(name string) bool { return slices.Contains(given, name) })
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
