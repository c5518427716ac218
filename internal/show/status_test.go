package show

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/internal/text"
)

// fixtures are situations that an operator meets.
var fixtures = []struct {
	name string
	on   Terminal
	edit func(*api.Status)
}{
	{"healthy", Terminal{}, func(*api.Status) {}},
	{"healthy-colour", Terminal{Width: 120, Color: true}, func(*api.Status) {}},
	{"healthy-80-characters", Terminal{Width: 80}, func(*api.Status) {}},
	{"healthy-40-characters", Terminal{Width: 40}, func(*api.Status) {}},
	{"backup", Terminal{}, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Priority, r.Held = api.Backup, before(90*time.Minute), 100, 0
		st.Node = "lvs2"
	}},
	{"one-server-failed", Terminal{Width: 100}, func(st *api.Status) {
		fail(&st.Services[0].Servers[1], "status 503, want 200-299", 2*time.Millisecond)
		st.Findings = []api.Finding{
			{Severity: api.Warning, Text: "1 of 3 real servers is down: web/compute-0-1"},
		}
	}},
	{"check-that-is-not-run-80-characters", Terminal{Width: 80}, func(st *api.Status) {
		for i := range st.Services[0].Servers[:2] {
			c := &st.Services[0].Servers[i].Checks[0]
			c.Last.Outcome, c.Last.Detail = api.NotRun, "connect: network is unreachable: this director has no route to the server"
		}
		st.Services[0].Servers[1].Checks[0].Last.Outcome = api.Failed // once, and it is still up
	}},
	{"one-of-two-checks-is-enough", Terminal{Width: 160, Color: true}, func(st *api.Status) {
		for i := range st.Services[0].Servers[:2] {
			s := &st.Services[0].Servers[i]
			s.Checks[0].Group = "any"
			s.Checks = append(s.Checks, s.Checks[0])
			s.Checks[1].Kind, s.Checks[1].Asked = "tcp", "192.168.1.9:3306"
			fail(&api.Server{Checks: s.Checks[1:]}, "connection refused", 2*time.Millisecond)
		}
		fail(&st.Services[0].Servers[1], "status 503, want 200-299", 2*time.Millisecond)
	}},
	{"one-server-failed-80-characters", Terminal{Width: 80}, func(st *api.Status) {
		fail(&st.Services[0].Servers[1], "status 503, want 200-299", 2*time.Millisecond)
		st.Findings = []api.Finding{
			{Severity: api.Warning, Text: "1 of 3 real servers is down: web/compute-0-1"},
		}
	}},
	{"many-servers-failed-80-characters", Terminal{Width: 80}, func(st *api.Status) {
		*st = *large(1, 14)
		for i := range 12 {
			fail(&st.Services[0].Servers[i], "no answer to GET /healthz within 2s", 2*time.Second)
		}
		st.Findings = []api.Finding{
			{Severity: api.Warning, Text: "12 of 14 real servers are down: shop-0000/node-0000-00, shop-0000/node-0000-01, shop-0000/node-0000-02 and 9 more"},
		}
	}},
	{"one-server-drained", Terminal{}, func(st *api.Status) { drain(&st.Services[0].Servers[0]) }},
	{"all-servers-drained", Terminal{}, func(st *api.Status) {
		for i := range st.Services[0].Servers {
			drain(&st.Services[0].Servers[i])
		}
		st.Services[0].Fallback = nil
		unserve(&st.Services[0], "drained")
		st.Findings = []api.Finding{
			{Severity: api.Error, Text: "virtual service web (tcp 10.13.0.200:80): every real server that is not down has weight 0, so clients are refused"},
		}
	}},
	{"drained-or-failed-fallback-active", Terminal{}, func(st *api.Status) {
		drain(&st.Services[0].Servers[0])
		for i := range 2 {
			fail(&st.Services[0].Servers[1+i], "connection refused", 300*time.Microsecond)
		}
		unserve(&st.Services[0], "drained")
		st.Findings = []api.Finding{
			{Severity: api.Warning, Text: "virtual service web (tcp 10.13.0.200:80): every real server that is not down has weight 0, so the fallback serves"},
			{Severity: api.Warning, Text: "2 of 3 real servers are down: web/compute-0-1, web/192.168.2.2"},
		}
	}},
	{"fallback-active", Terminal{}, func(st *api.Status) {
		for i := range st.Services[0].Servers {
			fail(&st.Services[0].Servers[i], "connection refused", 300*time.Microsecond)
		}
		unserve(&st.Services[0], "down")
		st.Findings = []api.Finding{
			{Severity: api.Warning, Text: "virtual service web (tcp 10.13.0.200:80): no real server is up, so the fallback serves"},
			{Severity: api.Warning, Text: "3 of 3 real servers are down: web/compute-0-0, web/compute-0-1, web/192.168.2.2"},
		}
	}},
	{"fallbacks-that-are-checked", Terminal{}, func(st *api.Status) {
		v := &st.Services[0]
		for i := range v.Servers {
			fail(&v.Servers[i], "connection refused", 300*time.Microsecond)
		}
		unserve(v, "down")
		for i, name := range []string{"fallback", "fallback-2", "fallback-3"} {
			f := *v.Fallback
			f.Name, f.Since = name, before(time.Hour)
			f.Health, f.Checks = api.Up, []api.Check{{Kind: "tcp", Up: true, Last: api.Result{At: before(time.Second), Latency: 200 * time.Microsecond, Outcome: api.Passed}}}
			if f.KernelWeight = 0; i == 1 {
				f.KernelWeight = 1
			}
			v.Fallbacks = append(v.Fallbacks, f)
		}
		fail(&v.Fallbacks[2], "connection refused", 300*time.Microsecond)
		v.Fallback = nil
	}},
	{"no-server-configured", Terminal{Color: true}, func(st *api.Status) {
		refusing, relieved := st.Services[0], st.Services[0]
		refusing.Name, refusing.Servers, refusing.Fallback = "mail", nil, nil
		unserve(&refusing, "no_server")
		relieved.Servers = nil
		unserve(&relieved, "no_server")
		st.Services = []api.Service{refusing, relieved}
		st.Findings = []api.Finding{
			{Severity: api.Error, Text: "virtual service mail (tcp 10.13.0.200:80): no real server is configured, so clients are refused"},
			{Severity: api.Warning, Text: "virtual service web (tcp 10.13.0.200:80): no real server is configured, so the fallback serves"},
		}
	}},
	{"withheld-while-backup", Terminal{}, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Priority, r.Held = api.Backup, before(90*time.Minute), 100, 0
		v := &st.Services[0]
		v.InKernel, v.Supply = false, api.Withheld
		for i := range v.Servers {
			s := &v.Servers[i]
			s.Forward, s.InKernel, s.KernelWeight = "direct", false, 0
		}
	}},
	{"all-failed-no-fallback", Terminal{Color: true}, func(st *api.Status) {
		for i := range st.Services[0].Servers {
			fail(&st.Services[0].Servers[i], "no answer", time.Second)
		}
		st.Services[0].Fallback = nil
		unserve(&st.Services[0], "down")
		st.Findings = []api.Finding{
			{Severity: api.Error, Text: "virtual service web (tcp 10.13.0.200:80): no real server is up, so clients are refused"},
			{Severity: api.Warning, Text: "3 of 3 real servers are down: web/compute-0-0, web/compute-0-1, web/192.168.2.2"},
		}
	}},
	{"reload-failed", Terminal{}, func(st *api.Status) {
		r := &st.Reload
		r.Last, r.OK, r.Failed = before(30*time.Second), false, 1
		r.Error = "web.hcl:4: unknown scheduler \"wrrr\"; did you mean \"wrr\"?"
		st.Findings = []api.Finding{
			{Severity: api.Error, Text: "RELOAD REFUSED at 2026-11-23 11:59:30; the configuration of 2026-11-22 10:00:00 is still running (web.hcl:4: unknown scheduler \"wrrr\"; did you mean \"wrr\"?)", Remedy: "correct /etc/lvsd, check it with \"lvsd validate\" and reload again"},
		}
	}},
	{"keeper-missing", Terminal{}, func(st *api.Status) {
		st.Keeper = api.Keeper{Restarts: 3, Restarted: before(4 * time.Second)}
		st.Findings = []api.Finding{
			{Severity: api.Error, Text: "the process that sends the adverts is not running (3 attempts to start it again), so no address is renewed and the other director may take over"},
		}
	}},
	{"interface-down", Terminal{}, func(st *api.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Held, r.Fault, r.Master = api.Initialize, before(3*time.Second), 0, "interface eth0 is down", netip.MustParseAddr("10.13.0.16")
		st.Findings = []api.Finding{
			{Severity: api.Error, Text: "virtual router \"outside\" cannot be Master: interface eth0 is down"},
		}
	}},
	{"sync-group", Terminal{}, func(st *api.Status) {
		inside := st.Routers[0]
		inside.Name, inside.Interface, inside.State, inside.Held = "inside", "eth1", api.Backup, 0
		st.Routers = append(st.Routers, inside)
		st.SyncGroups = []api.SyncGroup{{Name: "nat", State: api.Split, Routers: []string{"outside", "inside"}}, {Name: "dmz", State: api.Master, Routers: []string{"a", "b"}}}
	}},
	{"static", Terminal{}, func(st *api.Status) {
		st.Keeper.Processors = []int{2, 6}
		st.Static = &api.Static{Wanted: []string{"10.14.0.15/24 on eth1", "route 10.15.0.0/16 via 10.14.0.1"}, Held: 1, Missing: "route 10.15.0.0/16 via 10.14.0.1"}
	}},
	{"no-routers-no-services", Terminal{}, func(st *api.Status) {
		st.Routers, st.Services, st.Keeper = nil, nil, api.Keeper{}
		st.Table.Audited = time.Time{}
	}},
	{"starting", Terminal{}, func(st *api.Status) {
		st.Ready, st.Started = false, before(2*time.Second)
		st.Table.LastError = "adding destination 192.168.1.4:80: no such process"
		st.Table.Pending = 3
		st.Services[0].InKernel = false
		s := &st.Services[0].Servers[0]
		s.Health, s.Since, s.InKernel, s.Checks[0].Last = "unknown", time.Time{}, false, api.Result{}
		st.Findings = []api.Finding{
			{Severity: api.Warning, Text: "not ready: starting; 1 of 1 virtual service is not in the kernel's table yet; the state of 1 real server is not known yet; the kernel refused an operation: adding destination 192.168.1.4:80: no such process"},
			{Severity: api.Error, Text: "virtual service web (tcp 10.13.0.200:80): not in the kernel's table, so clients are not served"},
			{Severity: api.Error, Text: "the kernel's table differs from the configuration; 3 operations are pending, and will be tried again: adding destination 192.168.1.4:80: no such process"},
		}
	}},
	{"kernel-weight-differs", Terminal{Color: true}, func(st *api.Status) {
		st.Services[0].Servers[0].KernelWeight = 1
		st.Findings = []api.Finding{
			{Severity: api.Error, Text: "virtual service \"web\" forwards by NAT, but this director does not forward packets, so the replies do not reach the clients", Remedy: "set net.ipv4.ip_forward=1 (sysctl -w, and in /etc/sysctl.d)"},
		}
	}},
	{"ipv6-and-mark", Terminal{}, func(st *api.Status) {
		st.Routers[0].Addresses = []netip.Prefix{netip.MustParsePrefix("2001:db8:13::200/64")}
		st.Routers[0].Held = 1
		st.Services = []api.Service{
			{Name: "web6", Address: "tcp [2001:db8:13::200]:443", Scheduler: "mh", InKernel: true, Supply: api.Served,
				Servers: []api.Server{up("compute-0-0", "[2001:db8:1::1:4]:443", 3)}},
			{Name: "marked", Address: "mark 7 (ipv4)", Scheduler: "wlc", InKernel: true, Supply: api.Served,
				Servers: []api.Server{{Name: "10.0.0.1", Address: "10.0.0.1:0", Forward: "direct", Health: "unchecked", Weight: 1, KernelWeight: 1, InKernel: true}}},
		}
	}},
	{"hostile-names", Terminal{Color: true}, func(st *api.Status) {
		st.Node = "lvs1\x1b]0;owned\x07"
		st.Routers[0].Name = "out\nside"
		st.Services[0].Name = "web\x1b[2J"
		st.Services[0].Servers[0].Name = "\u202egnorw"
		fail(&st.Services[0].Servers[0], "body \"\x1b[31mred\x00\xff\r\n\" does not match", time.Millisecond)
		st.Reload.OK, st.Reload.Error = false, "x.hcl:1: \x9b31m"
		st.Findings = []api.Finding{
			{Severity: api.Error, Text: "RELOAD REFUSED at 2026-11-22 10:00:00; the configuration of 2026-11-22 10:00:00 is still running (x.hcl:1: \x9b31m)", Remedy: "correct /etc/lvsd, check it with \"lvsd validate\" and reload again"},
			{Severity: api.Warning, Text: "1 of 3 real servers is down: web\x1b[2J/\u202egnorw"},
		}
	}},
}

