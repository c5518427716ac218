package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A rig is a cluster of which one director is used, and one host that is
// every server of a fleet.
type rig struct {
	*cluster.Cluster
	director, servers *cluster.Host
	listener          int
}

// newRig builds a rig. Each run has one of its own: what IPVS deletes slows
// the next load down for minutes, and goes with its namespace.
func newRig(ctx context.Context) (r *rig, err error) {
	c, err := cluster.New()
	if err != nil {
		return nil, err
	}
	r = &rig{Cluster: c, director: c.Directors[0], servers: c.Servers[0], listener: -1}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("building the rig: %w", err), r.Close())
		}
	}()
	if _, err := r.director.Run(ctx, "ip", "route", "add", fleetNetwork, "via", "192.168.1.4"); err != nil {
		return r, err
	}
	if _, err := r.servers.Run(ctx, "ip", "route", "add", "local", fleetNetwork, "dev", "lo"); err != nil {
		return r, err
	}
	// keepalived waits, in close(2) and for all of its servers, until a server
	// has acknowledged the end of a connection. A server that accepts does so at
	// once, by its own end; this one's kernel has to be told to (measured without:
	// 100 checks a second instead of 200).
	if _, err := r.servers.Run(ctx, "ip", "route", "add", "192.168.1.15/32", "dev", "eth0", "quickack", "1"); err != nil {
		return r, err
	}
	return r, r.listen()
}

// listen lets the kernel answer every connection to the servers. Nobody
// accepts them: the queue is long enough for a run, and no process takes part
// in what is measured.
func (r *rig) listen() error {
	const queue = 65535
	if err := r.servers.Sysctl("net/core/somaxconn", strconv.Itoa(queue)); err != nil {
		return err
	}
	return r.servers.In(func() (err error) {
		if r.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		return errors.Join(unix.Bind(r.listener, &unix.SockaddrInet4{Port: fleetPort}), unix.Listen(r.listener, queue))
	})
}

// deafen lets the kernel refuse every connection to the servers.
func (r *rig) deafen() error {
	if r.listener < 0 {
		return nil
	}
	defer func() { r.listener = -1 }()
	return unix.Close(r.listener)
}

// checks counts the connections that the servers' kernel has seen begin: those that
// were established, and those that the director has reset before.
func (r *rig) checks() (sum float64, err error) {
	err = r.servers.In(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		// A line of names, and a line of their values.
		_, tcp, _ := strings.Cut(string(text), "\nTcp: ")
		names, values, _ := strings.Cut(tcp, "\nTcp: ")
		fields := strings.Fields(values)
		for _, name := range []string{"PassiveOpens", "AttemptFails"} {
			i := slices.Index(strings.Fields(names), name)
			if i < 0 || i >= len(fields) {
				return fmt.Errorf("/proc/net/snmp has no %s", name)
			}
			n, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return err
			}
			sum += n
		}
		return nil
	})
	return sum, err
}

// Close closes the rig with every process in it.
func (r *rig) Close() error {
	return errors.Join(r.deafen(), r.Cluster.Close())
}

// run starts the daemon with what is configured. The context that it returns
// ends with the process: nobody waits for a daemon that is dead.
func (r *rig) run(ctx context.Context, d daemon) (context.Context, *cluster.Process, error) {
	p, err := d.Start(r.director)
	if err != nil {
		return ctx, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		<-p.Done()
		cancel(p.Ended())
	}()
	return ctx, p, nil
}
