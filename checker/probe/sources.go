package probe

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// sourcesLast is for how long the address is believed from which a target is reached.
// Changes of the machine's addresses and routes are told earlier (Forget).
const sourcesLast = 5 * time.Minute

// sources are the IPv4 addresses from which targets are reached. Which of them it is for
// a target is in the target's note: a part of the list's number, and the place in it.
type sources struct {
	known []netip.Addr
	list  uint8
	ends  time.Time
}

// forget makes all notes void.
func (s *sources) forget() { s.ends = time.Time{} }

// of returns the address from which a target is reached, by its note where that holds,
// and the note. ok is false if there is none: the target cannot be reached.
func (s *sources) of(now time.Time, to netip.AddrPort, note uint16) (from netip.Addr, noted uint16, ok bool) {
	if !now.Before(s.ends) {
		s.known, s.ends = nil, now.Add(sourcesLast)
		s.list++
	}
	// Places count from 1, so that no valid note is zero.
	if place := int(note & 0xff); uint8(note>>8) == s.list && 0 < place && place <= len(s.known) {
		return s.known[place-1], note, true
	}
	from, err := sourceOf(to)
	if err != nil {
		return from, 0, false
	}
	place := slices.Index(s.known, from) + 1
	if place == 0 {
		if len(s.known) == math.MaxUint8 {
			return from, 0, true
		}
		s.known = append(s.known, from)
		place = len(s.known)
	}
	return from, uint16(s.list)<<8 | uint16(place), true
}

// sourceOf returns the address that the kernel would take for a connection to another
// one. Nothing is sent.
func sourceOf(to netip.AddrPort) (from netip.Addr, err error) {
	family := unix.AF_INET6
	if to.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return from, err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, sockaddr(to)); err != nil {
		return from, err
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return from, err
	}
	return addrPortOf(sa).Addr(), nil
}
