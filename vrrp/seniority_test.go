package vrrp

import (
	"strings"
	"testing"
	"time"
)

// What a Master without preemption does about another one; Master_Down is 3.609 s.
func TestStoriesOfMastersThatMeet(t *testing.T) {
	const second = time.Second
	const down = 3609375 * time.Microsecond
	type event = func(r *Router, now time.Time) []Action
	worse := func(r *Router, now time.Time) []Action { return receive(r, now, higher, advertOf(50)) }
	better := func(r *Router, now time.Time) []Action { return receive(r, now, higher, advertOf(150)) }
	owner := func(r *Router, now time.Time) []Action { return receive(r, now, higher, advertOf(255)) }
	leaves := func(r *Router, now time.Time) []Action { return receive(r, now, higher, advertOf(0)) }
	timer := matrixEvents["timer, early"]
	// alone heard nobody before it became Master; served took over from one that died.
	alone := func(c Config) (*Router, time.Duration) {
		r := NewRouter(c)
		r.Startup(epoch, ours)
		if r.state == Backup {
			r.Expire(at(down))
		}
		return r, r.since.Sub(epoch)
	}
	served := func(c Config) (*Router, time.Duration) {
		r := NewRouter(c)
		r.Startup(epoch, ours)
		receive(r, epoch, higher, advertOf(150))
		r.Expire(at(down))
		return r, down
	}
	resumed := func(c Config) (*Router, time.Duration) {
		r := NewRouter(c)
		r.Resume(epoch, ours)
		return r, 0
	}
	type happening struct {
		after time.Duration // it became Master
		do    event
		acts  string
		state State
	}
	for _, tt := range []struct {
		name  string
		begin func(Config) (*Router, time.Duration)
		edit  func(*Config)
		all   []happening
	}{
		{"one that heard nobody tells a worse one that it is there, and yields when that goes on", alone, nil, []happening{
			{100 * time.Millisecond, worse, "send 100", Master},
			{200 * time.Millisecond, worse, "release, Backup", Backup}}},
		{"it stays Master where that gives way", alone, nil, []happening{
			{100 * time.Millisecond, worse, "send 100", Master},
			{1300 * time.Millisecond, timer, "", Master},
			{1350 * time.Millisecond, timer, "send 100, hold, announce", Master}}},
		{"or leaves", alone, nil, []happening{
			{100 * time.Millisecond, worse, "send 100", Master},
			{200 * time.Millisecond, leaves, "send 100, hold, announce", Master}}},
		{"and does not yield a second time", alone, nil, []happening{
			{100 * time.Millisecond, worse, "send 100", Master},
			{1350 * time.Millisecond, timer, "send 100, hold, announce", Master},
			{1400 * time.Millisecond, worse, "send 100", Master},
			{1500 * time.Millisecond, worse, "send 100", Master}}},
		{"it gives way to a better one at once, as the RFC has it", alone, nil, []happening{
			{100 * time.Millisecond, better, "Backup", Backup}}},
		{"it would preempt that one, so the RFC decides", alone, func(c *Config) { c.Preempt = true }, []happening{
			{100 * time.Millisecond, worse, "send 100", Master},
			{200 * time.Millisecond, worse, "send 100", Master}}},
		{"an owner yields to nobody", alone, func(c *Config) { c.Priority = 255 }, []happening{
			{100 * time.Millisecond, worse, "send 255", Master},
			{200 * time.Millisecond, worse, "send 255", Master}}},
		{"one that has been Master for minutes is nobody who came late", alone, nil, []happening{
			{5 * time.Minute, func(r *Router, now time.Time) []Action { r.adverts.sentAt, r.adverts.nextAt = now, now; return nil }, "", Master},
			{5 * time.Minute, worse, "send 100, announce", Master},
			{5*time.Minute + second/2, worse, "send 100", Master}}},
		{"nor is one whose keeper was replaced", resumed, nil, []happening{
			{100 * time.Millisecond, worse, "send 100", Master},
			{200 * time.Millisecond, worse, "send 100", Master}}},

		{"one that has served asserts itself for two intervals against a better one", served, nil, []happening{
			{4 * second, func(r *Router, now time.Time) []Action {
				r.adverts.sentAt, r.adverts.nextAt = now, now.Add(second)
				return nil
			}, "", Master},
			{4 * second, better, "send 100", Master},
			{4900 * time.Millisecond, better, "", Master},
			{5 * second, timer, "send 100, announce", Master}, // the third one of a new Master
			{5900 * time.Millisecond, better, "", Master},
			{6 * second, better, "Backup", Backup}}},
		{"and announces its addresses when that one has yielded", served, nil, []happening{
			{4 * second, func(r *Router, now time.Time) []Action {
				r.adverts.sentAt, r.adverts.nextAt = now, now.Add(second)
				r.announcements.stop()
				return nil
			}, "", Master},
			{4 * second, better, "send 100", Master},
			{5 * second, timer, "send 100", Master},
			{6 * second, timer, "send 100", Master},
			{7 * second, timer, "send 100, announce", Master}}},
		{"not against an owner", served, nil, []happening{
			{2 * second, func(r *Router, now time.Time) []Action {
				r.adverts.sentAt, r.adverts.nextAt = now, now.Add(4*second)
				return nil
			}, "", Master},
			{4 * second, owner, "Backup", Backup}}},
		{"not if it is Master since less than Master_Down: it may have lost adverts", served, nil, []happening{
			{2 * second, better, "Backup", Backup}}},
		{"not with preemption", served, func(c *Config) { c.Preempt = true }, []happening{
			{2 * second, func(r *Router, now time.Time) []Action {
				r.adverts.sentAt, r.adverts.nextAt = now, now.Add(4*second)
				return nil
			}, "", Master},
			{4 * second, better, "Backup", Backup}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Preempt = false
			if tt.edit != nil {
				tt.edit(&c)
			}
			r, since := tt.begin(c)
			r.networks = nil
			for i, h := range tt.all {
				if acts := withoutNotes(script(h.do(r, at(since+h.after)))); acts != h.acts || r.state != h.state {
					t.Errorf("%d: %q, %s; want %q, %s", i, acts, r.state, h.acts, h.state)
				}
			}
		})
	}
}

