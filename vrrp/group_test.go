package vrrp

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestWhatAGroupWants(t *testing.T) {
	left := epoch
	gone := func(s stand) position { return position{s, left} }
	is := func(all ...stand) (ps []position) {
		for _, s := range all {
			ps = append(ps, position{stand: s})
		}
		return ps
	}
	for _, tt := range []struct {
		name string
		all  []position
		want []move
	}{
		{"all are ready", is(ready, ready), []move{promote, promote}},
		{"one has not waited long enough", is(ready, waiting), []move{stay, stay}},
		{"one hears a better Master: that one has all", is(ready, behind), []move{stay, stay}},
		{"one hears a worse Master, and will preempt it when it may", is(ready, ahead), []move{stay, stay}},
		{"one cannot run", is(ready, away), []move{stay, stay}},
		{"nobody knows of a Master yet", is(waiting, waiting), []move{stay, stay}},
		{"all follow", is(behind, behind, behind), []move{stay, stay, stay}},

		{"one has met a better Master: the others hand over", is(behind, leading, leading), []move{stay, demote, demote}},
		{"and one that is ready does not join them", is(leading, ready, behind), []move{demote, stay, stay}},
		{"all are Master", is(leading, leading), []move{stay, stay}},
		{"one that is new, and knows of nobody, changes nothing", is(leading, leading, waiting), []move{stay, stay, stay}},
		{"nor does one that has not started", is(leading, away), []move{stay, stay}},
		{"it joins the others when it is ready", is(leading, ready), []move{stay, promote}},
		{"and at once where a worse router is Master", is(leading, ahead), []move{stay, promote}},

		{"the Master of one left: the others doubt theirs", []position{gone(waiting), {stand: behind}}, []move{doubt, doubt}},
		{"also when that one is ready", []position{{stand: behind}, gone(ready)}, []move{doubt, doubt}},
		{"nothing to doubt where all are ready", []position{gone(ready), {stand: ready}}, []move{promote, promote}},
		{"nor where they are Master", []position{gone(waiting), {stand: leading}}, []move{stay, stay}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, at := moves(tt.all); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			} else if slices.Contains(got, doubt) && !at.Equal(left) {
				t.Errorf("since %v", at)
			}
		})
	}
}

// led is a router of a group, a Backup that hears nobody since the epoch.
func led(change ...func(*Config)) *Router {
	c := testConfig()
	for _, f := range change {
		f(&c)
	}
	r := NewRouter(c)
	r.networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.2/24")}
	r.Lead(epoch, true)
	r.Startup(epoch, ours)
	return r
}

// ledDown is Master_Down of these routers.
const ledDown = 3609375 * time.Microsecond

// A ledEvent is something that happens to a router of a group, at a time.
type ledEvent = func(r *Router, now time.Time) []Action

// A ledStep is one of them, with what the router does, how it stands then, and its
// deadline; 0: none.
type ledStep struct {
	at   time.Duration
	do   ledEvent
	acts string
	then stand
	next time.Duration
}

func ledHears(src netip.Addr, priority uint8) ledEvent {
	return func(r *Router, now time.Time) []Action { return receive(r, now, src, advertOf(priority)) }
}

func ledHearsStranger(r *Router, now time.Time) []Action { return r.Receive(now, strange(nil)) }

func ledExpires(r *Router, now time.Time) []Action { return r.Expire(now) }

func ledPromoted(why string) ledEvent {
	return func(r *Router, now time.Time) []Action { return r.Promote(now, why) }
}

func ledDemoted(patience time.Duration) ledEvent {
	return func(r *Router, now time.Time) []Action { return r.Demote(now, "moves", patience) }
}

func ledNoMore(r *Router, now time.Time) []Action { r.Lead(now, false); return nil }

func ledDoubts(left time.Duration) ledEvent {
	return func(r *Router, now time.Time) []Action { r.Doubt(now, at(left)); return nil }
}

func ledUpdated(change func(*Config)) ledEvent {
	return func(r *Router, now time.Time) []Action {
		c := r.given()
		change(&c)
		return r.Update(now, c)
	}
}

func ledDelays(c *Config) { c.PreemptDelay = 10 * time.Second }
func ledKeeps(c *Config)  { c.Preempt = false }

