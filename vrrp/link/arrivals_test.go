package link

import (
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// watched watches sockets.
func watched(t testing.TB, all ...*socket) *arrivals[*socket] {
	a, err := newArrivals[*socket]()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	for _, s := range all {
		if err := a.add(s.fd, s); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// taken are the sockets that would be read now.
func taken(a *arrivals[*socket]) (all []*socket) {
	a.each(func(s *socket) { all = append(all, s) })
	return all
}

// "With a thousand virtual MACs, each turn read two thousand sockets." And a process that
// was stalled listens first: what has arrived is known before anybody was woken for it.
func TestOnlySocketsWithPacketsAreRead(t *testing.T) {
	wire(t)
	four, six := open(t, 4, vrrp.Identity{Version: 3, VRID: 51}), open(t, 6, vrrp.Identity{Version: 3, VRID: 51})
	a := watched(t, four, six)
	if got := taken(a); len(got) > 0 {
		t.Errorf("%d sockets have something to read before anything was sent", len(got))
	}
	newTalker(t, 4).say(255, 0x31, 51)
	poll(t, "one of the sockets has something to read", func() bool { return slices.Equal(taken(a), []*socket{four}) })
	newTalker(t, 6).say(255, 0x31, 51)
	poll(t, "both have", func() bool { return len(taken(a)) == 2 })

	a.remove(four.fd)
	four.close()
	again := open(t, 4, vrrp.Identity{Version: 3, VRID: 51}) // mostly with the same file descriptor
	if got := taken(a); !slices.Equal(got, []*socket{six}) {
		t.Errorf("after one was closed: %v", got)
	}
	if err := a.add(again.fd, again); err != nil {
		t.Fatal(err)
	}
	newTalker(t, 4).say(255, 0x31, 51)
	poll(t, "its successor has something to read", func() bool { return slices.Contains(taken(a), again) })
}

// Whoever takes the packets before the watcher has woken anybody for them is woken for the
// next ones all the same.
func TestTheNextPacketWakesAfterOneThatWasTaken(t *testing.T) {
	wire(t)
	s := open(t, 4, vrrp.Identity{Version: 3, VRID: 51})
	a, wake, room := watched(t, s), make(chan struct{}, 1), new(batch)
	go a.watch(wake, func() time.Duration { return readEvery })
	k := newTalker(t, 4)
	for i := range 200 {
		k.say(255, 0x31, 51)
		if i%2 == 0 {
			for read := 0; read == 0; {
				a.each(func(s *socket) { s.receive(room, func(vrrp.Packet) { read++ }) })
			}
			continue
		}
		select {
		case <-wake: // perhaps for the one before
		case <-time.After(30 * time.Second):
			t.Fatalf("packet %d: nobody was woken", i)
		}
	}
}
