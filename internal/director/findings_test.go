package director

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

func TestForwardingFindings(t *testing.T) {
	four, six := webService(ipvsctl.NAT, web1), webService(ipvsctl.NAT, netip6)
	for _, tt := range []struct {
		name     string
		services []config.Service
		machine  machine.Facts
		want     []string
	}{
		{"NAT on a machine that forwards", []config.Service{four, six}, machine.Facts{Forward4: true, Forward6: true}, nil},
		{"NAT where ip_forward is off, once for each family", []config.Service{four, four, six}, machine.Facts{},
			[]string{"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"}},
		{"direct routing forwards nothing back", []config.Service{webService(ipvsctl.Direct, web1)}, machine.Facts{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got findings
			got.forwarding(tt.services, tt.machine)
			if len(got) != len(tt.want) {
				t.Fatalf("%d findings %q, want %d", len(got), got, len(tt.want))
			}
			for i := range got {
				if !strings.Contains(got[i].Remedy, tt.want[i]) {
					t.Errorf("finding %q does not name %s", got[i], tt.want[i])
				}
			}
		})
	}
}

// What is static is in the status before the keeper has said anything, and what of it
// cannot be there is a finding.
func TestStaticThatIsMissingIsAFinding(t *testing.T) {
	c := Core{config: clusterOf()}
	c.config.Static = vrrp.Holdings{Rules: []vrrp.Rule{{Family: 4, Priority: 7, Table: 7}}}
	s := &api.Status{Static: c.staticStatus(Edges{}), Keeper: api.Keeper{PID: 7}}
	if s.Static == nil || s.Static.Held != 0 || len(s.Static.Wanted) != 1 {
		t.Fatalf("the keeper has not reported: %+v", s.Static)
	}
	for _, f := range Findings(s) {
		if f.Code == "static-missing" {
			t.Errorf("nothing has failed yet: %+v", f)
		}
	}
	s.Static = c.staticStatus(Edges{Keeper: api.Keeper{Static: &api.Static{Wanted: []string{"a", "b"}, Held: 1, Failure: "adding b: no"}}})
	var found api.Finding
	for _, f := range Findings(s) {
		if f.Code == "static-missing" {
			found = f
		}
	}
	if want := "of the 2 addresses, routes and rules that are static, 1 is missing: adding b: no"; found.Text != want || found.Severity != api.Error {
		t.Errorf("found %+v, want %s", found, want)
	}
	if c.config.Static = (vrrp.Holdings{}); c.staticStatus(Edges{}) != nil {
		t.Error("nothing is static")
	}
}

func TestChecksThatCannotBeRunAreAFindingAfterAWhile(t *testing.T) {
	s := checked(tcpTarget)
	h := &Healths{}
	h.Configure(start, []config.Service{s}, nil)
	h.Observe(start, tcpTarget, checker.Result{Outcome: checker.NotRun, Detail: "no route to host"})
	at := func(d time.Duration) (all findings) {
		all.checks(start.Add(d), h)
		return all
	}
	if got := at(10*time.Second - 1); got != nil {
		t.Errorf("found too soon: %q", got)
	}
	got := at(10 * time.Second)
	if len(got) != 1 || !strings.Contains(got[0].Text, "web/192.168.1.4: no route to host") {
		t.Errorf("findings %q, want one that names the server and the reason", got)
	}
	h.Observe(start.Add(time.Minute), tcpTarget, checker.Result{Outcome: checker.Passed})
	if got := at(time.Hour); got != nil {
		t.Errorf("still found after a result: %q", got)
	}
}

func TestAMasterThatIsOverdueIsAFinding(t *testing.T) {
	r := api.Router{Name: "outside", State: api.Backup, Master: netip.MustParseAddr("10.13.0.66"), Interval: time.Second}
	var got findings
	got.router(start, &r)
	if len(got) != 0 {
		t.Errorf("in time: %q", got)
	}
	r.Overdue = 4321 * time.Millisecond
	got.router(start, &r)
	if len(got) != 1 || got[0].Code != "master-overdue" || !strings.Contains(got[0].Text, "has not heard its Master 10.13.0.66 for 4.3s") {
		t.Errorf("overdue: %q", got)
	}
}

