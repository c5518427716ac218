package control

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"net/netip"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// fixtures are situations that an operator meets.
var fixtures = []struct {
	name string
	view View
	edit func(*director.Status)
}{
	{"healthy", View{}, func(*director.Status) {}},
	{"healthy-colour", View{Width: 120, Color: true}, func(*director.Status) {}},
	{"healthy-80-characters", View{Width: 80}, func(*director.Status) {}},
	{"healthy-40-characters", View{Width: 40}, func(*director.Status) {}},
	{"backup", View{}, func(st *director.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Priority, r.Held = vrrp.Backup, before(90*time.Minute), 100, 0
		st.Node = "lvs2"
	}},
	{"one-server-failed", View{Width: 100}, func(st *director.Status) {
		fail(&st.Services[0].Servers[1], "status 503, want 200-299", 2*time.Millisecond)
	}},
	{"one-server-failed-80-characters", View{Width: 80}, func(st *director.Status) {
		fail(&st.Services[0].Servers[1], "status 503, want 200-299", 2*time.Millisecond)
	}},
	{"many-servers-failed-80-characters", View{Width: 80}, func(st *director.Status) {
		*st = *large(1, 14)
		for i := range 12 {
			fail(&st.Services[0].Servers[i], "no answer to GET /healthz within 2s", 2*time.Second)
		}
	}},
	{"one-server-drained", View{}, func(st *director.Status) { drain(&st.Services[0].Servers[0]) }},
	{"all-servers-drained", View{}, func(st *director.Status) {
		for i := range st.Services[0].Servers {
			drain(&st.Services[0].Servers[i])
		}
		st.Services[0].Fallback = nil
		unserve(&st.Services[0], director.Drained)
	}},
	{"drained-or-failed-fallback-active", View{}, func(st *director.Status) {
		drain(&st.Services[0].Servers[0])
		for i := range 2 {
			fail(&st.Services[0].Servers[1+i], "connection refused", 300*time.Microsecond)
		}
		unserve(&st.Services[0], director.Drained)
	}},
	{"fallback-active", View{}, func(st *director.Status) {
		for i := range st.Services[0].Servers {
			fail(&st.Services[0].Servers[i], "connection refused", 300*time.Microsecond)
		}
		unserve(&st.Services[0], director.NoneUp)
	}},
	{"no-server-configured", View{Color: true}, func(st *director.Status) {
		refusing, relieved := st.Services[0], st.Services[0]
		refusing.Name, refusing.Servers, refusing.Fallback = "mail", nil, nil
		unserve(&refusing, director.NoServer)
		relieved.Servers = nil
		unserve(&relieved, director.NoServer)
		st.Services = []director.ServiceStatus{refusing, relieved}
	}},
	{"withheld-while-backup", View{}, func(st *director.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Priority, r.Held = vrrp.Backup, before(90*time.Minute), 100, 0
		v := &st.Services[0]
		v.InKernel, v.Supply = false, director.Withheld
		for i := range v.Servers {
			s := &v.Servers[i]
			s.Forward, s.InKernel, s.KernelWeight = "direct", false, 0
		}
	}},
	{"all-failed-no-fallback", View{Color: true}, func(st *director.Status) {
		for i := range st.Services[0].Servers {
			fail(&st.Services[0].Servers[i], "no answer", time.Second)
		}
		st.Services[0].Fallback = nil
		unserve(&st.Services[0], director.NoneUp)
	}},
	{"reload-failed", View{}, func(st *director.Status) {
		r := &st.Reload
		r.Last, r.OK, r.Failed = before(30*time.Second), false, 1
		r.Error = "web.hcl:4: unknown scheduler \"wrrr\"; did you mean \"wrr\"?"
	}},
	{"keeper-missing", View{}, func(st *director.Status) {
		st.Keeper = director.KeeperStatus{Restarts: 3}
	}},
	{"interface-down", View{}, func(st *director.Status) {
		r := &st.Routers[0]
		r.State, r.Since, r.Held, r.Fault, r.Master = vrrp.Initialize, before(3*time.Second), 0, "interface eth0 is down", netip.MustParseAddr("10.13.0.16")
	}},
	{"no-routers-no-services", View{}, func(st *director.Status) {
		st.Routers, st.Services, st.Keeper = nil, nil, director.KeeperStatus{}
		st.Table.Audited = time.Time{}
	}},
	{"starting", View{}, func(st *director.Status) {
		st.Ready, st.Started = false, before(2*time.Second)
		st.Table.LastError = "adding destination 192.168.1.4:80: no such process"
		st.Table.Pending = 3
		st.Services[0].InKernel = false
		s := &st.Services[0].Servers[0]
		s.Health, s.Since, s.InKernel, s.Checks[0].Last = "unknown", time.Time{}, false, checker.Result{}
	}},
	{"kernel-weight-differs", View{Color: true}, func(st *director.Status) {
		st.Services[0].Servers[0].KernelWeight = 1
		st.Findings = []event.Finding{{Text: "virtual service web uses NAT and net.ipv4.ip_forward is 0, so replies stop here", Remedy: "set it to 1"}}
	}},
	{"ipv6-and-mark", View{}, func(st *director.Status) {
		st.Routers[0].Addresses = []netip.Prefix{netip.MustParsePrefix("2001:db8:13::200/64")}
		st.Routers[0].Held = 1
		st.Services = []director.ServiceStatus{
			{Name: "web6", Address: "tcp [2001:db8:13::200]:443", Scheduler: "mh", InKernel: true, Supply: director.Served,
				Servers: []director.ServerStatus{up("compute-0-0", "[2001:db8:1::1:4]:443", 3)}},
			{Name: "marked", Address: ipvsctl.ServiceKey{Mark: 7, Addr: netip.IPv4Unspecified()}.String(), Scheduler: "wlc", InKernel: true, Supply: director.Served,
				Servers: []director.ServerStatus{{Name: "10.0.0.1", Address: "10.0.0.1:0", Forward: "direct", Health: "unchecked", Weight: 1, KernelWeight: 1, InKernel: true}}},
		}
	}},
	{"hostile-names", View{Color: true}, func(st *director.Status) {
		st.Node = "lvs1\x1b]0;owned\x07"
		st.Routers[0].Name = "out\nside"
		st.Services[0].Name = "web\x1b[2J"
		st.Services[0].Servers[0].Name = "\u202egnorw"
		fail(&st.Services[0].Servers[0], "body \"\x1b[31mred\x00\xff\r\n\" does not match", time.Millisecond)
		st.Reload.OK, st.Reload.Error = false, "x.hcl:1: \x9b31m"
	}},
}

