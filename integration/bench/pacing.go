package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// A pacing is a fleet of servers whose TCP checks are made here, by a director without a
// kernel's table.
type pacing struct {
	servers  int
	interval time.Duration
	settled  time.Duration // how long the start takes
	// Goals: the share of a processor, and the memory in bytes.
	share, memory float64
}

var pacings = []pacing{
	{10_000, time.Second, 8 * time.Second, 0.25, 60 << 20},
	{100_000, 2 * time.Second, 25 * time.Second, 0.8, 250 << 20},
}

func (p pacing) name(figure string) string {
	return fmt.Sprintf("%d servers, a check each %v: %s", p.servers, p.interval, figure)
}

// The figures of a pacing. Processor time is that of the process, with that of the packets
// which the kernel handles in its name; the servers' is another processor's.
const (
	pacedTime   = "CPU for each check"
	pacedShare  = "share of a processor"
	pacedDelay  = "99 of 100 begin within, at most"
	pacedMemory = "memory (PSS)"
	pacedRate   = "checks a second"
)

const (
	// checkTime is the goal for one check, in seconds.
	checkTime = 15e-6
	// delayGoal is how late 99 of 100 checks may begin, in seconds.
	delayGoal = .02
)

// measurePaced measures lvsd alone: keepalived does not run without IPVS.
func measurePaced(ctx context.Context, o options) ([]Figure, error) {
	columns := [2]column{{}, {}}
	var figures []Figure
	for _, p := range pacings {
		for n := range o.share(3) {
			say("%s: run %d of %d, %d servers", pacedName, n+1, o.share(3), p.servers)
			if err := p.once(ctx, columns[0]); err != nil {
				return figures, fmt.Errorf("%d servers: %w", p.servers, err)
			}
		}
		figures = append(figures,
			Figure{Name: p.name(pacedTime), Unit: unitTime, Goal: atMost(checkTime)},
			Figure{Name: p.name(pacedShare), Unit: unitShare, Goal: atMost(p.share)},
			Figure{Name: p.name(pacedDelay), Unit: unitTime, Goal: atMost(delayGoal)},
			Figure{Name: p.name(pacedMemory), Unit: unitBytes, Goal: atMost(p.memory)},
			Figure{Name: p.name(pacedRate), Unit: unitCount},
		)
	}
	return complete(pacedName, figures, columns), nil
}

// once runs such a director.
func (p pacing) once(ctx context.Context, into column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := r.cable(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	out, err := r.director.Run(ctx, "taskset", "-c", "0", self, pacedName, "-servers", fmt.Sprint(p.servers), "-interval", p.interval.String(), "-after", p.settled.String())
	if err != nil {
		return err
	}
	var report pacedReport
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		return fmt.Errorf("reading what the director prints: %w: %q", err, out)
	}
	rate, nominal := report.Checks/report.Took, float64(p.servers)/p.interval.Seconds()
	into.add(p.name(pacedRate), rate)
	if rate < enoughChecks*nominal || report.Passed < enoughChecks*report.Checks || report.Alone > 0 {
		return fmt.Errorf("it made %.0f checks a second of %.0f, %.0f of %.0f have passed, and %d servers were asked alone: what they cost says nothing",
			rate, nominal, report.Passed, report.Checks, report.Alone)
	}
	into.add(p.name(pacedTime), report.Processor/report.Checks)
	into.add(p.name(pacedShare), report.Processor/report.Took)
	into.add(p.name(pacedDelay), report.Delay99)
	into.add(p.name(pacedMemory), report.Memory)
	return nil
}

// cable connects the director with the servers without a switch between, and lets the
// packets to each be handled by a processor of its own, the director's by the first.
func (r *rig) cable(ctx context.Context) error {
	servers := strings.TrimPrefix(r.servers.Enter()[1], "--net=")
	for _, line := range []string{
		"ip link add direct type veth peer name direct netns " + servers,
		"ip addr add 10.76.255.1/24 dev direct", "ip link set direct up",
	} {
		if _, err := r.director.Run(ctx, strings.Fields(line)...); err != nil {
			return err
		}
	}
	for _, line := range []string{"ip addr add 10.76.255.2/24 dev direct", "ip link set direct up"} {
		if _, err := r.servers.Run(ctx, strings.Fields(line)...); err != nil {
			return err
		}
	}
	const processors = "/sys/class/net/direct/queues/rx-0/rps_cpus"
	_, one := r.director.Run(ctx, "sh", "-c", "echo 1 > "+processors)
	_, two := r.servers.Run(ctx, "sh", "-c", "echo 2 > "+processors)
	_, route := r.director.Run(ctx, "ip", "route", "replace", fleetNetwork, "via", "10.76.255.2")
	return errors.Join(one, two, route)
}
