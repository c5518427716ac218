package probe

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// canary is the password of tests; no result may have it.
const canary = "c4n4ry-hunter2"

// A sessionRow is a server and what a check says of it.
type sessionRow struct {
	name    string
	serve   func(*net.TCPConn)
	asks    checker.Options
	outcome checker.Outcome
	reason  checker.Reason
	detail  string // a part of it
}

// brief is the timeout of checks that no answer comes to.
const brief = 400 * time.Millisecond

// testSessions runs checks of servers.
func testSessions(t *testing.T, rows []sessionRow) {
	p := newProber(t)
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			timeout := patience
			if tt.reason == checker.TimedOut {
				timeout = brief
			}
			began := time.Now()
			got := probeOnce(t, p, at(serve(t, tt.serve), tt.asks, timeout))
			if got.Outcome != tt.outcome || got.Reason != tt.reason || !strings.Contains(got.Detail, tt.detail) || strings.Contains(got.Detail, canary) {
				t.Errorf("%v (%v): %s\nwant %v (%v): %s", got.Outcome, got.Reason, got.Detail, tt.outcome, tt.reason, tt.detail)
			}
			if took := time.Since(began); took > timeout+5*time.Second {
				t.Errorf("it took %v, and its timeout is %v", took, timeout)
			}
		})
	}
}

// badServers are servers that speak no protocol, with what a check of any says of them
// that waits for a protocol's first message before it says anything (greeted), or not.
// What they say must not depend on the password.
func badServers(asks checker.Options, greeted bool) (rows []sessionRow) {
	heard := func(next func(*net.TCPConn)) func(*net.TCPConn) {
		if greeted {
			return next
		}
		return func(c *net.TCPConn) {
			c.Read(make([]byte, 4096))
			next(c)
		}
	}
	failed := func(name string, serve func(*net.TCPConn), reason checker.Reason, detail string) {
		rows = append(rows, sessionRow{name, serve, asks, checker.Failed, reason, detail})
	}
	failed("a server that is silent", func(*net.TCPConn) {}, checker.TimedOut, "timeout after 400ms while waiting for ")
	failed("one that closes at once", heard(func(c *net.TCPConn) { c.Close() }), checker.Reset, "the server closed the connection without ")
	failed("one that resets", heard(func(c *net.TCPConn) { c.SetLinger(0); c.Close() }), checker.Reset, "connection reset by peer")
	failed("one that closes in the middle", heard(func(c *net.TCPConn) { io.WriteString(c, "+"); c.Close() }), checker.Reset, "the server closed the connection within ")
	failed("one that speaks HTTP", heard(func(c *net.TCPConn) {
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nServer: x\r\nConnection: close\r\n\r\n")
		c.Close()
	}), checker.WrongAnswer, "")
	return rows
}

// endlessServers are servers that say something for ever; a check of them ends, and what
// it says does not matter.
func endlessServers(beginnings ...string) map[string]func(*net.TCPConn) {
	all := map[string]func(*net.TCPConn){
		"one byte at a time": trickles("x"), "zeros at a time": trickles("\x00"), "single line ends": trickles("\n"),
		"for ever": floods("x"), "zeros for ever": floods("\x00"), "lines for ever": floods("\r\n"), "ones for ever": floods("\xff"),
		"itself": func(c *net.TCPConn) { io.Copy(c, c) },
	}
	for _, b := range beginnings {
		all["for ever, after "+b] = func(c *net.TCPConn) {
			io.WriteString(c, b)
			floods("x")(c)
		}
		all["a byte at a time, after "+b] = func(c *net.TCPConn) {
			io.WriteString(c, b)
			trickles("\x01")(c)
		}
	}
	return all
}

// testEndless asks servers that say something for ever.
func testEndless(t *testing.T, asks checker.Options, beginnings ...string) {
	p := newProber(t)
	for name, serves := range endlessServers(beginnings...) {
		t.Run("a server that sends "+name, func(t *testing.T) {
			addr := serve(t, serves)
			began := time.Now()
			got := probeOnce(t, p, at(addr, asks, brief))
			if got.Outcome != checker.Failed || got.Detail == "" || strings.Contains(got.Detail, canary) {
				t.Errorf("%v: %s", got.Outcome, got.Detail)
			}
			if took := time.Since(began); took > brief+5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// However much a server says, a probe reads a bounded part. No other test runs meanwhile.
func TestSessionsAreBounded(t *testing.T) {
	p := newProber(t)
	for _, asks := range []checker.Options{checker.Redis{}, checker.Memcached{}, checker.MySQL{}, checker.Postgres{}, checker.LDAP{}} {
		for name, serves := range endlessServers() {
			addr := serve(t, serves)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			probeOnce(t, p, at(addr, asks, brief))
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
				t.Errorf("%s of a server that sends %s takes %d bytes", asks.Kind(), name, grown)
			}
		}
	}
}

// turns are what a server does: it reads until a text has come, and answers.
type turns []turn

type turn struct{ heard, says string }

// plays returns a server that follows them, and then reads to the end.
func plays(lines turns) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		var heard bytes.Buffer
		buffer := make([]byte, 4096)
		for _, l := range lines {
			for !bytes.Contains(heard.Bytes(), []byte(l.heard)) {
				n, err := c.Read(buffer)
				heard.Write(buffer[:n])
				if err != nil {
					c.Close()
					return
				}
			}
			if _, rest, ok := bytes.Cut(heard.Bytes(), []byte(l.heard)); ok {
				rest = bytes.Clone(rest)
				heard.Reset()
				heard.Write(rest)
			}
			io.WriteString(c, l.says)
		}
		io.Copy(io.Discard, c)
		c.Close()
	}
}

// What a server tells of lengths never makes a probe read more than its limit.
func FuzzMessages(f *testing.F) {
	f.Add([]byte("a line\r\nand another one"), uint16(3))
	f.Add([]byte("\x00\x00\xff\xff"), uint16(600))
	f.Fuzz(func(t *testing.T, text []byte, n uint16) {
		m := hear(bytes.NewReader(text), "")
		m.await("what is awaited")
		line, err := m.line()
		if err == nil && !bytes.HasPrefix(text, []byte(line)) {
			t.Fatalf("%q begins with the line %q", text, line)
		}
		got, err := m.take(int(n))
		if err == nil && (len(got) != int(n) || !bytes.Contains(text, got)) || err != nil && err.Error() == "" {
			t.Fatalf("%q: took %q, %v", text, got, err)
		}
		if read := checker.AnswerLimit - m.limit.N; read > checker.AnswerLimit {
			t.Fatalf("read %d bytes", read)
		}
	})
}

// What lvsd check tells of a server that repeats a password is told without it.
func TestStepsAreToldWithoutThePassword(t *testing.T) {
	var told strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), brief)
	defer cancel()
	ctx = WithTracer(ctx, func(step, text string) { told.WriteString(step + ": " + text + "\n") })
	target := at(serve(t, func(c *net.TCPConn) { io.Copy(c, c) }), checker.Redis{Login: passwordAt(t, "", canary)}, brief)
	newProber(t).Compile(target.Spec)(ctx, target)
	if text := told.String(); strings.Contains(text, canary) || !strings.Contains(text, "[hidden]") {
		t.Errorf("told:\n%s", text)
	}
}