// TestWriteStatus tells the situations as the operator sees them; the golden
// files are meant to be read.
func TestWriteStatus(t *testing.T) {
	for _, f := range fixtures {
		t.Run(f.name, func(t *testing.T) {
			st := healthy()
			f.edit(st)
			st.Findings = append(director.Findings(st), st.Findings...)
			var b strings.Builder
			if err := f.view.WriteStatus(&b, st); err != nil {
				t.Fatal(err)
			}
			golden(t, "status-"+f.name+".txt", b.String())
			checkLines(t, f.view, b.String())
		})
	}
}

// checkLines looks for what no output may have.
func checkLines(t *testing.T, v View, out string) {
	t.Helper()
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimRight(line, " ") != line {
			t.Errorf("trailing blanks: %q", line)
		}
		if v.Color {
			line = strings.NewReplacer("\x1b[0m", "", "\x1b[1m", "", "\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "").Replace(line)
		}
		if p := Printable(line); p != line {
			t.Errorf("the terminal would obey %q", line)
		}
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	st := healthy()
	fail(&st.Services[0].Servers[1], strings.Repeat("very long answer ", 30), 2*time.Millisecond)
	for width := 80; width < 200; width += 7 {
		var b strings.Builder
		if err := (View{Width: width}).WriteStatus(&b, st); err != nil {
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
	st.Findings = director.Findings(st)
	var b strings.Builder
	start := time.Now()
	if err := (View{Width: 132}).WriteStatus(&b, st); err != nil {
		t.Fatal(err)
	}
	t.Logf("11,000 rows in %v, %d bytes", time.Since(start), b.Len())
	if rows := strings.Count(b.String(), "\n"); rows < 11_000 || rows > 11_020 {
		t.Errorf("%d lines, want 11,000 and a few", rows)
	}
	const want = "! 40 of 10000 real servers are down: shop-0000/node-0000-03, shop-0001/node-0001-03, shop-0002/node-0002-03 and 37 more\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("the failed servers are not summed up at the head:\n%.600s", b.String())
	}
}

func TestPrintable(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain text stays", "status 503, want 200-299", "status 503, want 200-299"},
		{"letters of any language stay", "größe 東京", "größe 東京"},
		{"escape sequences", "\x1b[2J", `\x1b[2J`},
		{"the one-byte form of CSI", "\u009b31m", `\u009b31m`},
		{"line ends and tabs", "a\r\nb\tc", `a\r\nb\tc`},
		{"marks of direction", "\u202eabc", `\u202eabc`},
		{"bytes that are no UTF-8", "a\xff\xc3b", `a\xff\xc3b`},
		{"the replacement character itself", "\ufffd", "\ufffd"},
		{"quotes stay", `say "x" 'y'`, `say "x" 'y'`},
	} {
		if got := Printable(tt.in); got != tt.want {
			t.Errorf("%s: Printable(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[31m")
	f.Add("\xff\ufffd\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		p := Printable(s)
		if Printable(p) != p || !utf8.ValidString(p) {
			t.Errorf("Printable(%q) = %q is not printable", s, p)
		}
	})
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
