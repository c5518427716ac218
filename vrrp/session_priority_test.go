package vrrp_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// "The priority drifts: after a week of flapping checks it was 30 too low."
// Whatever happened before, and in whichever order, the priority is what the present
// makes it, in every step.
func TestThePriorityIsAFunctionOfThePresent(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			play(t, func(s *kernel) {
				p := present{eth1: true, priority: 150, conditions: make([]vrrp.Condition, 4)}
				for i := range p.conditions {
					p.conditions[i] = vrrp.Condition{Name: fmt.Sprint("exec ", i), Tracked: true, OK: true}
				}
				for step := range 60 {
					p.change(rng, s)
					s.session.Set(p.desired())
					synctest.Wait()
					want, back := p.priorityNow()
					st := s.status()
					if st.Priority != want || back != (st.State == vrrp.Initialize) {
						t.Fatalf("step %d: it is %v with priority %d, want %d; it stands back: %t\n%+v", step, st.State, st.Priority, want, back, p)
					}
					time.Sleep(time.Duration(rng.IntN(2000)) * time.Millisecond)
				}
			})
		})
	}
}

// A condition may be damped on its way up alone, or on its way down alone.
func TestAFlapIsDampedOneWay(t *testing.T) {
	play(t, func(s *kernel) {
		d := one(func(c *vrrp.Config) {
			c.Track = []vrrp.Track{{Condition: "exec up", Weight: -20, UpAfter: 5 * time.Second}, {Condition: "exec down", Weight: -30, DownAfter: 5 * time.Second}}
		})
		for _, tt := range []struct {
			ok    bool
			after time.Duration
			want  uint8
		}{
			{true, time.Second, 150},
			{false, time.Second, 130}, {false, 5 * time.Second, 100},
			{true, time.Second, 130}, {true, 5 * time.Second, 150},
		} {
			d.Conditions = nil
			for _, name := range []string{"exec up", "exec down"} {
				c := vrrp.Condition{Name: name, Tracked: true, OK: tt.ok}
				if !tt.ok {
					c.Reason = name + " says no"
				}
				d.Conditions = append(d.Conditions, c)
			}
			s.session.Set(d)
			time.Sleep(tt.after)
			if got := s.status().Priority; got != tt.want {
				t.Errorf("met %t, %v later: priority %d, want %d", tt.ok, tt.after, got, tt.want)
			}
		}
	})
}

// present is all that is so now.
type present struct {
	eth1       bool
	priority   uint8
	conditions []vrrp.Condition
	tracks     []vrrp.Track
}

// change changes one thing.
func (p *present) change(rng *rand.Rand, s *kernel) {
	c := &p.conditions[rng.IntN(len(p.conditions))]
	switch rng.IntN(7) {
	case 0:
		p.eth1 = !p.eth1
		s.set("eth1", p.eth1)
	case 1:
		p.priority = uint8(1 + rng.IntN(255))
	case 2:
		p.tracks = nil
		for _, name := range append(rng.Perm(len(p.conditions)), -1) {
			t := vrrp.Track{Condition: fmt.Sprint("exec ", name), Weight: rng.IntN(100) - 60, Reverse: rng.IntN(4) == 0}
			if name < 0 {
				t.Condition = "interface eth1"
			}
			if t.Weight < -50 {
				t.Weight = 0
			}
			if rng.IntN(3) > 0 {
				p.tracks = append(p.tracks, t)
			}
		}
	case 3:
		c.Unknown, c.OK = !c.Unknown, false
	case 4:
		c.Counts, c.Number = !c.Counts, rng.IntN(9)-4
	default:
		c.OK = !c.OK
		c.Unknown = c.Unknown && !c.OK
	}
	c.Reason = ""
	if !c.OK {
		c.Reason = c.Name + " says no"
	}
}

func (p *present) desired() vrrp.Desired {
	d := one(func(c *vrrp.Config) { c.Priority, c.Track = p.priority, p.tracks })
	d.Conditions = append([]vrrp.Condition(nil), p.conditions...)
	return d
}

// priorityNow works it out in the words of the manual.
func (p *present) priorityNow() (priority uint8, standsBack bool) {
	sum := int(p.priority)
	for _, t := range p.tracks {
		c := vrrp.Condition{OK: p.eth1}
		for _, other := range p.conditions {
			if other.Name == t.Condition {
				c = other
			}
		}
		met := c.OK
		if t.Reverse {
			met = !met
		}
		if c.Unknown {
			met = true
		}
		switch {
		case c.Counts && !c.OK:
			standsBack = standsBack || t.Weight == 0 && !met
		case c.Counts && t.Reverse:
			sum -= t.Weight * c.Number
		case c.Counts:
			sum += t.Weight * c.Number
		case met && t.Weight > 0, !met && t.Weight < 0:
			sum += t.Weight
		case !met && t.Weight == 0:
			standsBack = true
		}
	}
	switch {
	case p.priority == 255:
		return 255, standsBack
	case sum < 1:
		return 1, standsBack
	case sum > 254:
		return 254, standsBack
	default:
		return uint8(sum), standsBack
	}
}