var ledStories = []struct {
	name string
	edit func(*Config)
	all  []ledStep
}{
	{"it is ready after Master_Down, and waits for the word", nil, []ledStep{
		{0, ledExpires, "", waiting, ledDown},
		{ledDown, ledExpires, "", ready, 0},
		{9 * time.Second, ledExpires, "", ready, 0},
		{9 * time.Second, ledPromoted(""), "send 100, hold, announce, Master", leading, 9*time.Second + 100*time.Millisecond}}},
	{"a better Master ends that", nil, []ledStep{
		{ledDown, ledExpires, "", ready, 0},
		{5 * time.Second, ledHears(higher, 150), "", behind, 5*time.Second + ledDown},
		{5*time.Second + ledDown, ledExpires, "", ready, 0}}},
	{"a worse one does not", nil, []ledStep{
		{ledDown, ledExpires, "", ready, 0},
		{5 * time.Second, ledHears(higher, 50), "", ready, 0}}},
	{"nor does its end", nil, []ledStep{
		{ledDown, ledExpires, "", ready, 0},
		{5 * time.Second, ledHears(higher, 50), "", ready, 0},
		{6 * time.Second, ledHears(higher, 0), "", ready, 0}}},
	{"without preemption, any Master ends it", ledKeeps, []ledStep{
		{ledDown, ledExpires, "", ready, 0},
		{5 * time.Second, ledHears(higher, 50), "", ahead, 5*time.Second + ledDown}}},
	{"an equal one with a lower address is worse", ledKeeps, []ledStep{
		{time.Second, ledHears(lower, 100), "", ahead, time.Second + ledDown}}},
	{"an equal one with a higher address is better", ledKeeps, []ledStep{
		{time.Second, ledHears(higher, 100), "", behind, time.Second + ledDown}}},
	{"one that leaves is none", nil, []ledStep{
		{time.Second, ledHears(higher, 150), "", behind, time.Second + ledDown},
		{2 * time.Second, ledHears(higher, 0), "", waiting, 2*time.Second + 609375*time.Microsecond}}},
	{"the preemption delay is over once", ledDelays, []ledStep{
		{time.Second, ledHears(higher, 50), "", ahead, time.Second + ledDown},
		{4 * time.Second, ledHears(higher, 50), "", ahead, 4*time.Second + ledDown},
		{7 * time.Second, ledHears(higher, 50), "", ahead, 7*time.Second + ledDown},
		{10 * time.Second, ledHears(higher, 50), "", ahead, 11 * time.Second},
		{11 * time.Second, ledExpires, "", ready, 0},
		{12 * time.Second, ledHears(higher, 50), "", ready, 0},
		{12 * time.Second, ledPromoted(""), "send 100, hold, announce, Master", leading, 12*time.Second + 100*time.Millisecond}}},
	{"a reload without preemption has it follow that one", nil, []ledStep{
		{time.Second, ledHears(higher, 50), "", ahead, ledDown},
		{2 * time.Second, ledHears(higher, 50), "", ahead, ledDown},
		{3 * time.Second, ledHears(higher, 50), "", ahead, ledDown},
		{ledDown, ledExpires, "", ready, 0},
		{ledDown, ledUpdated(ledKeeps), "", ahead, 3*time.Second + ledDown}}},
	{"a reload changes nothing where nobody is left to follow", ledKeeps, []ledStep{
		{time.Second, ledHears(higher, 150), "", behind, time.Second + ledDown},
		{time.Second + ledDown, ledExpires, "", ready, 0},
		{6 * time.Second, ledUpdated(func(c *Config) { c.Priority = 90 }), "", ready, 0}}},
	{"without a group it becomes Master by itself", nil, []ledStep{
		{ledDown, ledExpires, "", ready, 0},
		{5 * time.Second, ledNoMore, "", waiting, 5 * time.Second},
		{5 * time.Second, ledExpires, "send 100, hold, announce, Master", leading, 5*time.Second + 100*time.Millisecond}}},
	{"an owner waits too", func(c *Config) { c.Priority = 255 }, []ledStep{
		{0, ledExpires, "", waiting, 3*time.Second + time.Second/256}}},
	{"what is told to join a worse Master's network does", ledKeeps, []ledStep{
		{time.Second, ledHears(higher, 50), "", ahead, time.Second + ledDown},
		{2 * time.Second, ledPromoted("moves"), "send 100, hold, announce, Master", leading, 2*time.Second + 100*time.Millisecond}}},
	{"it hands over when it is told to", nil, []ledStep{
		{ledDown, ledExpires, "", ready, 0},
		{ledDown, ledPromoted(""), "send 100, hold, announce, Master", leading, ledDown + 100*time.Millisecond},
		{4 * time.Second, ledDemoted(0), "send 0, Backup", waiting, 4*time.Second + ledDown},
		{5 * time.Second, ledHears(higher, 150), "", behind, 5*time.Second + 50*time.Millisecond},
		{5*time.Second + 50*time.Millisecond, ledExpires, "release", behind, 5*time.Second + ledDown}}},
	{"or keeps the addresses for four intervals where nobody comes", nil, []ledStep{
		{ledDown, ledExpires, "", ready, 0},
		{ledDown, ledPromoted(""), "send 100, hold, announce, Master", leading, ledDown + 100*time.Millisecond},
		{4 * time.Second, ledDemoted(time.Second), "send 0, Backup", waiting, 8 * time.Second},
		{8 * time.Second, ledExpires, "release", waiting, 5*time.Second + ledDown},
		{5*time.Second + ledDown, ledExpires, "", ready, 0}}},
	{"told that its Master left elsewhere, it waits for that one's next advert", nil, []ledStep{
		{time.Second, ledHears(higher, 150), "", behind, time.Second + ledDown},
		{1100 * time.Millisecond, ledDoubts(1050 * time.Millisecond), "", behind, 2250 * time.Millisecond},
		{2250 * time.Millisecond, ledExpires, "", ready, 0}}},
	{"which comes", nil, []ledStep{
		{time.Second, ledHears(higher, 150), "", behind, time.Second + ledDown},
		{1100 * time.Millisecond, ledDoubts(1050 * time.Millisecond), "", behind, 2250 * time.Millisecond},
		{2 * time.Second, ledHears(higher, 150), "", behind, 2*time.Second + ledDown},
		{2 * time.Second, ledDoubts(1050 * time.Millisecond), "", behind, 2*time.Second + ledDown}}},
	{"it does not doubt what it does not know", nil, []ledStep{
		{time.Second, ledDoubts(time.Second), "", waiting, ledDown}}},
	{"one that it does not understand keeps it from being ready until nobody answers", nil, []ledStep{
		{ledDown, ledExpires, "", ready, 0},
		{5 * time.Second, ledHearsStranger, "note", waiting, 5 * time.Second},
		{5 * time.Second, ledExpires, "ask", waiting, 5*time.Second + 100*time.Millisecond},
		{5*time.Second + 100*time.Millisecond, ledExpires, "ask", waiting, 5*time.Second + 200*time.Millisecond},
		{5*time.Second + 200*time.Millisecond, ledExpires, "ask", waiting, 5*time.Second + 300*time.Millisecond},
		{5*time.Second + 300*time.Millisecond, ledExpires, "", ready, 0},
		{6 * time.Second, ledHearsStranger, "", ready, 0}}},
}

