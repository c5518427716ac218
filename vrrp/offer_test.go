package vrrp

import (
	"slices"
	"testing"
	"time"
)

// ordered is a Master that was ordered to offer its role at the epoch.
func ordered(force bool) *Router {
	r := matrixStates["master"]()
	r.Offer(epoch, Offer{Router: "outside", Number: 7, Force: force})
	return r
}

func TestWhatBecameOfAnOffer(t *testing.T) {
	c := testConfig()
	down := at(c.masterDown(second))
	for _, tt := range []struct {
		name  string
		force bool
		then  func(r *Router)
		want  Outcome
		state State
		held  bool
	}{
		{"a worse director takes over", false, func(r *Router) { receive(r, at(second), lower, advertOf(50)) }, Accepted, Backup, true},
		{"one takes over at the last moment", false, func(r *Router) { receive(r, down.Add(-1), lower, advertOf(50)) }, Accepted, Backup, true},
		{"nobody takes over", false, func(r *Router) { r.Expire(down) }, Declined, Master, true},
		{"nobody takes over, and it lets go", true, func(r *Router) { r.Expire(down) }, LetGo, Backup, false},
		{"another one only leaves", false, func(r *Router) { receive(r, at(second), higher, advertOf(0)) }, "", Master, true},
		{"its interface fails meanwhile", false, func(r *Router) { r.Fault(at(second), "interface eth0 is down", true) }, Interrupted, Initialize, false},
		{"it is stopped meanwhile", false, func(r *Router) { r.End(at(second), Stopped) }, Interrupted, Initialize, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ordered(tt.force)
			tt.then(r)
			if got := r.Status().Offered; got != (Offered{Number: 7, Outcome: tt.want}) || r.State() != tt.state || r.Holding() != tt.held {
				t.Errorf("%+v, is %s, holds %t", got, r.State(), r.Holding())
			}
		})
	}
	r := matrixStates["backup, following"]()
	r.Offer(epoch, Offer{Number: 7})
	if got := r.Status().Offered; got != (Offered{Number: 7, Outcome: NotMaster}) {
		t.Errorf("of a Backup: %+v", got)
	}
}

// What is told to others must not take an offer back.
func TestAMasterThatOffersItsRoleIsSilent(t *testing.T) {
	for name, do := range map[string]func(r *Router, now time.Time) []Action{
		"time passes":             func(r *Router, now time.Time) []Action { return r.Expire(now) },
		"it is reloaded":          matrixEvents["update, priority 200"],
		"it gets another address": matrixEvents["update, addresses"],
		"a penalty lowers it":     func(r *Router, now time.Time) []Action { return r.Adjust(now, -20) },
		"the order comes again":   func(r *Router, now time.Time) []Action { return r.Offer(now, Offer{Number: 7}) },
		"another one leaves too":  matrixEvents["advert, priority 0"],
		"its hardware changes":    func(r *Router, now time.Time) []Action { return r.Reannounce(now, "new MAC") },
	} {
		r := ordered(false)
		for now := at(second); now.Before(at(3 * second)); now = now.Add(second / 2) {
			sends := func(a Action) bool { _, ok := a.(Send); return ok }
			if acts := do(r, now); slices.ContainsFunc(acts, sends) || r.State() != Master {
				t.Errorf("%s: %v, and is %s", name, acts, r.State())
			}
		}
	}
}

// "The switch sent everything to the former Master": ARP of a successor comes before its
// advert where that is lost, and is not contested.
func TestAMasterThatOffersItsRoleContestsNoAddress(t *testing.T) {
	r := matrixStates["master"]()
	now := r.since.Add(r.c.lease())
	r.adverts.sentAt, r.adverts.nextAt, r.announcements.lastAt = now, now.Add(second), now.Add(-claimedEvery)
	if acts := r.Offer(now, Offer{Router: "outside", Number: 7}); script(acts) != "send 0" {
		t.Fatalf("%v", acts)
	}
	announces := func(a Action) bool { _, ok := a.(Announce); return ok }
	claim := Claim{"eth0", r.c.Addresses[0].Addr(), "52:54:00:00:00:02"}
	if acts := r.Claim(now.Add(second), claim); slices.ContainsFunc(acts, announces) {
		t.Errorf("it announces the address again: %v", acts)
	}
	r.offering.end(Declined)
	if acts := r.Claim(now.Add(second), claim); !slices.ContainsFunc(acts, announces) {
		t.Errorf("later it does not: %v", acts)
	}
}

