package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The client of the servers part: how many pages it asks for each second, how
// long it waits for each, and from when on one counts as slow.
const (
	pages     = 50
	pageLimit = time.Second
	pageSlow  = 200 * time.Millisecond
)

// firstDirector is the address by which the first director asks servers.
var firstDirector = netip.MustParseAddr("192.168.1.15")

// patience is how long the table is watched for what should happen to it. What
// did not happen by then counts as never.
const patience = 10 * time.Second

// The figures of the servers part. What happens is followed by the time until
// the table is as it should be, and by what the client saw.
const (
	killed  = "a server is killed"
	back    = "it is started again"
	hung    = "a server hangs (SIGSTOP)"
	broken  = "a broken file, and SIGHUP"
	cleared = "the table is cleared by hand"

	out       = ": out of the table"
	in        = ": in it with its weight"
	whole     = ": whole again"
	failed    = ": requests failed"
	slow      = ": requests slow"
	stillRuns = ": daemons that still run"
)

// measureServers lets both daemons take turns with a cluster and its troubles.
func measureServers(ctx context.Context, o options) ([]Figure, error) {
	columns, err := takeTurns(ctx, o, "servers", o.share(3), serversOnce)
	return complete("servers", []Figure{
		{Name: killed + out, Unit: unitTime, Goal: ratioAtMost(1)},
		{Name: killed + failed, Unit: unitCount, Goal: ratioAtMost(1)},
		{Name: back + in, Unit: unitTime, Goal: ratioAtMost(1)},
		{Name: back + failed, Unit: unitCount, Goal: ratioAtMost(1)},
		{Name: hung + out, Unit: unitTime, Goal: ratioAtMost(1)},
		{Name: hung + failed, Unit: unitCount, Goal: ratioAtMost(1)},
		{Name: hung + slow, Unit: unitCount, Goal: ratioAtMost(1)},
		{Name: broken + failed, Unit: unitCount, Goal: ratioAtMost(1)},
		{Name: broken + stillRuns, Unit: unitCount, Goal: always(1)},
		{Name: cleared + whole, Unit: unitTime, Goal: ratioAtMost(1)},
		{Name: cleared + failed, Unit: unitCount, Goal: ratioAtMost(1)},
	}, columns), err
}

// weights are of real servers in a table.
type weights = map[netip.AddrPort]int

// A trial is a pair of directors that serves a client, and what it goes through.
type trial struct {
	*cluster.Cluster
	setup cluster.Setup
	// first is the first director's daemon, and file what it reads.
	first *cluster.Process
	file  string
	webs  []*cluster.Process
	load  *cluster.Load
	// phase is the moment between two checks at which a server fails.
	phase time.Duration
	into  column
}

// serversOnce notes what the client sees of one daemon's pair.
func serversOnce(ctx context.Context, d daemon, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	t := &trial{Cluster: c, setup: cluster.NewSetup(), file: d.ServicePath(c.Directors[0]), into: into}
	t.setup.Rise, t.setup.Fall = 1, 3
	t.phase = phase(len(into[killed+out]), t.setup.Interval)
	if err := t.begin(ctx, d); err != nil {
		return err
	}
	defer t.load.Stop()
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{killed, t.kill}, {back, t.bringBack}, {hung, t.hang}, {broken, t.breakFile}, {cleared, t.clear}} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// phase is the moment of a run between two checks. It is the same for both
// daemons, for it decides how long they take; over the runs it spreads evenly,
// and it keeps away from the checks themselves.
func phase(run int, interval time.Duration) time.Duration {
	_, part := math.Modf(0.5 + float64(run)*math.Phi)
	return time.Duration((0.1 + 0.8*part) * float64(interval))
}

// begin starts everything, and returns when the client has asked for a while.
func (t *trial) begin(ctx context.Context, d daemon) (err error) {
	if t.webs, err = t.StartWebs(); err != nil {
		return err
	}
	processes, _, err := d.startPair(t.Cluster, t.setup)
	if err != nil {
		return err
	}
	t.first = processes[0]
	if err := waitMaster(ctx, t.Cluster); err != nil {
		return err
	}
	for _, h := range t.Directors {
		if err := t.waitWhole(ctx, h); err != nil {
			return err
		}
	}
	t.load = cluster.StartLoad(t.Client, t.setup.Service(), pages, pageLimit)
	return pause(ctx, time.Second)
}

func (t *trial) kill(ctx context.Context) error {
	if err := t.moment(ctx, t.Servers[0], t.phase); err != nil {
		return err
	}
	begin := time.Now()
	if err := t.webs[0].Kill(); err != nil {
		return err
	}
	return t.note(ctx, killed, out, begin, t.Directors[0], t.setup.Weights("web1"))
}

