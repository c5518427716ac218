package vrrp

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// What an update does to the two timers of a Backup, and so does a condition that changes
// its priority: "it took over, a moment after it had fallen behind the Master."
func TestUpdateOfABackup(t *testing.T) {
	delaying := func() *Router {
		c := testConfig()
		c.PreemptDelay = 2 * second
		r := NewRouter(c)
		r.Startup(epoch, ours)
		receive(r, at(second), lower, advertOf(50)) // preempts at Master_Down, which is later than the delay
		receive(r, at(2*second), lower, advertOf(50))
		return r
	}
	const preempts, masterDown = 3609375 * time.Microsecond, 5609375 * time.Microsecond
	for _, tt := range []struct {
		name string
		edit func(c *Config)
		want time.Duration
	}{
		{"nothing: the delay runs on", func(*Config) {}, preempts},
		{"another name: the delay runs on", func(c *Config) { c.Name = "inside" }, preempts},
		{"another delay begins with the next advert", func(c *Config) { c.PreemptDelay = 3 * second }, masterDown},
		{"no preemption: the Master is followed", func(c *Config) { c.Preempt = false }, masterDown},
		{"a lower priority than the Master's, which is followed", func(c *Config) { c.Priority = 40 }, masterDown + 234375*time.Microsecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := delaying()
			c := r.given()
			tt.edit(&c)
			r.Update(at(2100*time.Millisecond), c)
			if got := afterLate(r).Deadline().Sub(epoch); got != tt.want {
				t.Errorf("the next deadline is at %s, want %s", got, tt.want)
			}
		})
	}
}

// A Backup keeps to its Master's interval; without one, to its own.
func TestUpdateOfTheInterval(t *testing.T) {
	for _, tt := range []struct {
		name  string
		heard bool
		want  time.Duration // until Master_Down, from the update on
	}{
		{"no Master was heard", false, 360937500},
		{"a Master is followed", true, 3609375 * time.Microsecond},
	} {
		r := NewRouter(testConfig())
		r.Startup(epoch, ours)
		if tt.heard {
			receive(r, epoch, higher, advertOf(150))
		}
		c := r.given()
		c.Interval = 100 * time.Millisecond
		if r.Update(epoch, c); afterLate(r).Deadline().Sub(epoch) != tt.want {
			t.Errorf("%s: Master_Down in %s, want %s", tt.name, afterLate(r).Deadline().Sub(epoch), tt.want)
		}
	}
}

func TestSourceOfIPv6(t *testing.T) {
	i := Interface{Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8::5/64"), netip.MustParsePrefix("fe80::5/64")}}
	c := testConfig()
	c.Addresses = []netip.Prefix{netip.MustParsePrefix("2001:db8::200/64")}
	if source, why := choose(&c, i.Addresses, netip.Addr{}); source.String() != "fe80::5" {
		t.Errorf("by default %s (%s), want the link-local address", source, why)
	}
	c.Source = netip.MustParseAddr("2001:db8::5")
	if source, why := choose(&c, i.Addresses, netip.Addr{}); source != c.Source {
		t.Errorf("configured: %s (%s)", source, why)
	}
}

func TestVRIDOfAShortPacket(t *testing.T) {
	if id, ok := VRID([]byte{0x31, 7}); id != 7 || !ok {
		t.Errorf("two bytes: %d, %t", id, ok)
	}
	if id, ok := VRID([]byte{0x31}); id != 0 || ok {
		t.Errorf("one byte: %d, %t", id, ok)
	}
}

func TestUpdateDoesNotPutOffASuccession(t *testing.T) {
	r := NewRouter(testConfig())
	r.Startup(epoch, ours)
	receive(r, at(second), higher, advertOf(150))
	receive(r, at(2*second), higher, advertOf(0))
	want := afterLate(r).Deadline()
	c := r.given()
	c.Preempt = false
	if r.Update(at(2*second), c); !afterLate(r).Deadline().Equal(want) {
		t.Errorf("it takes over at %s, want %s", afterLate(r).Deadline().Sub(epoch), want.Sub(epoch))
	}
}

func TestWhyARouterBecomesMaster(t *testing.T) {
	for _, tt := range []struct {
		name     string
		edit     func(c *Config)
		adverts  []uint8 // of the Master, by priority
		want     string
		deadline time.Duration
	}{
		{"nobody was heard", nil, nil, "no adverts from any Master", 3609375 * time.Microsecond},
		{"an equal one fell silent", nil, []uint8{100}, "no more adverts from 10.0.0.3", 4609375 * time.Microsecond},
		{"a worse one is preempted", nil, []uint8{99}, "preempts 10.0.0.3 with priority 99", 3609375 * time.Microsecond},
		{"a worse one that is not preempted fell silent", func(c *Config) { c.Preempt = false }, []uint8{99}, "no more adverts from 10.0.0.3", 4609375 * time.Microsecond},
		{"a worse one fell silent within the delay", func(c *Config) { c.PreemptDelay = 20 * second }, []uint8{99}, "no more adverts from 10.0.0.3", 4609375 * time.Microsecond},
		{"the delay is over", func(c *Config) { c.PreemptDelay = 3 * second }, []uint8{99, 99, 99}, "preempts 10.0.0.3 after the delay", 4 * second},
		{"it said that it leaves", nil, []uint8{150, 0}, "10.0.0.3 is leaving", 2609375 * time.Microsecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			if tt.edit != nil {
				tt.edit(&c)
			}
			r := NewRouter(c)
			r.Startup(epoch, ours)
			for i, priority := range tt.adverts {
				receive(r, at(time.Duration(i+1)*second), higher, advertOf(priority))
			}
			deadline := afterLate(r).Deadline()
			acts := r.Expire(deadline)
			if e, _ := acts[len(acts)-1].(Event); e.Text != tt.want || deadline.Sub(epoch) != tt.deadline {
				t.Errorf("%q at %s, want %q at %s", e.Text, deadline.Sub(epoch), tt.want, tt.deadline)
			}
		})
	}
}