// TestWriteStatus tells the situations as the operator sees them; the golden
// files are meant to be read.
func TestWriteStatus(t *testing.T) {
	for _, f := range fixtures {
		t.Run(f.name, func(t *testing.T) {
			st := healthy()
			f.edit(st)
			var b strings.Builder
			if err := f.on.WriteStatus(&b, st); err != nil {
				t.Fatal(err)
			}
			golden.Check(t, "testdata/status-"+f.name+".txt", b.String())
			checkLines(t, f.on, b.String())
		})
	}
}

// checkLines looks for what no output may have.
func checkLines(t *testing.T, on Terminal, out string) {
	t.Helper()
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimRight(line, " ") != line {
			t.Errorf("trailing blanks: %q", line)
		}
		if on.Color {
			line = strings.NewReplacer("\x1b[0m", "", "\x1b[1m", "", "\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "").Replace(line)
		}
		if p := text.Printable(line); p != line {
			t.Errorf("the terminal would obey %q", line)
		}
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	st := healthy()
	fail(&st.Services[0].Servers[1], strings.Repeat("very long answer ", 30), 2*time.Millisecond)
	for width := 80; width < 200; width += 7 {
		var b strings.Builder
		if err := (Terminal{Width: width}).WriteStatus(&b, st); err != nil {
			t.Fatal(err)
		}
		_, tables, _ := strings.Cut(b.String(), "\n\n")
		tables, _, _ = strings.Cut(tables, "\nProbes")
		for line := range strings.Lines(tables) {
			if strings.HasPrefix(line, "web/compute-0-1 is down: ") {
				continue // the reason, which is in whole there
			}
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("width %d: %d characters in %q", width, n, line)
			}
		}
	}
}

