package director_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/api/apitest"
	"github.com/lvsd/lvsd/internal/director"
)

// situations are what an operator meets, with the findings in each.
var situations = []struct {
	name string
	want []string
	edit func(*api.Status)
}{
	{"healthy", nil, func(*api.Status) {}},
	{"backup", nil, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Priority, r.Held = api.Backup, before(90*time.Minute), 100, 0
		st.Node = "lvs2"
	}},
	{"one-server-failed", []string{
		"1 of 3 real servers is down: web/compute-0-1",
	}, func(st *api.Status) {
		fail(&st.Services[0].Servers[1], "status 503, want 200-299", 2*time.Millisecond)
	}},
	{"many-servers-failed", []string{
		"12 of 14 real servers are down: shop-0000/node-0000-00, shop-0000/node-0000-01, shop-0000/node-0000-02 and 9 more",
	}, func(st *api.Status) {
		*st = *large(1, 14)
		for i := range 12 {
			fail(&st.Services[0].Servers[i], "no answer to GET /healthz within 2s", 2*time.Second)
		}
	}},
	{"one-server-drained", nil, func(st *api.Status) { drain(&st.Services[0].Servers[0]) }},
	{"all-servers-drained", []string{
		"virtual service web (tcp 10.13.0.200:80): every real server that is not down has weight 0, so clients are refused",
	}, func(st *api.Status) {
		for i := range st.Services[0].Servers {
			drain(&st.Services[0].Servers[i])
		}
		st.Services[0].Fallback = nil
		unserve(&st.Services[0], "drained")
	}},
	{"drained-or-failed-fallback-active", []string{
		"virtual service web (tcp 10.13.0.200:80): every real server that is not down has weight 0, so the fallback serves",
		"2 of 3 real servers are down: web/compute-0-1, web/192.168.2.2",
	}, func(st *api.Status) {
		drain(&st.Services[0].Servers[0])
		for i := range 2 {
			fail(&st.Services[0].Servers[1+i], "connection refused", 300*time.Microsecond)
		}
		unserve(&st.Services[0], "drained")
	}},
	{"fallback-active", []string{
		"virtual service web (tcp 10.13.0.200:80): no real server is up, so the fallback serves",
		"3 of 3 real servers are down: web/compute-0-0, web/compute-0-1, web/192.168.2.2",
	}, func(st *api.Status) {
		for i := range st.Services[0].Servers {
			fail(&st.Services[0].Servers[i], "connection refused", 300*time.Microsecond)
		}
		unserve(&st.Services[0], "down")
	}},
	{"no-server-configured", []string{
		"virtual service mail (tcp 10.13.0.200:80): no real server is configured, so clients are refused",
		"virtual service web (tcp 10.13.0.200:80): no real server is configured, so the fallback serves",
	}, func(st *api.Status) {
		refusing, relieved := st.Services[0], st.Services[0]
		refusing.Name, refusing.Servers, refusing.Fallback = "mail", nil, nil
		unserve(&refusing, "no_server")
		relieved.Servers = nil
		unserve(&relieved, "no_server")
		st.Services = []api.Service{refusing, relieved}
	}},
	{"withheld-while-backup", nil, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Priority, r.Held = api.Backup, before(90*time.Minute), 100, 0
		v := &st.Services[0]
		v.InKernel, v.Supply = false, api.Withheld
		for i := range v.Servers {
			s := &v.Servers[i]
			s.Forward, s.InKernel, s.KernelWeight = "direct", false, 0
		}
	}},
	{"all-failed-no-fallback", []string{
		"virtual service web (tcp 10.13.0.200:80): no real server is up, so clients are refused",
		"3 of 3 real servers are down: web/compute-0-0, web/compute-0-1, web/192.168.2.2",
	}, func(st *api.Status) {
		for i := range st.Services[0].Servers {
			fail(&st.Services[0].Servers[i], "no answer", time.Second)
		}
		st.Services[0].Fallback = nil
		unserve(&st.Services[0], "down")
	}},
	{"reload-failed", []string{
		"RELOAD REFUSED at 2026-11-23 11:59:30; the configuration of 2026-11-22 10:00:00 is still running (web.hcl:4: unknown scheduler \"wrrr\"; did you mean \"wrr\"?): correct /etc/lvsd, check it with \"lvsd validate\" and reload again",
	}, func(st *api.Status) {
		r := &st.Reload
		r.Last, r.OK, r.Failed = before(30*time.Second), false, 1
		r.Error = "web.hcl:4: unknown scheduler \"wrrr\"; did you mean \"wrr\"?"
	}},
	{"keeper-missing", []string{
		"the process that sends the adverts is not running (3 attempts to start it again), so no address is renewed and the other director may take over: see \"journalctl -u lvsd\" for the reason",
	}, func(st *api.Status) {
		st.Keeper = api.Keeper{Restarts: 3}
	}},
	{"keeper-restarted", []string{
		"the process that sends the adverts ended and was restarted 12s ago (2 restarts since lvsd was started), so the addresses may have moved: see \"journalctl -u lvsd\" for the reason",
	}, func(st *api.Status) {
		st.Keeper.Restarts, st.Keeper.Restarted = 2, before(12*time.Second)
	}},
	{"keeper-restarted-an-hour-ago", nil, func(st *api.Status) {
		st.Keeper.Restarts, st.Keeper.Restarted = 2, before(time.Hour)
	}},
	{"condition-unmet", []string{
		`ping gateway is not met (10.13.0.1 does not answer): virtual router "outside" has 60 less of priority`,
	}, func(st *api.Status) {
		st.Routers[0].Priority, st.Routers[0].Configured = 90, 150
		st.Routers[0].Conditions = []api.Condition{{Name: "ping gateway", Weight: -60, Effect: -60, Reason: "10.13.0.1 does not answer"},
			{Name: "interface eth1", Met: true, Weight: 10}, {Name: "process ntpd", Met: true, Unknown: true, Weight: -10}}
	}},
	{"interface-down", []string{
		"virtual router \"outside\" cannot be Master: interface eth0 is down",
	}, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Held, r.Fault, r.Master = api.Initialize, before(3*time.Second), 0, "interface eth0 is down", netip.MustParseAddr("10.13.0.16")
	}},
	{"extra-address-on-a-missing-interface", []string{
		"virtual router \"outside\" is Master but does not hold 192.168.1.254/24 on ens1 (adding 192.168.1.254/24 to ens1: the interface does not exist)",
	}, func(st *api.Status) {
		r := &st.Routers[0]
		r.Held, r.Missing, r.AddressesFailure = 2, "192.168.1.254/24 on ens1", "adding 192.168.1.254/24 to ens1: the interface does not exist"
		r.Since = before(0)
	}},
	{"different-ids", []string{
		"virtual router \"outside\": 10.13.0.16 advertises 10.13.0.200 too, but with virtual router id 52 instead of 51: configure the same id on both directors",
	}, func(st *api.Status) {
		st.Routers[0].Dispute = "10.13.0.16 advertises 10.13.0.200 too, but with virtual router id 52 instead of 51"
	}},
	{"just-became-master", nil, func(st *api.Status) {
		r := &st.Routers[0]
		r.Held, r.Missing, r.Since = 2, "192.168.1.254/24 on eth1", before(time.Second)
	}},
	{"addresses-missing-for-a-while", []string{
		"virtual router \"outside\" is Master but does not hold 192.168.1.254/24 on eth1",
	}, func(st *api.Status) {
		r := &st.Routers[0]
		r.Held, r.Missing, r.Since = 2, "192.168.1.254/24 on eth1", before(2*time.Second)
	}},
	{"just-became-backup", nil, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Held, r.Left, r.Since = api.Backup, 1, "10.13.0.200/24 on eth0", before(time.Second)
	}},
	{"address-that-cannot-be-removed", []string{
		"virtual router \"outside\" is Backup but still holds 10.13.0.200/24 on eth0 (removing 10.13.0.200/24 from eth0: operation not permitted): if this lasts, remove them (ip addr del)",
	}, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Held, r.Left, r.Since = api.Backup, 1, "10.13.0.200/24 on eth0", before(time.Second)
		r.AddressesFailure = "removing 10.13.0.200/24 from eth0: operation not permitted"
	}},
	{"addresses-that-cannot-be-announced", []string{
		"virtual router \"outside\": announcing 192.168.1.254/24 on eth1: network is down; this is tried again",
	}, func(st *api.Status) {
		st.Routers[0].AddressesFailure = "announcing 192.168.1.254/24 on eth1: network is down"
	}},
	{"router-starts", nil, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Held = api.Initialize, before(time.Second), 0
	}},
	{"keeper-limited", []string{
		"the keeper is running with limitations: it cannot lock its memory",
	}, func(st *api.Status) {
		st.Keeper.Why = "it cannot lock its memory"
	}},
	{"checks-by-connection", []string{
		"TCP checks take a connection each, which costs three times the processor time: opening a raw socket for TCP checks: operation not permitted",
	}, func(st *api.Status) {
		st.Probes.Unusable = "opening a raw socket for TCP checks: operation not permitted"
	}},
	{"some-checks-by-connection", []string{
		"the TCP checks of 2 targets take a connection each, which costs three times the processor time, since packets of lvsd's own get no answer: look what lets connections pass and not packets of a raw socket: IPsec, or rules of the packet filter",
	}, func(st *api.Status) {
		st.Probes.Bypassed = 2
	}},
	{"operation-failed-table-as-configured", []string{
		"the kernel's table is as configured, but an operation failed: listing the table: timeout",
	}, func(st *api.Status) {
		st.Table.LastError = "listing the table: timeout"
	}},
	{"no-routers-no-services", nil, func(st *api.Status) {
		st.Routers, st.Services, st.Keeper = nil, nil, api.Keeper{}
		st.Table.Audited = time.Time{}
	}},
	{"starting-with-nothing-missing", []string{
		"not ready: starting",
	}, func(st *api.Status) {
		st.Ready = false
	}},
	{"starting", []string{
		"not ready: starting; 1 of 1 virtual service is not in the kernel's table yet; the state of 1 real server is not known yet; the kernel refused an operation: adding destination 192.168.1.4:80: no such process",
		"virtual service web (tcp 10.13.0.200:80): not in the kernel's table, so clients are not served",
		"the kernel's table differs from the configuration; 3 operations are pending, and will be tried again: adding destination 192.168.1.4:80: no such process",
	}, func(st *api.Status) {
		st.Ready, st.Started = false, before(2*time.Second)
		st.Table.LastError = "adding destination 192.168.1.4:80: no such process"
		st.Table.Pending = 3
		st.Services[0].InKernel = false
		s := &st.Services[0].Servers[0]
		s.Health, s.Since, s.InKernel, s.Checks[0].Last = "unknown", time.Time{}, false, api.Result{}
	}},
}

// findings are the lines that an operator reads.
func findings(st *api.Status) []string {
	var all []string
	for _, f := range director.Findings(st) {
		all = append(all, strings.TrimSuffix(f.Text+": "+f.Remedy, ": "))
	}
	return all
}

// TestFindingsOfSituations tells what an operator reads in each situation.
func TestFindingsOfSituations(t *testing.T) {
	for _, f := range situations {
		st := healthy()
		f.edit(st)
		if diff := cmp.Diff(f.want, findings(st)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f.name, diff)
		}
	}
}

func TestManyFailedServersAreOneFinding(t *testing.T) {
	st := large(1000, 10)
	for i := range 40 {
		fail(&st.Services[i].Servers[3], "connection refused", time.Millisecond)
	}
	want := []string{"40 of 10000 real servers are down: shop-0000/node-0000-03, shop-0001/node-0001-03, shop-0002/node-0002-03 and 37 more"}
	if diff := cmp.Diff(want, findings(st)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// What a director tells, and what becomes of it.
var (
	before, healthy = apitest.Before, apitest.Healthy
	fail, drain     = apitest.Fail, apitest.Drain
	unserve, large  = apitest.Unserve, apitest.Large
)
