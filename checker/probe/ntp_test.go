package probe

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// clock answers requests for the time, by a clock that is ahead of this one.
func clock(ahead time.Duration, edit func(p []byte)) func([]byte) []byte {
	return func(request []byte) []byte {
		p := make([]byte, ntpHead)
		p[0], p[1] = 4<<3|ntpServer, 2
		copy(p[ntpOrigin:], request[ntpSent:ntpHead])
		now := ntpTime(time.Now().Add(ahead))
		binary.BigEndian.PutUint64(p[ntpReceived:], now)
		binary.BigEndian.PutUint64(p[ntpSent:], now)
		edit(p)
		return p
	}
}

func TestNTP(t *testing.T) {
	t.Parallel()
	const brief = 400 * time.Millisecond
	as := func([]byte) {}
	sets := func(at int, value byte) func([]byte) { return func(p []byte) { p[at] = value } }
	kiss := func(code string) func([]byte) {
		return func(p []byte) {
			p[0], p[1] = 3<<6|4<<3|ntpServer, 0
			copy(p[ntpReference:], code)
		}
	}
	near := checker.NTP{Offset: time.Minute}
	p := newProber(t)
	for _, tt := range []struct {
		name    string
		answers func([]byte) []byte
		asks    checker.NTP
		timeout time.Duration
		outcome checker.Outcome
		detail  string
	}{
		{"a server that knows the time", clock(0, as), checker.NTP{}, patience, checker.Passed, ""},
		{"version 3", clock(0, sets(0, 3<<3|ntpServer)), checker.NTP{}, patience, checker.Passed, ""},
		{"with what may follow", func(b []byte) []byte { return append(clock(0, as)(b), make([]byte, 20)...) }, checker.NTP{}, patience, checker.Passed, ""},
		{"a leap second is announced", clock(0, sets(0, 1<<6|4<<3|ntpServer)), checker.NTP{}, patience, checker.Passed, ""},
		{"just the stratum that is wanted", clock(0, as), checker.NTP{Stratum: 2}, patience, checker.Passed, ""},
		{"a clock that is right", clock(0, as), near, patience, checker.Passed, ""},
		{"a clock that is wrong, where nobody minds", clock(time.Hour, as), checker.NTP{}, patience, checker.Passed, ""},

		{"a greater stratum", clock(0, as), checker.NTP{Stratum: 1}, patience, checker.Failed, "stratum 2, want 1 at most"},
		{"the greatest stratum", clock(0, sets(1, 16)), checker.NTP{}, patience, checker.Failed, "the server's clock is not synchronized"},
		{"it says that it is not synchronized", clock(0, sets(0, 3<<6|4<<3|ntpServer)), checker.NTP{}, patience, checker.Failed, "the server's clock is not synchronized"},
		{"a clock that is fast", clock(time.Hour+30*time.Second, as), near, patience, checker.Failed, "the server's clock and this director's differ by 1h0m"},
		{"a clock that is slow", clock(-time.Hour, as), near, patience, checker.Failed, "the server's clock and this director's differ by -"},
		{"a clock that counts from 1970 as if it were 1900", clock(ntpEpoch*time.Second, as), near, patience, checker.Failed, "differ by 579438h"},
		{"it is asked too often", clock(0, kiss("RATE")), checker.NTP{}, patience, checker.Failed, `(kiss of death, code "RATE"): raise the interval`},
		{"it does not want to be asked", clock(0, kiss("DENY")), checker.NTP{}, patience, checker.Failed, `(kiss of death, code "DENY")`},
		{"no time", clock(0, func(p []byte) { clear(p[ntpSent:]) }), checker.NTP{}, patience, checker.Failed, "does not say what time it is"},
		{"an answer before the question", clock(0, func(p []byte) { p[ntpSent]-- }), near, patience, checker.Failed, "answered before it was asked"},

		{"another's answer", clock(0, func(p []byte) { p[ntpOrigin]++ }), checker.NTP{}, brief, checker.Failed, "1 datagrams came that answer something else"},
		{"itself", func(b []byte) []byte { return slices.Clone(b) }, checker.NTP{}, brief, checker.Failed, "1 datagrams came that answer something else"},
		{"a piece", func(b []byte) []byte { return clock(0, as)(b)[:ntpHead-1] }, checker.NTP{}, brief, checker.Failed, "1 datagrams came that answer something else"},
		{"nothing", func([]byte) []byte { return []byte{} }, checker.NTP{}, brief, checker.Failed, "1 datagrams came that answer something else"},
		{"silence", func([]byte) []byte { return nil }, checker.NTP{}, brief, checker.Failed, "timeout after 400ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			expect(t, probeOnce(t, p, at(byUDP(t, tt.answers), tt.asks, tt.timeout)), tt.outcome, tt.detail)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		expect(t, probeOnce(t, p, at(closedUDPPort(t), checker.NTP{}, patience)), checker.Failed, "connection refused")
	})
	t.Run("many others, and then the answer", func(t *testing.T) {
		addr := serveUDP(t, func(b []byte) (all [][]byte) {
			for range 20 {
				all = append(all, slices.Clone(b))
			}
			return append(all, clock(0, as)(b))
		})
		expect(t, probeOnce(t, p, at(addr, checker.NTP{}, patience)), checker.Passed, "")
	})
}