func TestThousandsOfRows(t *testing.T) {
	st := large(1000, 10)
	for i := range 40 {
		fail(&st.Services[i].Servers[3], "connection refused", time.Millisecond)
	}
	var b strings.Builder
	start := time.Now()
	if err := (Terminal{Width: 132}).WriteStatus(&b, st); err != nil {
		t.Fatal(err)
	}
	t.Logf("11,000 rows in %v, %d bytes", time.Since(start), b.Len())
	if rows := strings.Count(b.String(), "\n"); rows < 11_000 || rows > 11_020 {
		t.Errorf("%d lines, want 11,000 and a few", rows)
	}
}

func TestSpanAndLatency(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 4*time.Minute + 2*time.Second: "4m02s",
		26*time.Hour + 59*time.Minute: "1d02h", 3*time.Hour + 5*time.Minute: "3h05m",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		850 * time.Microsecond: "850 µs", 1200 * time.Microsecond: "1.2 ms", 1020 * time.Millisecond: "1.02 s",
	} {
		if got := latency(d); got != want {
			t.Errorf("latency(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestWhenPeersWereHeard(t *testing.T) {
	peer := api.Peer{Address: netip.MustParseAddr("10.13.0.16"), Priority: 100, Age: 2 * time.Second}
	refused := api.Peer{Address: netip.MustParseAddr("fe80::16"), Priority: 255, Age: time.Hour, Refused: "version"}
	for _, tt := range []struct {
		name string
		r    api.Router
		want string
	}{
		{"a Backup is silent, so a Master hears nobody", api.Router{State: api.Master}, "not heard (a Backup is silent)"},
		{"a Backup that hears nobody", api.Router{State: api.Backup}, "not heard"},
		{"a Backup and its Master", api.Router{State: api.Backup, Peers: []api.Peer{peer}}, "10.13.0.16 (priority 100) heard 2s ago"},
		{"and one that is not understood", api.Router{State: api.Master, Peers: []api.Peer{peer, refused}},
			"10.13.0.16 (priority 100) heard 2s ago; fe80::16 (priority 255) heard 1h00m ago, refused for its version"},
		{"one that signs", api.Router{State: api.Backup, Peers: []api.Peer{{Address: peer.Address, Priority: 100, Key: 2, Age: time.Second}}},
			"10.13.0.16 (priority 100) heard 1s ago, signed with key 2"},
	} {
		if got := peersOf(&tt.r); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Who rotates keys looks which are known and which one signs.
func TestWhatIsShownOfAuthentication(t *testing.T) {
	for _, tt := range []struct {
		a    api.Authentication
		want string
	}{
		{api.Authentication{Mode: "password"}, "a password, which everybody on the network can read"},
		{api.Authentication{Mode: "receive-only", Keys: []uint16{1}}, "signs nothing, accepts 1 (receive-only)"},
		{api.Authentication{Mode: "enforce", Signer: 2, Keys: []uint16{1, 2}}, "signs with 2, accepts 1, 2 (enforce)"},
	} {
		if got := keysOf(&tt.a); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.a, got, tt.want)
		}
	}
}
