package cluster

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Holders are the directors that serve an address, at all times: that have it on an
// interface which runs. A Master whose cable is cut is none; nor is a Backup of FRR,
// which tells the kernel to have its address's device down (protodown). Where the carrier of
// the interface below comes back in the same moment, the device has one all the same.
type Holders struct {
	done chan struct{}
	ends sync.WaitGroup

	mu      sync.Mutex
	changes []holders
}

// Both and Nobody count the directors for Longest.
const (
	Nobody = 0
	Both   = 2
)

// holders are those from a moment on, by the director's place.
type holders struct {
	at    time.Time
	serve [2]bool
	err   error
}

func (h holders) number() (n int) {
	for _, serves := range h.serve {
		if serves {
			n++
		}
	}
	return n
}

// WatchHolders begins to note who serves the address, whenever the kernel of a
// director says that its addresses or its interfaces have changed.
func (c *Cluster) WatchHolders(addr netip.Addr) (*Holders, error) {
	w := &Holders{done: make(chan struct{})}
	for _, d := range c.Directors {
		addresses, links := make(chan netlink.AddrUpdate), make(chan netlink.LinkUpdate)
		err := errors.Join(
			netlink.AddrSubscribeWithOptions(addresses, w.done, netlink.AddrSubscribeOptions{Namespace: &d.net}),
			netlink.LinkSubscribeWithOptions(links, w.done, netlink.LinkSubscribeOptions{Namespace: &d.net}),
		)
		if err != nil {
			w.Close()
			return nil, fmt.Errorf("watching the addresses of %s: %w", d.Name, err)
		}
		w.ends.Go(func() { noteEach(addresses, func() { w.note(c, addr) }) })
		w.ends.Go(func() { noteEach(links, func() { w.note(c, addr) }) })
	}
	w.note(c, addr)
	return w, nil
}

// noteEach notes each change until there are no more.
func noteEach[T any](changes <-chan T, note func()) {
	for range changes {
		note()
	}
}

// note looks who serves the address now.
func (w *Holders) note(c *Cluster, addr netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := holders{at: time.Now()}
	for i, d := range c.Directors {
		serves, err := d.serves(addr)
		now.serve[i], now.err = serves, errors.Join(now.err, err)
	}
	w.changes = append(w.changes, now)
}

// serves reports whether the address is on an interface of the host that runs.
func (h *Host) serves(addr netip.Addr) (bool, error) {
	for {
		list, err := h.links.AddrList(nil, netlink.FAMILY_ALL)
		if errors.Is(err, netlink.ErrDumpInterrupted) {
			continue
		}
		for _, a := range list {
			if got, _ := netip.AddrFromSlice(a.IP); got.Unmap() == addr {
				// An interface that has gone meanwhile serves nobody.
				link, err := h.links.LinkByIndex(a.LinkIndex)
				return err == nil && link.Attrs().RawFlags&unix.IFF_RUNNING != 0 && !h.toldDown(a.LinkIndex), nil
			}
		}
		return false, err
	}
}

// toldDown reports whether a daemon wants an interface of the host down.
func (h *Host) toldDown(index int) (down bool) {
	_ = h.In(func() error {
		ask := nl.NewNetlinkRequest(unix.RTM_GETLINK, 0)
		message := nl.NewIfInfomsg(unix.AF_UNSPEC)
		message.Index = int32(index)
		ask.AddData(message)
		answers, err := ask.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
		for _, answer := range answers {
			attributes, _ := nl.ParseRouteAttr(answer[unix.SizeofIfInfomsg:])
			for _, a := range attributes {
				down = down || a.Attr.Type == unix.IFLA_PROTO_DOWN && a.Value[0] != 0
			}
		}
		return err
	})
	return down
}

// Now says which directors serve the address.
func (w *Holders) Now() (serve [2]bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.changes[len(w.changes)-1]
	return last.serve, last.err
}

// Longest is the longest time after t, up to now, for which so many directors served
// the address.
func (w *Holders) Longest(t time.Time, number int) (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return longestHeld(t, time.Now(), w.changes, number)
}

// FirstAt is when director i first began to serve after t, or did already; zero: never.
func (w *Holders) FirstAt(t time.Time, i int) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, c := range w.changes {
		if c.serve[i] && (n+1 == len(w.changes) || w.changes[n+1].at.After(t)) {
			if c.at.Before(t) {
				return t
			}
			return c.at
		}
	}
	return time.Time{}
}

// Close ends the watch.
func (w *Holders) Close() {
	close(w.done)
	w.ends.Wait()
}

// longestHeld is Longest for the changes in their order.
func longestHeld(t, now time.Time, changes []holders, number int) (longest time.Duration) {
	var since time.Time // since when there have been so many; zero: there are not
	for _, c := range changes {
		at := c.at
		if at.Before(t) {
			at = t
		}
		if !since.IsZero() {
			longest = max(longest, at.Sub(since))
		}
		switch {
		case c.number() != number:
			since = time.Time{}
		case since.IsZero():
			since = at
		}
	}
	if !since.IsZero() {
		longest = max(longest, now.Sub(since))
	}
	return longest
}
