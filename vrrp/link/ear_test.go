package link_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
	"golang.org/x/sys/unix"
)

// inherit returns a Link that was given ears, and runs until the test ends.
func inherit(t *testing.T, ears []vrrp.Ear, port vrrp.Port) *link.Link {
	t.Helper()
	l, err := link.Open()
	if err != nil {
		t.Fatal(err)
	}
	l.Inherit(ears)
	l.Listen([]vrrp.Port{port})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	wait(t, "the socket is open", func() bool { why, ok := l.Interfaces().Ports[port]; return ok && why == "" })
	return l
}

// openEar opens an ear once the kernel says that the interface runs, which it
// does a moment after the carrier is there. The time is from before that.
func openEar(t *testing.T, p vrrp.Port) (ears []vrrp.Ear, before time.Time) {
	t.Helper()
	wait(t, p.Interface+" runs", func() bool {
		before = time.Now()
		ears = link.OpenEars([]vrrp.Port{p})
		return len(ears) == 1
	})
	return ears, before
}

func TestWhatArrivedBeforeTheLinkIsHeard(t *testing.T) {
	for _, family := range []int{4, 6} {
		cable(t, "va", "vb")
		ip(t, "addr add 10.9.0.1/24 dev va")
		ip(t, "addr add fe80::a/64 dev va")
		a, b := vrrp.Port{Interface: "va", Family: family}, vrrp.Port{Interface: "vb", Family: family}
		src, group := netip.MustParseAddr("10.9.0.1"), vrrp.Group4
		if family == 6 {
			src, group = netip.MustParseAddr("fe80::a"), vrrp.Group6
		}
		sender := open(t, a)
		ears, before := openEar(t, b)
		after := time.Now()
		if err := sender.Send(a, src, group, []byte("early")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		l := inherit(t, ears, b)
		want := []received{{b, src.String(), group.String(), 255, "early"}}
		if diff := cmp.Diff(want, collect(t, l, 1)); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
		const grain = 10 * time.Millisecond
		if since := l.Interfaces().Since[b]; since.Before(before.Add(-grain)) || since.After(after.Add(grain)) {
			t.Errorf("it listens since %s, want between %s and %s", since, before, after)
		}
		wait(t, "it is at rest", func() bool {
			select {
			case <-l.Wake():
				return false
			case <-time.After(50 * time.Millisecond):
				return true
			}
		})
		if err := sender.Send(a, src, group, []byte("late")); err != nil {
			t.Fatal(err)
		}
		wait(t, "it wakes for the next one", func() bool { return len(l.Wake()) > 0 })
		want[0].Payload = "late"
		if diff := cmp.Diff(want, collect(t, l, 1)); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
		ip(t, "link del va")
	}
}

func TestEarOfAnInterfaceThatIsGone(t *testing.T) {
	cable(t, "va", "vb")
	p := vrrp.Port{Interface: "vb", Family: 4}
	ears, _ := openEar(t, p)
	ip(t, "link del va")
	cable(t, "va", "vb") // With other indices.
	l := inherit(t, ears, p)
	if since, ok := l.Interfaces().Since[p]; ok {
		t.Errorf("the new interface is said to be listened on since %s", since)
	}
	if _, err := unix.FcntlInt(uintptr(ears[0].FD), unix.F_GETFD, 0); err == nil {
		t.Error("the ear is still open")
	}
}

func TestNoEarWhereNothingCanBeHeard(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "link set va down") // Which takes the carrier from vb.
	for _, name := range []string{"va", "vb", "missing", "a-name-that-is-too-long-for-linux"} {
		wait(t, name+" has no ear", func() bool {
			return len(link.OpenEars([]vrrp.Port{{Interface: name, Family: 4}})) == 0
		})
	}
}
