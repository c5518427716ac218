package vrrp

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// strange is an advert of a Master that the router does not understand: version 2,
// without authentication, unless it is edited.
func strange(edit func(*Packet)) Packet {
	ad := advertOf(150)
	ad.Version = 2
	p := Packet{Src: higher, Dst: Group4, TTL: TTL, Payload: ad.Append(nil, higher, Group4)}
	if edit != nil {
		edit(&p)
	}
	return p
}

// sealed puts the checksum into a packet of version 2.
func sealed(b []byte) {
	b[6], b[7] = 0, 0
	binary.BigEndian.PutUint16(b[6:], ^sum(b, 0))
}

// password puts one into a packet of version 2.
func password(b []byte) {
	b[4] = authPassword
	copy(b[len(b)-authLen:], "1111")
}

// D5: lvsd became Master 3.3 s after its start beside keepalived, whose adverts it
// refused for their version.
func TestStandsAsideForAMasterThatItDoesNotUnderstand(t *testing.T) {
	with := func(edit func(b []byte)) func(*Packet) {
		return func(p *Packet) { edit(p.Payload); sealed(p.Payload) }
	}
	for _, tt := range []struct {
		name string
		c    func(*Config)
		p    func(*Packet)
		want bool // it stands aside
	}{
		{"version 2 here, 3 there", func(c *Config) { c.Version = 2 }, func(p *Packet) { p.Payload = advertOf(150).Append(nil, higher, Group4) }, true},
		{"version 3 here, 2 there", nil, nil, true},
		{"version 3 here, 2 with a password there", nil, with(password), true},
		{"version 2 here, 2 with a password there", func(c *Config) { c.Version = 2 }, with(password), true},
		{"version 2 with another password there", func(c *Config) { c.Version, c.Authentication.Password = 2, "2222" }, with(password), true},
		{"version 2 with a password here, and without there", func(c *Config) { c.Version, c.Authentication.Password = 2, "2222" }, nil, true},
		{"a lower priority", nil, with(func(b []byte) { b[2] = 1 }), true},
		{"one of several addresses is the same", func(c *Config) {
			c.Addresses = append([]netip.Prefix{netip.MustParsePrefix("10.0.0.99/24")}, c.Addresses...)
		}, nil, true},
		{"from a peer", func(c *Config) { c.Peers = []netip.Addr{higher} }, func(p *Packet) { p.Dst = ours }, true},

		{"by option", func(c *Config) { c.Insist = true }, nil, false},
		{"not for another address", nil, with(func(b []byte) { b[11]++ }), false},
		{"not for another id", nil, with(func(b []byte) { b[1]++ }), false},
		{"not for one that leaves", nil, with(func(b []byte) { b[2] = 0 }), false},
		{"not from another network", nil, func(p *Packet) { p.TTL = 254 }, false},
		{"not with a wrong checksum", nil, func(p *Packet) { p.Payload[7]++ }, false},
		{"not from an impossible source", nil, func(p *Packet) { p.Src = netip.MustParseAddr("10.0.0.255") }, false},
		{"not from outside of the network", nil, func(p *Packet) { p.Src = netip.MustParseAddr("8.8.8.8") }, false},
		{"not from our own address", nil, func(p *Packet) { p.Src = ours }, false},
		{"not from somebody who is not a peer", func(c *Config) { c.Peers = []netip.Addr{lower} }, func(p *Packet) { p.Dst = ours }, false},
		{"not by multicast where peers are configured", func(c *Config) { c.Peers = []netip.Addr{higher} }, nil, false},
		{"not of a version that nobody knows", nil, with(func(b []byte) { b[0] = 4<<4 | 1 }), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			if tt.c != nil {
				tt.c(&c)
			}
			r := NewRouter(c)
			r.networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.2/24")}
			r.Startup(epoch, ours)
			for now := epoch; r.State() == Backup && now.Before(at(20*time.Second)); now = now.Add(50 * time.Millisecond) {
				if now.Sub(epoch)%time.Second == 0 {
					r.Receive(now, strange(tt.p))
				}
				for _, a := range r.Expire(now) {
					if a, ok := a.(Ask); ok {
						r.Claim(now, Claim{a.Interface, a.Address, "52:54:00:00:00:01"})
					}
				}
			}
			aside := r.Status().Aside
			if (r.State() == Backup) != tt.want || (aside != nil) != tt.want {
				t.Errorf("it is %s, stands aside for %+v; want %t", r.State(), aside, tt.want)
			}
			if aside != nil && (aside.Master != higher || aside.Address != netip.MustParseAddr("10.0.0.100") || aside.MAC != "52:54:00:00:00:01" || aside.Reason == "") {
				t.Errorf("for %+v", aside)
			}
		})
	}
}

