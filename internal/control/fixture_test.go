package control

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// If a golden test fails, run "go test ./internal/control -update" and look at
// the difference. Keep it only if you know what caused it and want it.
var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// fixed is a source that always answers the same.
type fixed struct{ st *director.Status }

func (f fixed) Status(context.Context) (*director.Status, error) { return f.st, nil }

// hung is a source whose loop never answers.
type hung struct{}

func (hung) Status(ctx context.Context) (*director.Status, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// noon is when all fixtures were taken.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) time.Time { return noon.Add(-d) }

// healthy is the Master of the pair with 10.13.0.200, nothing wrong.
func healthy() *director.Status {
	return &director.Status{
		Time: noon, Version: "0.1.0", Node: "lvs1", PID: 812, Started: before(26 * time.Hour), Ready: true,
		Reload: director.ReloadStatus{
			Path: "/etc/lvsd", Digest: "1f3870be274f6c49b3e31a0c6728957f", Applied: before(26 * time.Hour),
			Last: before(26 * time.Hour), OK: true, Succeeded: 1,
		},
		Findings: []event.Finding{}, Foreign: []string{},
		Keeper:  director.KeeperStatus{PID: 819},
		Routers: []vrrp.Status{outside()},
		Services: []director.ServiceStatus{{
			Name: "web", Address: "tcp 10.13.0.200:80", Scheduler: "wrr", InKernel: true, Supply: director.Served,
			Key: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.13.0.200"), Port: 80},
			Servers: []director.ServerStatus{
				up("compute-0-0", "192.168.1.4:80", 3), up("compute-0-1", "192.168.1.5:80", 3), up("192.168.2.2", "192.168.2.2:80", 1),
			},
			Fallback: &director.ServerStatus{Name: "fallback", Address: "10.13.0.200:8080", Forward: "nat", Health: "unchecked", Checks: []director.CheckStatus{}, Weight: 1},
		}},
		Probes: checker.Stats{Targets: 3, Kinds: map[string]checker.KindStats{
			"http": {Passed: 140400, Failed: 2, Seconds: 168.5, Buckets: []uint64{0, 100000, 40000, 400, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}},
		}},
		Table: ipvsctl.Stats{Operations: map[string]uint64{"add-service": 1, "add-destination": 3}, Audited: before(7 * time.Second)},
	}
}

func outside() vrrp.Status {
	return vrrp.Status{
		Name: "outside", Interface: "eth0", VRID: 51, Version: 3, State: vrrp.Master, Since: before(26*time.Hour - 4*time.Second),
		Priority: 150, Interval: time.Second, Master: netip.MustParseAddr("10.13.0.15"), MasterPriority: 150, Held: 3,
		Addresses: []netip.Prefix{
			netip.MustParsePrefix("10.13.0.200/24"), netip.MustParsePrefix("192.168.1.254/24"), netip.MustParsePrefix("192.168.2.254/24"),
		},
		Counters: vrrp.Counters{AdvertsSent: 93596, BecameMaster: 1, Discarded: map[vrrp.Reason]uint64{"checksum": 2}},
	}
}

func up(name, address string, weight uint32) director.ServerStatus {
	return director.ServerStatus{
		Name: name, Address: address, Forward: "nat", Health: "up", Since: before(26*time.Hour - time.Second),
		Checks: []director.CheckStatus{{Kind: "http", Up: true, Last: checker.Result{
			At: before(time.Second), Latency: 1200 * time.Microsecond, Outcome: checker.Passed}}},
		Weight: weight, KernelWeight: weight, InKernel: true,
		Counters: ipvsctl.Counters{Active: 4 * weight, Inactive: 27 * weight, Connections: 51234 * uint64(weight), BytesIn: 7e6, BytesOut: 9e8},
	}
}

// fail takes a server out as the director does.
func fail(s *director.ServerStatus, detail string, took time.Duration) {
	s.Health, s.Since, s.InKernel, s.KernelWeight, s.Counters = "down", before(12*time.Second), false, 0, ipvsctl.Counters{}
	s.Checks[0].Up = false
	s.Checks[0].Last = checker.Result{At: before(time.Second), Latency: took, Outcome: checker.Failed, Detail: detail}
}

// drain takes a server out as the operator does, with its connections left.
func drain(s *director.ServerStatus) { s.Weight, s.KernelWeight = 0, 0 }

// unserve makes it so that no real server of a service takes connections.
func unserve(v *director.ServiceStatus, why director.Reason) {
	v.Supply, v.Reason = director.Unserved, why
	if v.Fallback != nil {
		v.Fallback.InKernel, v.Fallback.KernelWeight = true, 1
	}
}

// large has as many services and servers.
func large(services, servers int) *director.Status {
	st := healthy()
	st.Services = nil
	for i := range services {
		v := director.ServiceStatus{
			Name: fmt.Sprintf("shop-%04d", i), Scheduler: "wlc", InKernel: true, Supply: director.Served,
			Address: fmt.Sprintf("tcp 10.13.%d.%d:80", i/250, i%250+1),
		}
		for j := range servers {
			v.Servers = append(v.Servers, up(fmt.Sprintf("node-%04d-%02d", i, j), fmt.Sprintf("192.168.%d.%d:80", i/250, i%250+1), 1+uint32(j)))
		}
		st.Services = append(st.Services, v)
	}
	return st
}
