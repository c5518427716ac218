package ipvsctl

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeFilter is a packet filter in memory, which may refuse.
type fakeFilter struct {
	rules           Ruleset
	changed         bool // somebody else has
	refuses         error
	replaced, asked int
}

func (f *fakeFilter) Replace(r Ruleset) error {
	f.replaced++
	if f.refuses != nil {
		return f.refuses
	}
	f.rules, f.changed = r, false
	return nil
}

func (f *fakeFilter) Intact() (bool, error) {
	f.asked++
	return !f.changed, f.refuses
}

func marking(name string, mark uint32) Marking {
	a := netip.MustParseAddr("10.13.0.200")
	return Marking{Service: name, Mark: mark, Selection: Select([]AddressRange{{a, a}}, []Protocol{TCP}, []PortRange{{80, 80}})}
}

// kept runs a Ruler in virtual time.
func kept(t *testing.T, f *fakeFilter, test func(r *Ruler, events *[]string)) {
	synctest.Test(t, func(t *testing.T) {
		var events []string
		r := NewRuler(f, func(e Event) { events = append(events, e.Code) })
		go func() { _ = r.Run(t.Context()) }()
		test(r, &events)
	})
}

func TestRulesAreMadeOnceAndLookedAt(t *testing.T) {
	f := new(fakeFilter)
	kept(t, f, func(r *Ruler, events *[]string) {
		want := Ruleset{marking("web", 7)}
		r.Set(want)
		synctest.Wait()
		r.Set(slices.Clone(want)) // a reload that changes nothing of it
		time.Sleep(time.Minute)
		synctest.Wait()
		if f.replaced != 1 || f.asked < 10 || !f.rules.Equal(want) {
			t.Errorf("%d transactions, %d looks, rules %v", f.replaced, f.asked, f.rules)
		}
		if s := r.Stats(); !s.Kept || s.Wanted != 1 || s.Failures+s.Repairs > 0 {
			t.Errorf("stats %+v", s)
		}
		if !slices.Equal(*events, []string{RulesSet}) {
			t.Errorf("events %v", *events)
		}
	})
}

func TestRulesThatSomebodyChangedAreMadeAnew(t *testing.T) {
	f := new(fakeFilter)
	kept(t, f, func(r *Ruler, events *[]string) {
		r.Set(Ruleset{marking("web", 7)})
		synctest.Wait()
		f.changed = true
		time.Sleep(2 * rulesEvery)
		synctest.Wait()
		if s := r.Stats(); f.changed || s.Repairs != 1 || !slices.Contains(*events, RulesRepaired) {
			t.Errorf("changed %v, stats %+v, events %v", f.changed, s, *events)
		}
	})
}

func TestRefusedRulesAreTriedAgain(t *testing.T) {
	f := &fakeFilter{refuses: errors.New("no such module")}
	kept(t, f, func(r *Ruler, events *[]string) {
		r.Set(Ruleset{marking("web", 7)})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if s := r.Stats(); s.Kept || s.LastError != "no such module" || s.Failures < 10 || s.Failures > 20 {
			t.Errorf("stats %+v", s)
		}
		if !slices.Equal(*events, []string{RulesFailed}) {
			t.Errorf("events %v, want one for a failure that lasts", *events)
		}
		f.refuses = nil
		time.Sleep(2 * rulesRetryMost)
		synctest.Wait()
		if s := r.Stats(); !s.Kept || s.LastError != "" || len(f.rules) != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestWhoWantsNoRulesNeedNotHaveNftables(t *testing.T) {
	f := &fakeFilter{refuses: errors.New("no nftables")}
	kept(t, f, func(r *Ruler, events *[]string) {
		r.Set(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := r.Stats(); s.LastError != "" || s.Failures > 0 || f.replaced != 1 || len(*events) > 0 {
			t.Errorf("stats %+v, %d transactions, events %v", s, f.replaced, *events)
		}
	})
}

func TestRulesGoWithTheLastServiceAndAtTheEnd(t *testing.T) {
	f := new(fakeFilter)
	kept(t, f, func(r *Ruler, events *[]string) {
		r.Set(Ruleset{marking("web", 7)})
		synctest.Wait()
		r.Set(nil)
		synctest.Wait()
		if len(f.rules) > 0 {
			t.Errorf("rules %v are left", f.rules)
		}
		r.Set(Ruleset{marking("web", 7)})
		synctest.Wait()
		if err := r.Clear(); err != nil || len(f.rules) > 0 {
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
