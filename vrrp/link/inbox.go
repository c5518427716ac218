package link

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// An inbox has all sockets that are read, and the room that they are read into.
type inbox struct {
	adverts, strays *arrivals[*socket]
	claims          *arrivals[*tap]
	batch           batch
	// pause is how much longer than readEvery it is between two wake-ups for adverts.
	pause atomic.Int64
}

func openInbox() (*inbox, error) {
	adverts, err1 := newArrivals[*socket]()
	strays, err2 := newArrivals[*socket]()
	claims, err3 := newArrivals[*tap]()
	b := &inbox{adverts: adverts, strays: strays, claims: claims}
	if err := errors.Join(err1, err2, err3); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// watch puts a token into wake when something has arrived, until the inbox is closed.
func (b *inbox) watch(wake chan struct{}) {
	strays := func() time.Duration { return straysEvery }
	go b.adverts.watch(wake, func() time.Duration { return readEvery + time.Duration(b.pause.Load()) })
	go b.strays.watch(wake, strays)
	go b.claims.watch(wake, strays)
}

// expect takes for which routers adverts will come.
func (b *inbox) expect(wanted map[vrrp.Port][]vrrp.Identity) {
	n := 0
	for _, ids := range wanted {
		n += len(ids)
	}
	b.pause.Store(int64(n) * int64(readMore))
}

func (b *inbox) close() {
	b.adverts.close()
	b.strays.close()
	b.claims.close()
}

// add has a socket and its strays read.
func (b *inbox) add(s *socket) error {
	if err := b.adverts.add(s.fd, s); err != nil {
		return err
	}
	return b.strays.add(s.strays.fd, s.strays)
}

// drop closes a socket.
func (b *inbox) drop(s *socket) {
	b.adverts.remove(s.fd)
	b.strays.remove(s.strays.fd)
	s.close()
}

// hear has a listener read.
func (b *inbox) hear(l *listener) error {
	for _, t := range l.taps() {
		if err := b.claims.add(t.fd, t); err != nil {
			return err
		}
	}
	return nil
}

// dropListener closes a listener.
func (b *inbox) dropListener(l *listener) {
	for _, t := range l.taps() {
		b.claims.remove(t.fd)
	}
	l.close()
}
