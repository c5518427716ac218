package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/ipvsadm"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// newIPVSCommand is ipvsadm(8). Its options are read there, by other rules than cobra's.
func newIPVSCommand() *cobra.Command {
	c := &cobra.Command{
		Use:                "ipvs [COMMAND] [OPTIONS]",
		SuggestFor:         []string{"ipvsadm"},
		Short:              "Read and write the kernel's IPVS table, as ipvsadm does",
		DisableFlagParsing: true,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return ipvsadm.Words(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(c *cobra.Command, args []string) error {
			s := newSession(c, "lvsd ipvs")
			if status := s.Run(context.Background(), args); status != 0 {
				return exitError{status, nil}
			}
			return nil
		},
	}
	c.SetHelpFunc(func(c *cobra.Command, _ []string) {
		fmt.Fprint(c.OutOrStdout(), ipvsadm.HelpText("lvsd ipvs"))
	})
	return c
}

// byItsName runs the program by the name that it was called by, if that is one of ipvsadm's
// three.
func byItsName(name string, args []string) (status int, known bool) {
	runs := map[string]func(*ipvsadm.Session, context.Context, []string) int{
		"ipvsadm": (*ipvsadm.Session).Run, "ipvsadm-save": (*ipvsadm.Session).RunSave, "ipvsadm-restore": (*ipvsadm.Session).RunRestore,
	}
	name = filepath.Base(name)
	run, known := runs[name]
	if !known {
		return 0, false
	}
	return run(newSession(newIPVSCommand(), name), context.Background(), args), true
}

// newSession connects the commands with this machine.
func newSession(c *cobra.Command, program string) *ipvsadm.Session {
	services, _ := os.ReadFile("/etc/services") // Without it, ports have no names.
	return &ipvsadm.Session{
		Program: program,
		Version: fmt.Sprintf("lvsd %s, with the commands, options and lists of ipvsadm 1.31", version),
		Names:   newNames(ipvsadm.ParseServices(string(services))),
		In:      c.InOrStdin(),
		Out:     bufio.NewWriter(c.OutOrStdout()),
		Err:     c.ErrOrStderr(),
		Open: func() (ipvsadm.Kernel, error) {
			conn, err := kernel.Dial()
			if err != nil {
				return nil, err
			}
			return conn, nil
		},
		Connections: func() (io.ReadCloser, error) { return os.Open("/proc/thread-self/net/ip_vs_conn") },
		Owner:       owner,
	}
}

// owner finds the daemon that runs in this network namespace.
func owner(stateDir string) (*ipvsadm.Owner, error) {
	if stateDir == "" {
		stateDir = daemon.DefaultStateDir
	}
	pid, keys, err := daemon.Owned(stateDir)
	if err != nil || pid == 0 {
		return nil, err
	}
	owned := make(map[ipvsctl.ServiceKey]bool, len(keys))
	for _, k := range keys {
		owned[k] = true
	}
	return &ipvsadm.Owner{
		Name: fmt.Sprintf("the lvsd that runs as process %d", pid),
		Owns: func(k ipvsctl.ServiceKey) bool { return owned[k] },
	}, nil
}