// RFC 5905, section 8, by numbers, and across the end of an era in 2036.
func TestNTPOffset(t *testing.T) {
	sent := time.Date(2036, 2, 7, 6, 28, 15, 900_000_000, time.UTC) // 100 ms before that
	for _, tt := range []struct {
		name                  string
		ahead, out, in, takes time.Duration
		offset, unsure        time.Duration
	}{
		{"equal clocks", 0, 10 * time.Millisecond, 10 * time.Millisecond, 5 * time.Millisecond, 0, 10 * time.Millisecond},
		{"a fast one", 3 * time.Second, 150 * time.Millisecond, 150 * time.Millisecond, 0, 3 * time.Second, 150 * time.Millisecond},
		{"a slow one", -time.Second, 0, 0, time.Second, -time.Second, 0},
		{"one way takes longer", 0, 100 * time.Millisecond, 0, 0, 50 * time.Millisecond, 50 * time.Millisecond},
		{"68 years ahead", 68 * 365 * 24 * time.Hour, 0, 0, 0, 68 * 365 * 24 * time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			received := sent.Add(tt.ahead + tt.out)
			a := ntpAnswer{received: ntpTime(received), sent: ntpTime(received.Add(tt.takes))}
			offset, unsure := a.offset(sent, sent.Add(tt.out+tt.takes+tt.in))
			if off := offset - tt.offset; off.Abs() > time.Microsecond {
				t.Errorf("the offset is %v, want %v", offset, tt.offset)
			}
			if off := unsure - tt.unsure; off.Abs() > time.Microsecond {
				t.Errorf("it may be off by %v, want %v", unsure, tt.unsure)
			}
		})
	}
}

// FuzzNTP judges whatever a server may send.
func FuzzNTP(f *testing.F) {
	request := newNTPRequest(1)
	f.Add(clock(0, func([]byte) {})(request), int64(time.Second), uint8(3))
	f.Add(clock(time.Hour, func([]byte) {})(request), int64(1), uint8(15))
	f.Add(make([]byte, ntpHead), int64(0), uint8(0))
	f.Fuzz(func(t *testing.T, answer []byte, within int64, stratum uint8) {
		if !answersNTP(answer, 1) {
			return
		}
		o := checker.NTP{Stratum: stratum%checker.MaxStratum + 1, Offset: time.Duration(max(within, 0))}
		now := time.Now()
		a := parseNTP(answer)
		if judgeNTP(o, a, now, now.Add(time.Millisecond)) == nil && (a.stratum == 0 || a.stratum > o.Stratum) {
			t.Errorf("stratum %d passes, want %d at most", a.stratum, o.Stratum)
		}
	})
}