// RFC 9568 section 6.1: the owner "always preempts, independent of the setting
// of this flag".
func TestOwnerPreemptsWithoutADelay(t *testing.T) {
	c := testConfig()
	c.Priority, c.Preempt, c.PreemptDelay = 255, false, time.Minute
	r := NewRouter(c)
	r.Startup(epoch, ours)
	receive(r, epoch, higher, advertOf(255)) // the greater source address wins between two owners
	before := afterLate(r).Deadline()
	r.Expire(before) // the addresses are released
	want := afterLate(r).Deadline()
	receive(r, at(second), higher, advertOf(254))
	if r.State() != Backup || !afterLate(r).Deadline().Equal(want) {
		t.Errorf("a worse Master puts the owner off from %s to %s", want.Sub(epoch), afterLate(r).Deadline().Sub(epoch))
	}
}

func TestFaultAfterAnEnd(t *testing.T) {
	r := matrixStates["stopping"]()
	if r.Fault(epoch, "interface eth1 is down", false); r.Status().Fault != "stopping" {
		t.Errorf("the reason is %q", r.Status().Fault)
	}
	r.Continue()
	if r.Fault(epoch, "interface eth1 is down", false); r.Status().Fault != "interface eth1 is down" {
		t.Errorf("wanted again, the reason is %q", r.Status().Fault)
	}
	if r.Expire(afterLate(r).Deadline()); r.Done() || r.Holding() {
		t.Errorf("wanted again: done %t, holding %t", r.Done(), r.Holding())
	}
}

// Without an unanswered advert of ours the addresses go; with one they stay.
func TestStartupAfterAHandOver(t *testing.T) {
	r := matrixStates["stopping"]()
	r.Startup(at(1), ours)
	if got := r.Status(); got.Phase != Adopted || got.Fault != "" || got.Master.IsValid() {
		t.Errorf("nobody took over: %+v", got)
	}
	r = matrixStates["stopping, taken over"]()
	r.Startup(at(1), ours)
	if got := r.Status(); got.Phase != Relinquishing {
		t.Errorf("somebody took over: %s", got.Phase)
	}
}

func TestListOfAddressesIsBounded(t *testing.T) {
	var many []netip.Addr
	for i := range byte(11) {
		many = append(many, netip.AddrFrom4([4]byte{10, 0, 0, i}))
	}
	if got := listAddrs(many[:10]); !strings.HasPrefix(got, "the addresses [10.0.0.0 ") || !strings.HasSuffix(got, "10.0.0.9]") {
		t.Errorf("ten: %s", got)
	}
	if got := listAddrs(many); !strings.HasPrefix(got, "11 addresses from [10.0.0.0 ") || !strings.HasSuffix(got, "10.0.0.9] on") {
		t.Errorf("eleven: %s", got)
	}
}

func TestFamily(t *testing.T) {
	if got := new(Config).Family(); got != 4 {
		t.Errorf("without addresses the family is %d", got)
	}
}

func TestStatesByName(t *testing.T) {
	text, err := json.Marshal([]State{NewRouter(testConfig()).State(), Initialize, Backup, Master})
	if want := `["Initialize","Initialize","Backup","Master"]`; string(text) != want || err != nil {
		t.Errorf("%s, error %v, want %s", text, err, want)
	}
}
