package director

import (
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// cutOff is a director with two servers that is Master, and has just been cut off.
func cutOff(t *testing.T) *story {
	c := farm(2, true, nil)
	c.Routers[0].Interval, c.Routers[0].Priority, c.Routers[0].Preempt = time.Second, 100, true
	s := tellOf(t, c)
	s.handle(TableSeen{Converged: true})
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master}})
	s.play([]rounds{{"pp", 2, "1 2"}, {"ss", 1, "1 2"}})
	return s
}

// offers is how many offers the keeper was told of so far.
func (s *story) offers() uint64 { return s.core.orders.number }

func TestADirectorThatIsCutOffOffersItsRoleOnce(t *testing.T) {
	s := cutOff(t)
	s.play([]rounds{{"ss", 3, "1 2"}})
	if got := s.offers(); got != 0 {
		t.Fatalf("%d offers before a peer that preempts could take over", got)
	}
	s.play([]rounds{{"ss", 2, "1 2"}})
	if got := s.offers(); got != 1 || len(s.desired.Offers) != 1 || s.desired.Offers[0].Force {
		t.Fatalf("%d offers, %+v", got, s.desired.Offers)
	}
	if !s.desired.Routers[0].Preempt {
		t.Error("it would not take its role back")
	}
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master, Offered: vrrp.Offered{Number: 1, Outcome: vrrp.Declined}}})
	s.play([]rounds{{"ss", 300, "1 2"}})
	if got := s.offers(); got != 1 {
		t.Errorf("%d offers in one isolation", got)
	}
	s.play([]rounds{{"ps", 1, "1 2"}, {"ss", 20, "1 2"}})
	if got := s.offers(); got != 2 {
		t.Errorf("%d offers after it has seen a server and was cut off again, want 2", got)
	}
	if got := s.events("isolation-offer"); !slices.Equal(got, []string{"isolation-offer", "isolation-offered", "isolation-offer", "isolation-offered"}) {
		t.Errorf("the events are %q", got)
	}
}

func TestWhenADirectorThatIsCutOffOffersNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(s *story)
		want uint64
	}{
		{"a peer has taken over", func(s *story) { s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}}) }, 0},
		{"it has seen a server", func(s *story) { s.round("ps") }, 0},
		{"it stops", func(s *story) { s.handle(Stop{}) }, 0},
		{"it owns the addresses", func(s *story) { s.core.config.Routers[0].Priority = 255 }, 0},
		{"an operator has ordered something", func(s *story) { s.handle(Failover{By: alice, Asker: func(api.Ordered) {}}) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := cutOff(t)
			tt.do(s)
			s.wait(4900 * time.Millisecond)
			if got := s.offers(); got != tt.want {
				t.Errorf("%d offers, want %d", got, tt.want)
			}
		})
	}
}
