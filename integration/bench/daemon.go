package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A daemon is what the parts in the lab measure: one director with a fleet
// and the cluster's virtual router.
type daemon struct {
	name  string
	write func(*cluster.Host, fleet) error
	start func(*cluster.Host) (*cluster.Process, error)
	// reloaded is what its log says when a reload that changes nothing is
	// over. Where it says nothing, the reload is over when it comes to rest.
	reloaded string
	// unchanged is how many such reloads are measured together.
	unchanged int
}

// daemons are lvsd and keepalived, in the order of a figure's columns.
func daemons(o options) [2]daemon {
	l := cluster.LVSD{Binary: o.lvsd}
	return [2]daemon{
		{
			name: "lvsd",
			write: func(h *cluster.Host, f fleet) error {
				dir := l.ConfigPath(h)
				return errors.Join(f.writeHCL(dir, false),
					os.WriteFile(filepath.Join(dir, "router.hcl"), []byte(cluster.NewSetup().RouterHCL()), 0o644))
			},
			start:     l.Start,
			reloaded:  "configuration is unchanged",
			unchanged: 10,
		},
		{
			name: "keepalived",
			write: func(h *cluster.Host, f fleet) error {
				router, _, _ := strings.Cut(cluster.NewSetup().Keepalived(h.Name), "virtual_server ")
				return os.WriteFile(filepath.Join(h.Dir, "keepalived.conf"), []byte(router+f.keepalived()), 0o644)
			},
			start: func(h *cluster.Host) (*cluster.Process, error) {
				return h.Start("keepalived", "keepalived", "--dont-fork", "--log-console", "-f", filepath.Join(h.Dir, "keepalived.conf"))
			},
			unchanged: 1,
		},
	}
}

// reload lets the daemon read what has not changed, and returns when that was
// over.
func (d daemon) reload(ctx context.Context, p *cluster.Process) (end time.Time, err error) {
	log := filepath.Join(p.Host.Dir, p.Name+".log")
	info, err := os.Stat(log)
	if err != nil {
		return end, fmt.Errorf("finding the log of %s: %w", d.name, err)
	}
	if err := p.Signal(syscall.SIGHUP); err != nil {
		return end, err
	}
	if d.reloaded == "" {
		return settle(ctx, p.Host)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = cluster.Until(ctx, fmt.Sprintf("%q in the log", d.reloaded), func() (bool, error) {
		text, err := os.ReadFile(log)
		return bytes.Contains(text[min(info.Size(), int64(len(text))):], []byte(d.reloaded)), err
	})
	return time.Now(), err
}
