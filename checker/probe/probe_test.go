package probe

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

func TestMain(m *testing.M) {
	if os.Getenv("PROBE_TEST_SERVER") != "" {
		serveBench()
		return
	}
	os.Exit(m.Run())
}

// patience is the timeout of probes to servers that answer at once: long, for
// the machine may be busy.
const patience = 10 * time.Second

// probeOnce runs one probe as the checker would.
func probeOnce(t *testing.T, p *Prober, target checker.Target) checker.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), target.Timeout)
	defer cancel()
	return p.Compile(target.Spec)(ctx, target)
}

// expect compares a result with what a row wants: an outcome, and a detail
// that contains a text; a passed probe has none.
func expect(t *testing.T, got checker.Result, outcome checker.Outcome, detail string) {
	t.Helper()
	if got.Outcome != outcome || !strings.Contains(got.Detail, detail) || outcome == checker.Passed && got.Detail != "" {
		t.Errorf("%v: %q\nwant %v: %q", got.Outcome, got.Detail, outcome, detail)
	}
	if refused := detail == "connection refused"; (got.Reason == checker.Refused) != refused {
		t.Errorf("%q has the reason %v, and is a refusal: %v", got.Detail, got.Reason, refused)
	}
	if len(got.Detail) > detailLimit+10 || strings.ContainsAny(got.Detail, "\r\n\x00") {
		t.Errorf("a detail that is no short line: %q", got.Detail)
	}
}

// newProber returns a Prober whose sockets are closed at the end of the test.
func newProber(t *testing.T) *Prober {
	p := New(nil)
	t.Cleanup(func() {
		closeSocket(&p.ping4)
		closeSocket(&p.ping6)
	})
	return p
}

// serve accepts connections on the loopback address and gives each to handle,
// which may ignore it for ever: it is closed at the end of the test.
func serve(t testing.TB, handle func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go handle(c.(*net.TCPConn))
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// at returns a target for an address.
func at(addr netip.AddrPort, o checker.Options, timeout time.Duration) checker.Target {
	return checker.Target{Spec: checker.SpecOf(o), Addr: addr.Addr(), Port: addr.Port(), Interval: 2 * time.Second, Timeout: timeout}
}

// closedPort returns an address at which nobody listens.
func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

type smoke struct{}

func (smoke) Kind() string { return "smoke signals" }

func TestProbeUnusableTargetIsNotRun(t *testing.T) {
	p := newProber(t)
	addr := netip.MustParseAddrPort("127.0.0.1:1")
	garbled := at(addr, checker.HTTP{}, time.Second)
	garbled.Spec = `http {"status":"wrong"}`
	for _, tt := range []struct {
		target checker.Target
		want   string
	}{
		{at(netip.AddrPort{}, checker.TCP{}, time.Second), "the target has no address"},
		{at(addr, smoke{}, time.Second), `the check cannot be run: this version has no check of kind "smoke"`},
		{garbled, "the check cannot be run: json: cannot unmarshal string into Go struct field HTTP.status"},
		{at(addr, checker.HTTP{Body: "("}, time.Second), "the check cannot be run: body is not a valid regular expression (RE2 syntax): missing closing ) in \"(\""},
		{at(addr, checker.HTTP{Path: "x", Body: "OK"}, time.Second), `the check cannot be run: path "x" must begin with /`},
	} {
		expect(t, probeOnce(t, p, tt.target), checker.NotRun, tt.want)
	}
}

func TestProbeMappedAddressIsIPv4(t *testing.T) {
	addr := serve(t, func(*net.TCPConn) {})
	mapped := netip.AddrPortFrom(netip.AddrFrom16(addr.Addr().As16()), addr.Port())
	expect(t, probeOnce(t, newProber(t), at(mapped, checker.TCP{}, patience)), checker.Passed, "")
}
