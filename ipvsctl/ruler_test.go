package ipvsctl

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeFilter is a packet filter in memory, which may refuse.
type fakeFilter struct {
	sync.Mutex
	events          []string
	rules           Ruleset
	changed         bool // somebody else has
	refuses         error
	replaced, asked int
}

func (f *fakeFilter) Replace(r Ruleset) error {
	f.Lock()
	defer f.Unlock()
	f.replaced++
	if f.refuses != nil {
		return f.refuses
	}
	f.rules, f.changed = r, false
	return nil
}

func (f *fakeFilter) Intact() (bool, error) {
	f.Lock()
	defer f.Unlock()
	f.asked++
	return !f.changed, f.refuses
}

// kinded is an error that says of which kind it is.
type kinded struct{ error }

func (kinded) FaultKind() string { return "EBUSY" }

func marking(name string, mark uint32) Marking {
	a := netip.MustParseAddr("10.13.0.200")
	return Marking{Service: name, Mark: mark, Selection: Select([]AddressRange{{a, a}}, []Protocol{TCP}, []PortRange{{80, 80}})}
}

// told takes an event.
func (f *fakeFilter) told(e Event) {
	f.Lock()
	defer f.Unlock()
	f.events = append(f.events, e.Code)
}

// kept runs a Ruler in virtual time. A test has the filter to itself but for while it
// pauses.
func kept(t *testing.T, f *fakeFilter, test func(r *Ruler, pause func(time.Duration))) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRuler(f, f.told)
		go func() { _ = r.Run(t.Context()) }()
		f.Lock()
		defer f.Unlock()
		test(r, func(d time.Duration) {
			f.Unlock()
			time.Sleep(d)
			synctest.Wait()
			f.Lock()
		})
	})
}

func TestRulesAreMadeOnceAndLookedAt(t *testing.T) {
	f := new(fakeFilter)
	kept(t, f, func(r *Ruler, pause func(time.Duration)) {
		want := Ruleset{marking("web", 7)}
		r.Set(want)
		pause(0)
		r.Set(slices.Clone(want)) // a reload that changes nothing of it
		pause(time.Minute)
		if f.replaced != 1 || f.asked < 10 || !f.rules.Equal(want) {
			t.Errorf("%d transactions, %d looks, rules %v", f.replaced, f.asked, f.rules)
		}
		if s := r.Stats(); !s.Kept || s.Wanted != 1 || s.Failures+s.Repairs > 0 {
			t.Errorf("stats %+v", s)
		}
		if !slices.Equal(f.events, []string{RulesSet}) {
			t.Errorf("events %v", f.events)
		}
	})
}

func TestRulesThatSomebodyChangedAreMadeAnew(t *testing.T) {
	f := new(fakeFilter)
	kept(t, f, func(r *Ruler, pause func(time.Duration)) {
		r.Set(Ruleset{marking("web", 7)})
		pause(0)
		f.changed = true
		pause(2 * rulesEvery)
		if s := r.Stats(); f.changed || s.Repairs != 1 || !slices.Contains(f.events, RulesRepaired) {
			t.Errorf("changed %v, stats %+v, events %v", f.changed, s, f.events)
		}
	})
}

