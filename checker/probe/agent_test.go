package probe

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// Bad agents say their reason in time, and none of them takes a server out that need not
// be asked.
func TestAgent(t *testing.T) {
	for _, tt := range []struct {
		name    string
		serve   func(*net.TCPConn)
		report  checker.Report
		failure string // where it must answer
	}{
		{"one line", speaks("up 50%\n"), checker.Report{Up: true, Advice: checker.Advice{Weight: 50, Measure: checker.Percent}}, ""},
		{"a line of Windows", speaks("drain\r\n"), checker.Report{Advice: checker.Advice{Mode: checker.Drain}}, ""},
		{"the first line alone", speaks("up\ndown\n"), checker.Report{Up: true}, ""},
		{"byte by byte", func(c *net.TCPConn) {
			for _, b := range []byte("stopped # for good\n") {
				c.Write([]byte{b})
				time.Sleep(time.Millisecond)
			}
		}, checker.Report{Down: true, Words: "stopped: for good"}, ""},
		{"garbage", speaks("\x16\x03\x01\x02\n"), checker.Report{}, "of which no word is understood"},
		{"101 %", speaks("101%\n"), checker.Report{}, `the agent says "101%", of which no word is understood`},
		{"half a word", speaks("dow"), checker.Report{}, "the server closed the connection in the middle of a line, which begins with \"dow\""},
		{"a word without the end of its line", speaks("down"), checker.Report{}, "in the middle of a line"},
		{"nothing", speaks(""), checker.Report{}, "closed the connection without an answer"},
		{"a line that does not end", func(c *net.TCPConn) {
			for {
				if _, err := c.Write([]byte(strings.Repeat("up ", 1000))); err != nil {
					return
				}
			}
		}, checker.Report{}, "the agent's line is longer than 1024 bytes"},
		{"silence", func(c *net.TCPConn) { c.Read(make([]byte, 1)); c.Close() }, checker.Report{}, "timeout after"},
		{"half a word, and silence", func(c *net.TCPConn) { c.Write([]byte("dow")); c.Read(make([]byte, 1)); c.Close() }, checker.Report{}, "timeout after"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			to := serve(t, tt.serve)
			for _, required := range []bool{true, false} {
				target := checker.Target{Spec: checker.SpecOf(checker.Agent{Required: required}), Addr: to.Addr(), Port: to.Port(), Timeout: 2 * time.Second}
				if strings.Contains(tt.failure, "timeout") {
					target.Timeout = 100 * time.Millisecond
				}
				r := probeOnce(t, newProber(t), target)
				if failed := r.Outcome == checker.Failed; failed != (required && tt.failure != "") || !strings.Contains(r.Detail, tt.failure) || tt.failure == "" && r.Detail != "" {
					t.Errorf("required %v: %v: %q, want %q", required, r.Outcome, r.Detail, tt.failure)
				}
				if r.Report == nil || *r.Report != tt.report {
					t.Errorf("report %+v, want %+v", r.Report, tt.report)
				}
			}
		})
	}
}

// What is sent tells an agent whom it is asked about (HAProxy's agent-send).
func TestAnAgentIsToldWhomItIsAskedAbout(t *testing.T) {
	to := serve(t, func(c *net.TCPConn) {
		line := make([]byte, 5)
		if _, err := c.Read(line); err != nil || string(line) != "web1\n" {
			return
		}
		c.Write([]byte("maint\n"))
	})
	r := probeOnce(t, newProber(t), checker.Target{Spec: checker.SpecOf(checker.Agent{Send: []byte("web1\n"), Required: true}), Addr: to.Addr(), Port: to.Port(), Timeout: patience})
	if r.Outcome != checker.Passed || r.Report.Mode != checker.Maintenance {
		t.Errorf("%+v, %+v", r, r.Report)
	}
}

// Nobody who listens there is silence on the network's side only where nothing comes back.
func TestAnAgentThatIsNotThere(t *testing.T) {
	to := serve(t, speaks(""))
	r := probeOnce(t, newProber(t), checker.Target{Spec: checker.SpecOf(checker.Agent{}), Addr: to.Addr(), Port: 1, Timeout: patience})
	if r.Outcome != checker.Passed || r.Reason != 0 || r.Silent || r.Detail != "connection refused" {
		t.Errorf("%+v", r)
	}
}

// speaks returns an agent that says a text to whoever connects, and closes.
func speaks(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		c.Write([]byte(text))
		c.Close()
	}
}