// What a router of a group does by itself.
func TestStoriesOfARouterThatIsLed(t *testing.T) {
	for _, tt := range ledStories {
		t.Run(tt.name, func(t *testing.T) {
			r := led()
			if tt.edit != nil {
				r = led(tt.edit)
			}
			for i, h := range tt.all {
				afterLate(r)
				acts := script(h.do(r, at(h.at)))
				afterLate(r)
				next := time.Duration(0)
				if d := r.Deadline(); !d.IsZero() {
					next = d.Sub(epoch)
				}
				if then := r.stand(at(h.at)); acts != h.acts || then != h.then || next != h.next {
					t.Errorf("%d, at %s: %q, stands %d, next %s; want %q, %d, %s", i, h.at, acts, then, next, h.acts, h.then, h.next)
				}
				if phase := r.Status().Phase; h.then == ready && phase != Ready {
					t.Errorf("%d: it is %s", i, phase)
				}
			}
		})
	}
}

// Why a router of a group becomes Master, where the group has no other reason.
func TestWhyARouterThatIsLedIsMaster(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Config)
		all  []ledStep
		want string
	}{
		{"nobody was heard", func(*Config) {}, nil, "no adverts from any Master"},
		{"a worse one was heard, and the delay is over", ledDelays, []ledStep{{at: time.Second, do: ledHears(higher, 50)}}, "preempts 10.0.0.3 after the delay"},
		{"a worse one was heard, without a delay", func(*Config) {}, []ledStep{{at: time.Second, do: ledHears(higher, 50)}}, "preempts 10.0.0.3 with priority 50"},
	} {
		r := led(tt.edit)
		for _, h := range tt.all {
			h.do(r, at(h.at))
		}
		got := ""
		for _, a := range r.Promote(at(ledDown), "") {
			if e, ok := a.(Event); ok {
				got = e.Text
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A reload that leaves a router in its group lets it wait as before.
func TestARouterThatStaysInItsGroupStaysReady(t *testing.T) {
	r := led()
	r.Expire(at(ledDown))
	r.Lead(at(5*time.Second), true)
	if next := r.Deadline(); !next.IsZero() || r.stand(at(5*time.Second)) != ready {
		t.Errorf("it stands %d, and has something to do at %v", r.stand(at(5*time.Second)), next)
	}
}