func TestAMasterThatYieldedIsFollowedInAGroupToo(t *testing.T) {
	r := led(func(c *Config) { c.Preempt = false })
	r.Expire(at(4 * time.Second))
	r.Promote(at(4*time.Second), "")
	receive(r, at(4100*time.Millisecond), higher, advertOf(50))
	receive(r, at(4200*time.Millisecond), higher, advertOf(50))
	if got := r.stand(at(4300 * time.Millisecond)); r.state != Backup || got != behind {
		t.Errorf("it is %s, stands %d", r.state, got)
	}
	if got := r.stand(at(9 * time.Second)); got != waiting {
		t.Errorf("when that one is gone: %d", got)
	}
}

// A link that came up may lead to a port that does not forward yet.
func TestNobodyIsMasterSoonAfterTheLinkCameUp(t *testing.T) {
	const second = time.Second
	const down = 3609375 * time.Microsecond
	begin := func(change ...func(*Config)) *Router {
		c := testConfig()
		c.LinkUpDelay = 20 * second
		for _, f := range change {
			f(&c)
		}
		r := NewRouter(c)
		r.LinkUp(epoch)
		r.Startup(at(second), ours)
		return r
	}
	ends := func(t *testing.T, r *Router, want time.Duration) {
		t.Helper()
		if got := afterLate(r).Deadline(); !got.Equal(at(want)) {
			t.Errorf("Master_Down ends at %s, want %s", got.Sub(epoch), want)
		}
	}
	t.Run("the delay counts from the link", func(t *testing.T) { ends(t, begin(), 20*second) })
	t.Run("it is no shorter than Master_Down", func(t *testing.T) {
		ends(t, begin(func(c *Config) { c.LinkUpDelay = 2 * second }), second+down)
	})
	t.Run("a better Master is followed as usual", func(t *testing.T) {
		r := begin()
		receive(r, at(2*second), higher, advertOf(150))
		ends(t, r, 2*second+down)
	})
	t.Run("a worse one is preempted as usual: the port forwards", func(t *testing.T) {
		r := begin()
		receive(r, at(2*second), higher, advertOf(50))
		receive(r, at(3*second), higher, advertOf(50))
		ends(t, r, 2*second+down)
	})
	t.Run("a reload that ends the delay", func(t *testing.T) {
		r := begin()
		c := r.given()
		c.LinkUpDelay = 0
		r.Update(at(3*second), c)
		ends(t, r, 3*second+down)
	})
	t.Run("a reload that changes something else", func(t *testing.T) {
		r := begin()
		c := r.given()
		c.Priority = 110
		r.Update(at(3*second), c)
		ends(t, r, 20*second)
	})
}

// withoutNotes leaves out what is only told.
func withoutNotes(script string) string {
	return strings.TrimPrefix(strings.ReplaceAll(", "+script, ", note", ""), ", ")
}

// What has been Master for Master_Down has served, and no sooner.
func TestWhoAssertsItself(t *testing.T) {
	c := testConfig()
	c.Preempt = false
	for served, want := range map[time.Duration]bool{c.masterDown(c.Interval): true, c.masterDown(c.Interval) - 1: false} {
		s := seniority{}
		if got := s.asserts(&c, epoch, served, advertOf(150)); got != want {
			t.Errorf("after %v: %t, want %t", served, got, want)
		}
	}
}