// bringBack starts the server early enough to answer the next check, and counts
// from then: how long it takes to start, which is another time in each run, does
// not matter.
func (t *trial) bringBack(ctx context.Context) (err error) {
	if err := t.moment(ctx, t.Servers[0], t.phase/2); err != nil {
		return err
	}
	begin := time.Now()
	if t.webs[0], err = cluster.StartWeb(t.Servers[0]); err != nil {
		return err
	}
	return t.note(ctx, back, in, begin, t.Directors[0], t.setup.Weights())
}

func (t *trial) hang(ctx context.Context) error {
	if err := t.moment(ctx, t.Servers[1], t.phase); err != nil {
		return err
	}
	begin := time.Now()
	if err := t.webs[1].Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := t.note(ctx, hung, out, begin, t.Directors[0], t.setup.Weights("web2")); err != nil {
		return err
	}
	late := func(r cluster.Request) bool { return r.Err == nil && r.Took > pageSlow }
	t.into.add(hung+slow, t.count(begin, late))
	if err := t.webs[1].Signal(syscall.SIGCONT); err != nil {
		return err
	}
	return t.waitWhole(ctx, t.Directors[0])
}

// breakFile leaves a quote open in the file of the first director, which only
// that one reads again. The other one may have to take over.
func (t *trial) breakFile(ctx context.Context) error {
	text, err := os.ReadFile(t.file)
	if err != nil {
		return err
	}
	open := strings.NewReplacer(`"/index.html"`, `"/index.html`, `/index.html`, `"/index.html`).Replace(string(text))
	if err := os.WriteFile(t.file, []byte(open), 0o644); err != nil {
		return err
	}
	begin := time.Now()
	if err := t.first.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	if err := pause(ctx, masterDown(time.Second)+pageLimit); err != nil {
		return err
	}
	t.noteFailed(broken, begin)
	select {
	case <-t.first.Done():
		t.into.add(broken+stillRuns, 0)
	default:
		t.into.add(broken+stillRuns, 1)
	}
	return nil
}

// clear clears the table of the director that holds the address, at another
// moment in each run: lvsd looks once a second.
func (t *trial) clear(ctx context.Context) error {
	holders, err := t.Holders(cluster.VIP)
	if err != nil || len(holders) != 1 {
		return errors.Join(err, fmt.Errorf("%d directors hold the address, want 1", len(holders)))
	}
	if err := t.waitWhole(ctx, holders[0]); err != nil {
		return err
	}
	if err := pause(ctx, t.phase); err != nil {
		return err
	}
	begin := time.Now()
	if _, err := holders[0].Run(ctx, "ipvsadm", "-C"); err != nil {
		return err
	}
	return t.note(ctx, cleared, whole, begin, holders[0], t.setup.Weights())
}

// moment returns so long after the first director began to check the server.
func (t *trial) moment(ctx context.Context, server *cluster.Host, after time.Duration) error {
	checks, err := watchChecks(server, firstDirector)
	if err != nil {
		return err
	}
	defer checks.Close()
	checked, err := checks.next(time.Time{})
	if err != nil {
		return err
	}
	return pause(ctx, time.Until(checked.Add(after)))
}

// note notes how long it takes until the director's table is the one wanted,
// and how many requests have failed when each one has had its time.
func (t *trial) note(ctx context.Context, step, what string, begin time.Time, h *cluster.Host, want weights) error {
	took, ok, err := waitWeights(ctx, h, begin, want)
	switch {
	case err != nil:
		return err
	case ok:
		t.into.addTime(step+what, took)
	default:
		t.into.add(step+what, never)
	}
	if err := pause(ctx, pageLimit+pageLimit/2); err != nil {
		return err
	}
	t.noteFailed(step, begin)
	return nil
}

func (t *trial) noteFailed(step string, begin time.Time) {
	t.into.add(step+failed, t.count(begin, func(r cluster.Request) bool { return r.Err != nil }))
}

// count counts the requests like that among those that have ended since then:
// what was under way at that moment is in it.
func (t *trial) count(begin time.Time, like func(cluster.Request) bool) (n float64) {
	for _, r := range t.load.Requests() {
		if r.Begin.Add(r.Took).After(begin) && like(r) {
			n++
		}
	}
	return n
}

// waitWhole waits until the director's table has every server.
func (t *trial) waitWhole(ctx context.Context, h *cluster.Host) error {
	_, ok, err := waitWeights(ctx, h, time.Now(), t.setup.Weights())
	if err == nil && !ok {
		err = fmt.Errorf("the table of %s is not whole after %v", h.Name, patience)
	}
	return err
}

// waitWeights waits until the director's table has these servers, and returns
// how long that took since begin; ok is false where it did not happen.
func waitWeights(ctx context.Context, h *cluster.Host, begin time.Time, want weights) (
	took time.Duration, ok bool, err error) {
	for time.Since(begin) < patience {
		have, err := cluster.Weights(h)
		if err != nil || maps.Equal(have, want) {
			return time.Since(begin), err == nil, err
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return 0, false, err
		}
	}
	return 0, false, nil
}