// A second order is another one, whatever became of the first.
func TestAnOfferCanBeMadeAgain(t *testing.T) {
	r := ordered(false)
	r.Expire(r.Deadline())
	now := r.Deadline().Add(-second / 2)
	if got := script(r.Offer(now, Offer{Number: 7})); got != "" {
		t.Errorf("the order that was followed is followed again: %s", got)
	}
	if got := script(r.Offer(now, Offer{Number: 8})); got != "send 0" || r.Status().Offered != (Offered{Number: 8}) {
		t.Errorf("the next order: %q, %+v", got, r.Status().Offered)
	}
}

// A machine that was suspended may have missed its successor.
func TestAnOfferThatEndsLateListensFirst(t *testing.T) {
	for _, tt := range []struct {
		late   time.Duration
		listen time.Duration
	}{{second/8 + 1, second / 8}, {time.Minute, second + second/4}} {
		r := ordered(false)
		end := r.Deadline()
		if got := script(r.Expire(end.Add(tt.late))); got != "note" || r.Status().Offered.Outcome != "" {
			t.Fatalf("%s late: %q, %+v", tt.late, got, r.Status().Offered)
		}
		if got, want := r.Deadline(), end.Add(tt.late+tt.listen); !got.Equal(want) {
			t.Errorf("%s late: listens until %s, want %s", tt.late, got.Sub(epoch), want.Sub(epoch))
		}
		if got := script(r.Expire(r.Deadline())); got != "send 100, hold, announce, note" {
			t.Errorf("then: %q", got)
		}
	}
}

// A Master that has woken up late may be Master no more, and must not say that it
// leaves.
func TestAnOfferAfterAStallSaysNothing(t *testing.T) {
	r := matrixStates["master"]()
	if got := script(r.Offer(at(time.Minute), Offer{Number: 1})); got != "note" || r.Status().Phase != Offering {
		t.Errorf("%q, %s", got, r.Status().Phase)
	}
	receive(r, at(time.Minute), lower, advertOf(50))
	if got := r.Status().Offered.Outcome; got != Accepted {
		t.Errorf("the other one is heard: %q", got)
	}
}

// A Backup that is fit for nothing (cut off, as the Master is) takes no role from a Master
// that would keep it, and takes it from one that has left.
func TestABackupThatIsFitForNothingDeclines(t *testing.T) {
	for _, tt := range []struct {
		name   string
		effect int
		want   bool // it is Master before the other one goes on
	}{
		{"one that could serve accepts", 0, true},
		{"one with a lower priority accepts", -MaxPenalty + 1, true},
		{"one that is cut off declines", -MaxPenalty, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := matrixStates["backup, following"]()
			r.Adjust(epoch, tt.effect)
			receive(r, epoch, higher, advertOf(0))
			receive(r, at(second), higher, advertOf(0)) // A repetition puts nothing off.
			c := testConfig()
			c.Priority = 1
			last := at(c.masterDown(second)) // when a Master goes on that is cut off, too
			for d := r.Deadline(); d.Before(last); d = r.Deadline() {
				r.Expire(d)
				if r.State() == Master {
					break
				}
			}
			if got := r.State() == Master; got != tt.want {
				t.Fatalf("it is Master: %v, want %v", got, tt.want)
			}
			for d := r.Deadline(); d.Before(at(6 * second)); d = r.Deadline() {
				r.Expire(d)
				if r.State() == Master {
					return
				}
			}
			if r.State() != Master {
				t.Error("nobody is Master after the other one has left")
			}
		})
	}
}