// What happens to a router that hears a stranger each second, and whose questions
// are answered or not. A story begins with a Backup that has waited for Master_Down,
// 3.609375 s.
func TestStoriesOfAGuard(t *testing.T) {
	const down = 3609375 * time.Microsecond
	type event = func(r *Router, now time.Time) []Action
	stranger := func(r *Router, now time.Time) []Action { return r.Receive(now, strange(nil)) }
	leaves := func(r *Router, now time.Time) []Action {
		return r.Receive(now, strange(func(p *Packet) { p.Payload[2] = 0; sealed(p.Payload) }))
	}
	answer := func(r *Router, now time.Time) []Action {
		return r.Claim(now, Claim{"eth0", netip.MustParseAddr("10.0.0.100"), "52:54:00:00:00:01"})
	}
	answerForAnother := func(r *Router, now time.Time) []Action {
		return r.Claim(now, Claim{"eth0", netip.MustParseAddr("10.0.0.101"), "52:54:00:00:00:01"})
	}
	type happening struct {
		at   time.Duration
		do   event
		want string
	}
	timer := matrixEvents["timer, early"]
	heard := happening{3 * time.Second, stranger, "note -> Backup 3.609375s"}
	asked := happening{down, timer, "ask -> Backup 3.709375s"}
	answered := happening{down + time.Millisecond, answer, "note -> Backup 4.610375s"}
	for _, tt := range []struct {
		name string
		edit func(*Config)
		all  []happening
	}{
		{"without such adverts a failover asks nobody, and waits for nothing", nil, []happening{
			{down, timer, "send 100, hold, announce, Master -> Master+ 4.609375s"}}},
		{"adverts that have stopped do not count", nil, []happening{
			{0, stranger, "note -> Backup 3.609375s"},
			{down, timer, "send 100, hold, announce, Master -> Master+ 4.609375s"}}},
		{"three questions that nobody answers", nil, []happening{
			heard, asked,
			{down + 100*time.Millisecond, timer, "ask -> Backup 3.809375s"},
			{down + 200*time.Millisecond, timer, "ask -> Backup 3.909375s"},
			{down + 300*time.Millisecond, timer, "send 100, hold, announce, Master -> Master+ 4.909375s"}}},
		{"the second question is answered", nil, []happening{
			heard, asked,
			{down + 100*time.Millisecond, timer, "ask -> Backup 3.809375s"},
			{down + 150*time.Millisecond, answer, "note -> Backup 4.759375s"}}},
		{"an answer that nobody asked for is nothing", nil, []happening{
			heard, {3500 * time.Millisecond, answer, " -> Backup 3.609375s"}, asked}},
		{"an answer for another of its addresses is none", nil, []happening{
			heard, asked, {down + time.Millisecond, answerForAnother, " -> Backup 3.709375s"}}},
		{"answered: its further adverts put off nothing, and bring nothing forward", nil, []happening{
			heard, asked, answered, {3700 * time.Millisecond, stranger, " -> Backup 4.610375s"}}},
		{"a stranger that leaves does not shorten Master_Down where nobody stands aside for it", nil, []happening{
			{time.Second, stranger, "note -> Backup 3.609375s"},
			{2 * time.Second, leaves, " -> Backup 3.609375s"}}},
		{"a Master that is understood leaves: the stranger may have the address", nil, []happening{
			heard, {3100 * time.Millisecond, matrixEvents["advert, equal, higher source"], "note -> Backup 6.709375s"},
			{3200 * time.Millisecond, matrixEvents["advert, priority 0"], " -> Backup 3.809375s"},
			{3809375 * time.Microsecond, timer, "ask -> Backup 3.909375s"}}},
		{"answered: the adverts end, and Master_Down later it is Master", nil, []happening{
			heard, asked, answered,
			{4610375 * time.Microsecond, timer, "ask -> Backup 4.710375s"},
			{4611 * time.Millisecond, answer, " -> Backup 5.611s"}, // told once
			{5611 * time.Millisecond, timer, "ask -> Backup 5.711s"},
			{5612 * time.Millisecond, answer, " -> Backup 6.609375s"}, // 3 s and Master_Down
			{3*time.Second + down, timer, "send 100, hold, announce, Master -> Master+ 7.609375s"}}},
		{"answered: it leaves, and nobody answers any more", nil, []happening{
			heard, asked, answered,
			{4 * time.Second, leaves, " -> Backup 4.609375s"}, // the skew
			{4609375 * time.Microsecond, timer, "ask -> Backup 4.709375s"},
			{4709375 * time.Microsecond, timer, "ask -> Backup 4.809375s"},
			{4809375 * time.Microsecond, timer, "ask -> Backup 4.909375s"},
			{4909375 * time.Microsecond, timer, "send 100, hold, announce, Master -> Master+ 5.909375s"}}},
		{"somebody says that it leaves, but it does not", nil, []happening{
			heard, asked, answered,
			{4 * time.Second, leaves, " -> Backup 4.609375s"},
			{4609375 * time.Microsecond, timer, "ask -> Backup 4.709375s"},
			{4610 * time.Millisecond, answer, " -> Backup 5.61s"}}},
		{"answered: a Master that is understood is followed", nil, []happening{
			heard, asked, answered,
			{4 * time.Second, matrixEvents["advert, higher"], "note -> Backup 7.609375s"},
			{5 * time.Second, answer, " -> Backup 7.609375s"}}},
		{"answered: it has a fault, and starts again", nil, []happening{
			heard, asked, answered,
			{4 * time.Second, matrixEvents["fault"], "Initialize -> Initialize"},
			{5 * time.Second, matrixEvents["startup"], "Backup -> Backup 8.609375s"}}},
		{"a worse Master that is understood has the address as well", nil, []happening{
			heard, {3100 * time.Millisecond, matrixEvents["advert, lower"], " -> Backup 3.609375s"},
			{down, timer, "send 100, hold, announce, Master -> Master+ 4.609375s"}}},
		{"a Master stays Master", nil, []happening{
			{down, timer, "send 100, hold, announce, Master -> Master+ 4.609375s"},
			{4 * time.Second, stranger, "note -> Master+ 4.609375s"},
			{4 * time.Second, answer, " -> Master+ 4.609375s"}}},
		{"the owner of the addresses has them anyway", func(c *Config) { c.Priority = 255 }, []happening{
			{0, matrixEvents["advert, equal, higher source"], "Backup, note -> Backup+ 50ms"},
			{50 * time.Millisecond, timer, "release -> Backup 3.00390625s"},
			{3 * time.Second, stranger, "note -> Backup 3.00390625s"},
			{3004 * time.Millisecond, timer, "send 255, hold, announce, Master -> Master+ 4.004s"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			if tt.edit != nil {
				tt.edit(&c)
			}
			r := NewRouter(c)
			r.Startup(epoch, ours)
			for _, h := range tt.all {
				if got := script(h.do(r, at(h.at))) + " -> " + condition(r); got != h.want {
					t.Errorf("at %s: %s, want %s", h.at, got, h.want)
				}
			}
		})
	}
}

// A pair where lvsd advertises four times a second, and keepalived, with version 2,
// every second.
func TestAStrangerIsGivenTimeByItsOwnInterval(t *testing.T) {
	for _, tt := range []struct {
		ours, theirs, want time.Duration
	}{
		{time.Second, time.Second, 3*time.Second + 609375*time.Microsecond},
		{250 * time.Millisecond, time.Second, 2500*time.Millisecond + 152343750*time.Nanosecond},
		{time.Second, 200 * time.Second, 10*time.Second + 609375*time.Microsecond},
		{10 * time.Second, time.Second, 30*time.Second + 6093750*time.Microsecond},
	} {
		c := testConfig()
		c.Interval = tt.ours
		g := guard{interval: tt.theirs, heardAt: epoch}
		if got := g.until(&c).Sub(epoch); got != tt.want {
			t.Errorf("%s here, %s there: %s, want %s", tt.ours, tt.theirs, got, tt.want)
		}
	}
}

// The table said "listening after a stall" for as long as it stood aside, and a second
// stall was tolerated.
func TestABackupThatStandsAsideAfterAStallSaysSo(t *testing.T) {
	r := NewRouter(testConfig())
	r.Startup(epoch, ours)
	for range 2 {
		r.Receive(afterLate(r).Deadline().Add(-500*time.Millisecond), strange(nil))
		late := afterLate(r).Deadline().Add(500 * time.Millisecond)
		r.Expire(late)
		if got, until := r.Status().Phase, afterLate(r).Deadline(); got != Listening || until != late.Add(125*time.Millisecond) {
			t.Errorf("it woke up late, and is %s until %s later", got, until.Sub(late))
		}
		now := afterLate(r).Deadline()
		r.Expire(now)
		r.Claim(now, Claim{"eth0", netip.MustParseAddr("10.0.0.100"), "52:54:00:00:00:01"})
		if st := r.Status(); st.Phase != StandingAside || st.Aside == nil {
			t.Errorf("answered, it is %s, for %v", st.Phase, st.Aside)
		}
	}
}

func TestWhatAGuardTells(t *testing.T) {
	r := NewRouter(testConfig())
	r.Startup(epoch, ours)
	var told []string
	note := func(acts []Action) {
		for _, a := range acts {
			if e, ok := a.(Event); ok && e.Code != PacketDiscarded {
				told = append(told, e.Code+" "+e.Level.String()+" "+e.Text)
			}
		}
	}
	answered := func() {
		r.Expire(afterLate(r).Deadline())
		note(r.Claim(r.election.masterDownAt, Claim{"eth0", netip.MustParseAddr("10.0.0.100"), "52:54:00:00:00:01"}))
	}
	r.Receive(at(3*time.Second), strange(nil))
	answered()
	answered() // That is no news.
	if got := r.Status().Phase; got != StandingAside {
		t.Errorf("phase: %s", got)
	}
	note(receive(r, at(5*time.Second), lower, advertOf(200)))
	r.Receive(at(8*time.Second), strange(nil))
	answered()
	for r.State() == Backup {
		note(r.Expire(afterLate(r).Deadline()))
	}
	const aside = "stands-aside WARN does not become Master, since 10.0.0.3 advertises 10.0.0.100, and 52:54:00:00:00:01 answers for it; " +
		"its adverts are refused: it has VRRP version 2, but this router uses 3: configure the same version on both. To take over all the same, set insist = true"
	want := []string{aside, "stands-aside INFO does not stand aside any more: 10.0.0.1 is Master", aside,
		"became-master INFO nobody answers for 10.0.0.100, which 10.0.0.3 advertises"}
	if !slices.Equal(told, want) {
		t.Errorf("told:\n%s", strings.Join(told, "\n"))
	}
}
