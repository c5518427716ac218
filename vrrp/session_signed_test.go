package vrrp_test

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// ordered is a router with a key, of whose adverts the order counts, or with a window
// their time.
func ordered(window time.Duration) vrrp.Desired {
	return one(func(c *vrrp.Config) {
		c.Authentication = vrrp.Authentication{Mode: vrrp.Enforce, Signer: 1, Window: window,
			Keys: []vrrp.Key{{ID: 1, Secret: vrrp.NewSecret("a key of thirty-two bytes or more")}}}
	})
}

// The user's sentence: "I set the clock back, restarted lvsd, and both directors were
// Master until the clock had passed the old time." What was signed before the restart is
// handed to the new keeper, whose clock, that of the bubble, is a year behind it.
func TestASignerGoesOnAfterWhatItSignedBeforeTheClockWasSetBack(t *testing.T) {
	for _, tt := range []struct {
		name   string
		window time.Duration
		before time.Duration // from now to what was signed last
		want   bool          // that the first advert comes after that
	}{
		{"the clock was set back", 0, 365 * 24 * time.Hour, true},
		{"it was not", 0, -time.Minute, true},
		{"there is a window, and so the time counts", 5 * time.Second, 365 * 24 * time.Hour, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newKernel(t)
				var sent []vrrp.Sequence
				s.session = vrrp.NewSession(&tap{s, &sent}, s, s.event)
				last := vrrp.Sequence(uint64(time.Now().Add(tt.before).Unix())<<32 | 5)
				d := ordered(tt.window)
				d.Signed = last
				s.session.Set(d)
				s.session.Set(ordered(tt.window)) // A reload that comes at once takes nothing away.
				for range 50 {
					s.session.Turn(time.Now())
					time.Sleep(100 * time.Millisecond)
				}
				if len(sent) < 2 || (sent[0] > last) != tt.want || sent[1] <= sent[0] {
					t.Fatalf("it has signed with %#x, after %#x", sent, last)
				}
				want := sent[len(sent)-1]
				if tt.window > 0 {
					want = last // It is kept for those to come.
				}
				if got := s.session.Signed(); got != want {
					t.Errorf("Signed is %#x, want %#x", got, want)
				}

				// A router that comes by a reload has the peers of the one that went.
				other := ordered(tt.window)
				other.Routers[0].VRID = 52
				s.session.Set(other)
				before := len(sent)
				for range 100 {
					s.session.Turn(time.Now())
					time.Sleep(100 * time.Millisecond)
				}
				if first := sent[before+1]; tt.window == 0 && first <= want { // The first is of the one that leaves.
					t.Errorf("another router begins with %#x, after %#x", first, want)
				}
			})
		})
	}
}

// A tap notes the sequences of what is sent.
type tap struct {
	*kernel
	sent *[]vrrp.Sequence
}

func (tp *tap) Send(p vrrp.Packet) error {
	*tp.sent = append(*tp.sent, vrrp.Sequence(binary.BigEndian.Uint64(p.Payload[len(p.Payload)-24:])))
	return tp.kernel.Send(p)
}