// D5: the log and the status must say why this director does not take over, and how
// it would.
func TestStandingAsideIsAFinding(t *testing.T) {
	r := api.Router{Name: "outside", State: api.Backup, Aside: asideStatus(&vrrp.Aside{Master: netip.MustParseAddr("10.13.0.16"),
		Reason: vrrp.ReasonVersion, Address: netip.MustParseAddr("10.13.0.200"), MAC: "52:54:00:00:00:02"})}
	var got findings
	got.router(start, &r)
	want := api.Finding{Code: "stands-aside", Severity: api.Warning, Subject: `virtual router "outside"`,
		Text:   `virtual router "outside" does not become Master: 10.13.0.16 advertises 10.13.0.200, and 52:54:00:00:00:02 answers for it, but its adverts are refused (version)`,
		Remedy: "configure the same version on both directors; to take over all the same, set insist = true"}
	if len(got) != 1 || got[0] != want {
		t.Errorf("findings %q, want %q", got, want)
	}
}

// It stands aside on the advert's word alone, and that must be plain.
func TestNeighboursThatCannotBeAskedAreAFinding(t *testing.T) {
	r := api.Router{Name: "outside", State: api.Backup, Unasked: "opening a packet socket: no buffer space available",
		Aside: &api.Aside{Master: netip.MustParseAddr("10.13.0.16"), Reason: "version", Address: netip.MustParseAddr("10.13.0.200")}}
	var got findings
	got.router(start, &r)
	if len(got) != 1 || got[0].Code != "stands-aside" || !strings.Contains(got[0].Text,
		"10.13.0.16 advertises 10.13.0.200, and the neighbours cannot be asked who has it (opening a packet socket: no buffer space available)") {
		t.Errorf("of a Backup: %q", got)
	}
	r.State, r.Aside, got = api.Master, nil, nil
	got.router(start, &r)
	if len(got) != 1 || got[0].Code != "neighbours-unasked" || !strings.HasSuffix(got[0].Text, "cannot ask the neighbours who else has its addresses: "+r.Unasked) {
		t.Errorf("of a Master: %q", got)
	}
}

// Trial: dropped at lvs1's own output, the true reason was only in the log.
func TestAdvertsThatCannotBeSentAreAFinding(t *testing.T) {
	r := api.Router{Name: "outside", State: api.Master, Unsent: "sending on eth0 from 10.13.0.15 to 224.0.0.18: operation not permitted"}
	var got findings
	got.router(start, &r)
	if len(got) != 1 || got[0].Severity != api.Error || !strings.Contains(got[0].Text, r.Unsent) || !strings.Contains(got[0].Remedy, "this director's own firewall") {
		t.Errorf("findings %q", got)
	}
}

// Trial: while the keeper was stopped, status said for six seconds that this
// director was Master, which the other one had long been.
func TestAKeeperThatIsSilentIsAFinding(t *testing.T) {
	s := &api.Status{Ready: true, Keeper: api.Keeper{PID: 7, Age: 3 * time.Second}}
	if got := Findings(s); len(got) != 0 {
		t.Errorf("it reports every second, which a busy machine may delay: %q", got)
	}
	s.Keeper.Age = 4100 * time.Millisecond
	if got := Findings(s); len(got) != 1 || got[0].Code != "keeper-silent" || !strings.Contains(got[0].Text, "has not reported for 4s") {
		t.Errorf("findings %q", got)
	}
}

func TestARestartOfTheKeeperIsAFindingForTenMinutes(t *testing.T) {
	at := func(d time.Duration) []api.Finding {
		return Findings(&api.Status{Ready: true, Time: start.Add(d), Keeper: api.Keeper{PID: 7, Restarts: 1, Restarted: start}})
	}
	if got := at(10*time.Minute - 1); len(got) != 1 || got[0].Code != "keeper-restarted" {
		t.Errorf("findings %q", got)
	}
	if got := at(10 * time.Minute); len(got) != 0 {
		t.Errorf("after ten minutes: %q", got)
	}
}