func TestRefusedRulesAreTriedAgain(t *testing.T) {
	f := &fakeFilter{refuses: errors.New("no such module")}
	kept(t, f, func(r *Ruler, pause func(time.Duration)) {
		r.Set(Ruleset{marking("web", 7)})
		pause(10 * time.Minute)
		if s := r.Stats(); s.Kept || s.LastError != "no such module" || s.Failures < 10 || s.Failures > 20 {
			t.Errorf("stats %+v", s)
		}
		if !slices.Equal(f.events, []string{RulesFailed}) {
			t.Errorf("events %v, want one for a failure that lasts", f.events)
		}
		f.refuses = nil
		pause(2 * rulesRetryMost)
		if s := r.Stats(); !s.Kept || s.LastError != "" || len(f.rules) != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

// Rules that the kernel did not let go at once go later: they would mark packets for ever.
func TestRulesThatNobodyWantsAreRemovedHoweverOftenThatFails(t *testing.T) {
	f := new(fakeFilter)
	kept(t, f, func(r *Ruler, pause func(time.Duration)) {
		r.Set(Ruleset{marking("web", 7)})
		pause(0)
		f.refuses = kinded{errors.New("busy")}
		r.Set(nil)
		pause(10 * time.Second)
		if s := r.Stats(); s.Kept || s.Faults["EBUSY"] != s.Failures || s.Failures < 2 || !slices.Equal(f.events, []string{RulesSet, RulesFailed}) {
			t.Errorf("stats %+v, events %v", s, f.events)
		}
		f.refuses = nil
		pause(2 * rulesRetryMost)
		if s := r.Stats(); !s.Kept || len(f.rules) > 0 {
			t.Errorf("stats %+v, rules %v are left", s, f.rules)
		}
	})
}

func TestOtherRulesThanThoseThatWereRefusedAreTriedAtOnce(t *testing.T) {
	f := &fakeFilter{refuses: errors.New("no such module")}
	kept(t, f, func(r *Ruler, pause func(time.Duration)) {
		r.Set(Ruleset{marking("web", 7)})
		pause(10 * time.Minute)
		f.refuses = nil
		r.Set(Ruleset{marking("mail", 8)})
		pause(0)
		if s := r.Stats(); !s.Kept || len(f.rules) != 1 || f.rules[0].Service != "mail" {
			t.Errorf("stats %+v, rules %v", s, f.rules)
		}
	})
}

func TestRulesGoWithTheLastServiceAndAtTheEnd(t *testing.T) {
	f := new(fakeFilter)
	kept(t, f, func(r *Ruler, pause func(time.Duration)) {
		r.Set(Ruleset{marking("web", 7)})
		pause(0)
		r.Set(nil)
		pause(0)
		if len(f.rules) > 0 {
			t.Errorf("rules %v are left", f.rules)
		}
		r.Set(Ruleset{marking("web", 7)})
		pause(0)
		f.Unlock()
		err := r.Clear()
		f.Lock()
		if err != nil || len(f.rules) > 0 {
			t.Errorf("rules %v are left: %v", f.rules, err)
		}
	})
}

// For any two rulesets, what is told of the difference makes the second of the first, and
// the same again is no difference.
func TestDiffRules(t *testing.T) {
	all := Ruleset{marking("a", 1), marking("b", 2), marking("c", 3)}
	for from := range 8 {
		for to := range 8 {
			have, want := subset(all, from), subset(all, to)
			lines := have.lines()
			for _, c := range DiffRules(have, want) {
				if c.Removed {
					lines = slices.DeleteFunc(lines, func(l string) bool { return l == c.Rule })
				} else {
					lines = append(lines, c.Rule)
				}
			}
			slices.Sort(lines)
			if !slices.Equal(lines, want.lines()) {
				t.Errorf("from %v to %v: %v", have, want, lines)
			}
			if again := DiffRules(want, want); len(again) > 0 {
				t.Errorf("a second pass has %v", again)
			}
		}
	}
}

func subset(all Ruleset, bits int) (some Ruleset) {
	for i := range all {
		if bits>>i&1 == 1 {
			some = append(some, all[i])
		}
	}
	return some
}

func TestMarksFollowFromNames(t *testing.T) {
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("service-%d", i))
	}
	r := MarkRange{0x100, 0x100 + 1023}
	all := r.Assign(names)
	seen := make(map[uint32]bool)
	for name, mark := range all {
		if !r.Holds(mark) || seen[mark] {
			t.Fatalf("%s has the mark %d, which is another one's or not in %v", name, mark, r)
		}
		seen[mark] = true
	}
	slices.Reverse(names)
	for name, mark := range r.Assign(names) {
		if all[name] != mark {
			t.Errorf("%s has another mark where the files have another order", name)
		}
	}
	alone := DefaultMarks.Assign([]string{"web"})["web"]
	if with := DefaultMarks.Assign([]string{"mail", "web", "dns"})["web"]; with != alone {
		t.Errorf("web has the mark %d, and %d beside others", alone, with)
	}
}
