package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// tellingName is the part, and the argument by which this program tells of connections as a
// Master does.
const tellingName = "telling"

// told is how many connections there are.
const told = 20_000

// toldService is the service that they are of.
var toldService = ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: cluster.VIP, Port: 80}

// toldServer is its real server.
var toldServer = ipvsctl.DestinationKey{Addr: netip.MustParseAddr("192.168.1.4"), Port: 80}

// measureTelling measures what it costs a Master to tell of all connections once, beside cat
// of the kernel's list, in keepalived's place.
func measureTelling(ctx context.Context, o options) ([]Figure, error) {
	name := fmt.Sprintf("CPU of telling of %d connections, beside cat of them", told)
	columns := [2]column{{}, {}}
	var failure error
	for n := range o.runs {
		say("telling: run %d of %d", n+1, o.runs)
		if failure = tellingOnce(ctx, name, columns); failure != nil {
			break
		}
	}
	return complete(tellingName, []Figure{{Name: name, Unit: unitTime, Goal: ratioAtMost(3)}}, columns), failure
}

// tellingOnce has a kernel learn connections, as a Backup does, and then tell of them.
func tellingOnce(ctx context.Context, name string, columns [2]column) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	master, backup := c.Directors[0], c.Directors[1]
	for _, h := range c.Directors {
		script := fmt.Sprintf("ipvsadm -A -t %[1]v:80 -s rr && ipvsadm -a -t %[1]v:80 -r %[2]v:80 -m && "+
			"ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 1", toldService.Addr, toldServer.Addr)
		if _, err := h.Run(ctx, "sh", "-c", script); err != nil {
			return err
		}
	}
	if _, err := backup.Run(ctx, self, tellingName, "-invent"); err != nil {
		return err
	}
	if err := waitTold(ctx, master); err != nil {
		return err
	}
	out, err := master.Run(ctx, self, tellingName)
	if err != nil {
		return err
	}
	var ours float64
	if err := json.Unmarshal([]byte(out), &ours); err != nil {
		return fmt.Errorf("reading what telling cost: %w: %s", err, out)
	}
	columns[0].add(name, ours)
	cat, err := master.Start("cat", "sh", "-c", "exec cat /proc/net/ip_vs_conn >/dev/null")
	if err != nil {
		return err
	}
	if err := cat.Wait(time.Minute); err != nil {
		return err
	}
	columns[1].addTime(name, cat.Processor())
	return nil
}

// waitTold waits until a kernel knows all connections.
func waitTold(ctx context.Context, h *cluster.Host) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return cluster.Until(ctx, fmt.Sprintf("%s to know %d connections", h.Name, told), func() (bool, error) {
		out, err := h.Run(ctx, "cat", "/proc/net/ip_vs_conn")
		return strings.Count(out, "ESTABLISHED") >= told, err
	})
}

// tell is the program by that name: it tells the others of all connections, and prints how
// much processor time a round has cost, in seconds.
func tell(arguments []string) error {
	flags := flag.NewFlagSet(tellingName, flag.ExitOnError)
	invent := flags.Bool("invent", false, "")
	_ = flags.Parse(arguments)
	var edge connections.Edge = kernel.Teller{}
	rounds, rate := 4, 100_000
	if *invent {
		edge, rounds, rate = invented{}, 3, 20_000 // A datagram may be lost.
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var used float64
	var failure error
	begun, n := processorTime(), 0
	teller := connections.NewTeller(edge, func(r connections.Round) {
		if n++; n == 1 { // The first one has the program's pages read.
			begun = processorTime()
			return
		}
		failure = errors.Join(failure, r.Err)
		if r.Connections < told {
			failure = errors.Join(failure, fmt.Errorf("it has told of %d connections", r.Connections))
		}
		if n == rounds {
			used = (processorTime() - begun) / float64(rounds-1)
			cancel()
		}
	})
	teller.Set(&connections.Telling{
		Daemon: ipvsctl.SyncDaemon{Role: ipvsctl.SyncMaster, Interface: "eth1", ID: 1, Group: netip.MustParseAddr("224.0.0.81"), Port: 8848, TTL: 1},
		Table: ipvsctl.Table{toldService: ipvsctl.VirtualService{Destinations: ipvsctl.RowsOf([]ipvsctl.Row[ipvsctl.Destination]{
			{Key: toldServer, Value: ipvsctl.Destination{Forward: ipvsctl.NAT, Weight: 1}},
		})}},
		Rate: rate,
	})
	if err := errors.Join(teller.Run(ctx), failure); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(used)
}

// invented is a kernel that has as many connections as are told of.
type invented struct{ kernel.Teller }

// Connections returns them as the kernel prints them.
func (invented) Connections() (io.ReadCloser, error) {
	var b strings.Builder
	for n := range told {
		fmt.Fprintf(&b, "TCP 0A0D%04X %04X 0A0D00C8 0050 C0A80104 0050 ESTABLISHED     899\n", 0x100+n/50000, 1024+n%50000)
	}
	return io.NopCloser(strings.NewReader(b.String())), nil
}
