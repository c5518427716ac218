package vrrp

import (
	"net/netip"
	"testing"
	"time"
)

// FuzzRouter reads its input as a script: one byte for the event, one for the
// time until it, more where the event needs them. Whatever the script, the
// invariants hold after every step.
func FuzzRouter(f *testing.F) {
	for _, seed := range []string{
		"\x00\x00\x08\xff\x08\xff\x02\x01\x64\x01",         // start, wait, meet another Master
		"\x01\x00\x03\x05\x08\x01\x02\x01\x32\x00",         // resume, stop, a successor
		"\x01\x00\x08\xff\x08\xff\x02\x00\x32\x00",         // resume, stall, an advert
		"\x01\x00\x05\x01\x00\x01\x08\xff",                 // resume, fault, start again
		"\x00\x00\x07\x09\xc8\x01\x02\x01\x64\x00\x08\xff", // reload
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		fz := &routerFuzz{t: t, r: NewRouter(testConfig()), now: epoch, script: script}
		for len(fz.script) > 0 && !fz.r.Done() {
			fz.step()
		}
	})
}

type routerFuzz struct {
	t      *testing.T
	r      *Router
	now    time.Time
	script []byte
	held   bool // the addresses on the link
}

func (f *routerFuzz) next() byte {
	if len(f.script) == 0 {
		return 0
	}
	b := f.script[0]
	f.script = f.script[1:]
	return b
}

func (f *routerFuzz) step() {
	event := f.next() % 10
	f.now = f.now.Add(time.Duration(f.next()) * 20 * time.Millisecond)
	r, before := f.r, f.r.State()
	early := r.Deadline().IsZero() || f.now.Before(r.Deadline())
	var acts []Action
	switch event {
	case 0:
		acts = r.Startup(f.now, ours)
	case 1:
		acts = r.Resume(f.now, ours)
	case 2:
		acts = f.receive()
	case 3:
		acts = r.End(f.now, Stopped)
	case 4:
		acts = r.End(f.now, Abandoned)
	case 5:
		acts = r.Fault(f.now, "down", false)
	case 6:
		acts = r.Fault(f.now, "down", true)
	case 7:
		acts = r.Update(f.now, f.config())
	default:
		acts = r.Expire(f.now)
		if early && len(acts) > 0 {
			f.t.Fatalf("Expire before the deadline does %v", acts)
		}
		if d := r.Deadline(); !d.IsZero() && !d.After(f.now) {
			f.t.Fatalf("after Expire the deadline is %s ago", f.now.Sub(d))
		}
	}
	f.check(before, acts)
}

func (f *routerFuzz) receive() []Action {
	b := []byte{0x31, 51, f.next(), 1, f.next() & 0xf, f.next(), 0, 0, 10, 0, 0, 100}
	src := netip.AddrFrom4([4]byte{10, 0, 0, f.next() % 5})
	sum := ^sum(b, 0)
	b[6], b[7] = byte(sum>>8), byte(sum)
	return f.r.Receive(f.now, Packet{Src: src, Dst: Group4, TTL: TTL, Payload: b})
}

func (f *routerFuzz) config() Config {
	c := f.r.c
	c.Priority = max(1, f.next())
	flags := f.next()
	c.Preempt = flags&1 != 0
	c.PreemptDelay = time.Duration(flags>>1&3) * time.Second
	c.Interval = time.Duration(1+flags>>3) * 50 * time.Millisecond
	return c
}

func (f *routerFuzz) check(before State, acts []Action) {
	f.t.Helper()
	sent := 0
	state, r := before, f.r
	for _, a := range acts {
		switch a := a.(type) {
		case Send:
			sent++
		case Hold:
			if a.Holdings.empty() && !f.held {
				f.t.Fatalf("releases what it does not hold: %v", acts)
			}
			f.held = !a.Holdings.empty()
		case Event:
			if a.Code == "" || a.Text == "" || a.Router != r.c.Name || a.From != state {
				f.t.Fatalf("event %+v in %s", a, state)
			}
			state = a.To
		}
	}
	switch {
	case sent > 1:
		f.t.Fatalf("%d adverts at once: %v", sent, acts)
	case state != r.State():
		f.t.Fatalf("the state is %s, the transitions lead to %s", r.State(), state)
	case f.held != r.Holding():
		f.t.Fatalf("holding %t, but the actions say %t", r.Holding(), f.held)
	case r.State() == Master && !r.Holding():
		f.t.Fatal("Master without addresses")
	case r.State() != Initialize && r.Deadline().IsZero():
		f.t.Fatalf("%s and nothing is scheduled", r.State())
	case r.Status().Fault == "" && r.State() == Initialize:
		f.t.Fatal("in Initialize without a reason")
	}
}