func TestAnotherDaemonThatSpeaksVRRPIsAFinding(t *testing.T) {
	s := &api.Status{Ready: true, Keeper: api.Keeper{PID: 7, Others: 2}}
	got := Findings(s)
	if len(got) != 1 || got[0].Code != "vrrp-others" || !strings.Contains(got[0].Remedy, "systemctl disable --now keepalived") {
		t.Errorf("findings %q", got)
	}
}

func TestAWatchdogThatCannotBeFedIsAFinding(t *testing.T) {
	s := &api.Status{Ready: true, Keeper: api.Keeper{PID: 7, Watchdog: &api.Watchdog{Device: "/dev/watchdog"}}}
	if got := Findings(s); len(got) != 0 {
		t.Errorf("the routers are not running yet: findings %q", got)
	}
	s.Keeper.Watchdog.Why = "opening it: device or resource busy"
	if got := Findings(s); len(got) != 1 || got[0].Code != "watchdog-unfed" || !strings.Contains(got[0].Text, "resource busy") {
		t.Errorf("findings %q", got)
	}
	s.Keeper.Watchdog.Fed, s.Keeper.Watchdog.Why = true, ""
	if got := Findings(s); len(got) != 0 {
		t.Errorf("it is fed: findings %q", got)
	}
}

// "It says that the firewall is to blame, but I had mistyped the id."
func TestTwoMastersWithDifferentIDsAreOneFinding(t *testing.T) {
	s := tellOf(t, clusterOf())
	find := func(dispute string) string {
		s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master, Dispute: dispute, Counters: vrrp.Counters{OtherMasters: 7}}})
		var codes []string
		for _, f := range s.core.Status(s.now, Edges{Keeper: api.Keeper{PID: 7}}).Findings {
			codes = append(codes, f.Code)
		}
		return strings.Join(codes, " ")
	}
	if got := find(""); got != "other-master" {
		t.Errorf("without a word why: findings %s", got)
	}
	if got := find("10.13.0.16 advertises 10.13.0.200 too, but with virtual router id 52 instead of 51"); got != "disputed-address" {
		t.Errorf("with different ids: findings %s", got)
	}
}

func TestWhatTheEdgesLackIsAFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.http, f.alone = errors.New("address already in use"), errors.New("process 7 of user 65534 has the socket")
		d, _, _ := begin(t, f, clusterOf(checked(tcpTarget)), nil)
		st, err := d.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for code, why := range map[string]error{HTTPUnavailable: f.http, NamespaceUnlocked: f.alone} {
			i := slices.IndexFunc(st.Findings, func(f api.Finding) bool { return f.Code == code })
			if i < 0 || !strings.Contains(st.Findings[i].Text, why.Error()) {
				t.Errorf("findings %+v, want one with %v", st.Findings, why)
			}
		}
	})
}

func TestAHookThatFailedLastIsAFinding(t *testing.T) {
	for _, tt := range []struct {
		name string
		hook api.Hook
		want string
	}{
		{"it was never run", api.Hook{}, ""},
		{"it did what it should", api.Hook{Last: api.HookRun{At: start, OK: true}}, ""},
		{"it failed", api.Hook{Last: api.HookRun{At: start, State: "MASTER", Result: "exit status 1"}},
			`the hook "any" of virtual router "outside" failed when it was told "MASTER": /bin/notify: exit status 1`},
		{"it cannot be run", api.Hook{Unusable: "it is gone", Last: api.HookRun{At: start}}, `the hook "any" of virtual router "outside" cannot be run: it is gone`},
	} {
		tt.hook.On, tt.hook.Program = "any", "/bin/notify"
		var all findings
		all.hook(`virtual router "outside"`, &tt.hook)
		got := ""
		for _, f := range all {
			got += f.Text
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
