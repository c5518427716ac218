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
		want []order
	}{
		{"all are ready", is(ready, ready), []order{promote, promote}},
		{"one has not waited long enough", is(ready, waiting), []order{stay, stay}},
		{"one hears a better Master: that one has all", is(ready, behind), []order{stay, stay}},
		{"one hears a worse Master, and will preempt it when it may", is(ready, ahead), []order{stay, stay}},
		{"one cannot run", is(ready, away), []order{stay, stay}},
		{"nobody knows of a Master yet", is(waiting, waiting), []order{stay, stay}},
		{"all follow", is(behind, behind, behind), []order{stay, stay, stay}},

		{"one has met a better Master: the others hand over", is(behind, leading, leading), []order{stay, demote, demote}},
		{"and one that is ready does not join them", is(leading, ready, behind), []order{demote, stay, stay}},
		{"all are Master", is(leading, leading), []order{stay, stay}},
		{"one that is new, and knows of nobody, changes nothing", is(leading, leading, waiting), []order{stay, stay, stay}},
		{"nor does one that has not started", is(leading, away), []order{stay, stay}},
		{"it joins the others when it is ready", is(leading, ready), []order{stay, promote}},
		{"and at once where a worse router is Master", is(leading, ahead), []order{stay, promote}},

		{"the Master of one left: the others doubt theirs", []position{gone(waiting), {stand: behind}}, []order{doubt, doubt}},
		{"also when that one is ready", []position{{stand: behind}, gone(ready)}, []order{doubt, doubt}},
		{"nothing to doubt where all are ready", []position{gone(ready), {stand: ready}}, []order{promote, promote}},
		{"nor where they are Master", []position{gone(waiting), {stand: leading}}, []order{stay, stay}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, at := orders(tt.all); !slices.Equal(got, tt.want) {
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

// What a router of a group does by itself; Master_Down is 3.609 s.
func TestStoriesOfARouterThatIsLed(t *testing.T) {
	const down = 3609375 * time.Microsecond
	type event = func(r *Router, now time.Time) []Action
	hear := func(src netip.Addr, priority uint8) event {
		return func(r *Router, now time.Time) []Action { return receive(r, now, src, advertOf(priority)) }
	}
	stranger := func(r *Router, now time.Time) []Action { return r.Receive(now, strange(nil)) }
	timer := matrixEvents["timer, early"]
	promoted := func(r *Router, now time.Time) []Action { return r.Promote(now, "") }
	demoted := func(patience time.Duration) event {
		return func(r *Router, now time.Time) []Action { return r.Demote(now, "moves", patience) }
	}
	alone := func(r *Router, now time.Time) []Action { r.Lead(now, false); return nil }
	doubts := func(left time.Duration) event {
		return func(r *Router, now time.Time) []Action { r.Doubt(now, at(left)); return nil }
	}
	update := func(change func(*Config)) event {
		return func(r *Router, now time.Time) []Action {
			c := r.given
			change(&c)
			return r.Update(now, c)
		}
	}
	type happening struct {
		at   time.Duration
		do   event
		acts string
		then stand
		next time.Duration // the deadline; 0: none
	}
	const second = time.Second
	delay := func(c *Config) { c.PreemptDelay = 10 * second }
	keep := func(c *Config) { c.Preempt = false }
	for _, tt := range []struct {
		name string
		edit func(*Config)
		all  []happening
	}{
		{"it is ready after Master_Down, and waits for the word", nil, []happening{
			{0, timer, "", waiting, down},
			{down, timer, "", ready, 0},
			{9 * second, timer, "", ready, 0},
			{9 * second, promoted, "send 100, hold, announce, Master", leading, 9*second + 100*time.Millisecond}}},
		{"a better Master ends that", nil, []happening{
			{down, timer, "", ready, 0},
			{5 * second, hear(higher, 150), "", behind, 5*second + down},
			{5*second + down, timer, "", ready, 0}}},
		{"a worse one does not", nil, []happening{
			{down, timer, "", ready, 0},
			{5 * second, hear(higher, 50), "", ready, 0}}},
		{"nor does its end", nil, []happening{
			{down, timer, "", ready, 0},
			{5 * second, hear(higher, 50), "", ready, 0},
			{6 * second, hear(higher, 0), "", ready, 0}}},
		{"without preemption, any Master ends it", keep, []happening{
			{down, timer, "", ready, 0},
			{5 * second, hear(higher, 50), "", ahead, 5*second + down}}},
		{"an equal one with a lower address is worse", keep, []happening{
			{second, hear(lower, 100), "", ahead, second + down}}},
		{"an equal one with a higher address is better", keep, []happening{
			{second, hear(higher, 100), "", behind, second + down}}},
		{"one that leaves is none", nil, []happening{
			{second, hear(higher, 150), "", behind, second + down},
			{2 * second, hear(higher, 0), "", waiting, 2*second + 609375*time.Microsecond}}},
		{"the preemption delay is over once", delay, []happening{
			{second, hear(higher, 50), "", ahead, second + down},
			{4 * second, hear(higher, 50), "", ahead, 4*second + down},
			{7 * second, hear(higher, 50), "", ahead, 7*second + down},
			{10 * second, hear(higher, 50), "", ahead, 11 * second},
			{11 * second, timer, "", ready, 0},
			{12 * second, hear(higher, 50), "", ready, 0},
			{12 * second, promoted, "send 100, hold, announce, Master", leading, 12*second + 100*time.Millisecond}}},
		{"a reload without preemption has it follow that one", nil, []happening{
			{second, hear(higher, 50), "", ahead, down},
			{2 * second, hear(higher, 50), "", ahead, down},
			{3 * second, hear(higher, 50), "", ahead, down},
			{down, timer, "", ready, 0},
			{down, update(keep), "", ahead, 3*second + down}}},
		{"a reload changes nothing where nobody is left to follow", keep, []happening{
			{second, hear(higher, 150), "", behind, second + down},
			{second + down, timer, "", ready, 0},
			{6 * second, update(func(c *Config) { c.Priority = 90 }), "", ready, 0}}},
		{"without a group it becomes Master by itself", nil, []happening{
			{down, timer, "", ready, 0},
			{5 * second, alone, "", waiting, 5 * second},
			{5 * second, timer, "send 100, hold, announce, Master", leading, 5*second + 100*time.Millisecond}}},
		{"an owner waits too", func(c *Config) { c.Priority = 255 }, []happening{
			{0, timer, "", waiting, 3*second + second/256}}},
		{"what is told to join a worse Master's network does", keep, []happening{
			{second, hear(higher, 50), "", ahead, second + down},
			{2 * second, func(r *Router, now time.Time) []Action { return r.Promote(now, "moves") }, "send 100, hold, announce, Master", leading, 2*second + 100*time.Millisecond}}},
		{"it hands over when it is told to", nil, []happening{
			{down, timer, "", ready, 0},
			{down, promoted, "send 100, hold, announce, Master", leading, down + 100*time.Millisecond},
			{4 * second, demoted(0), "send 0, Backup", waiting, 4*second + down},
			{5 * second, hear(higher, 150), "", behind, 5*second + 50*time.Millisecond},
			{5*second + 50*time.Millisecond, timer, "release", behind, 5*second + down}}},
		{"or keeps the addresses for four intervals where nobody comes", nil, []happening{
			{down, timer, "", ready, 0},
			{down, promoted, "send 100, hold, announce, Master", leading, down + 100*time.Millisecond},
			{4 * second, demoted(second), "send 0, Backup", waiting, 8 * second},
			{8 * second, timer, "release", waiting, 5*second + down},
			{5*second + down, timer, "", ready, 0}}},
		{"told that its Master left elsewhere, it waits for that one's next advert", nil, []happening{
			{second, hear(higher, 150), "", behind, second + down},
			{1100 * time.Millisecond, doubts(1050 * time.Millisecond), "", behind, 2250 * time.Millisecond},
			{2250 * time.Millisecond, timer, "", ready, 0}}},
		{"which comes", nil, []happening{
			{second, hear(higher, 150), "", behind, second + down},
			{1100 * time.Millisecond, doubts(1050 * time.Millisecond), "", behind, 2250 * time.Millisecond},
			{2 * second, hear(higher, 150), "", behind, 2*second + down},
			{2 * second, doubts(1050 * time.Millisecond), "", behind, 2*second + down}}},
		{"it does not doubt what it does not know", nil, []happening{
			{second, doubts(second), "", waiting, down}}},
		{"one that it does not understand keeps it from being ready until nobody answers", nil, []happening{
			{down, timer, "", ready, 0},
			{5 * second, stranger, "note", waiting, 5 * second},
			{5 * second, timer, "ask", waiting, 5*second + 100*time.Millisecond},
			{5*second + 100*time.Millisecond, timer, "ask", waiting, 5*second + 200*time.Millisecond},
			{5*second + 200*time.Millisecond, timer, "ask", waiting, 5*second + 300*time.Millisecond},
			{5*second + 300*time.Millisecond, timer, "", ready, 0},
			{6 * second, stranger, "", ready, 0}}},
	} {
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
