package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Flood sends VRRP packets to the group from a host, as an attacker or a
// machine gone mad would.
type Flood struct {
	// Sent is how many packets were sent, and For how long.
	Sent int
	For  time.Duration

	stop atomic.Bool
	done chan error
}

// A Forgery is an advert of version 3 that no director sends.
type Forgery struct {
	VRID, Priority byte
	Interval       time.Duration
	Addresses      []netip.Addr
	// Broken has a wrong checksum.
	Broken bool
}

// forged is the id of the cluster's ordinary virtual router, and strange one that
// no director of the cluster has.
const forged, strange = 51, 99

// The floods of an attacker, or of a machine gone mad. Those of a stranger are for
// no router of the cluster; Crowded is one with as many addresses as an advert has.
// Claimed takes the virtual address for itself, once Hurried with an interval of
// 10 ms, and Left gives it up at once.
var (
	Stranger = Forgery{VRID: strange, Priority: 200, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("10.99.0.1")}}
	Crowded  = Forgery{VRID: strange, Priority: 200, Interval: time.Second, Addresses: slices.Repeat([]netip.Addr{crowdAddress(1, 1)}, 255)}
	Broken   = Forgery{VRID: forged, Priority: 255, Interval: time.Second, Addresses: []netip.Addr{VIP}, Broken: true}
	Claimed  = Forgery{VRID: forged, Priority: 255, Interval: 100 * time.Millisecond, Addresses: []netip.Addr{VIP}}
	Hurried  = Forgery{VRID: forged, Priority: 255, Interval: 10 * time.Millisecond, Addresses: []netip.Addr{VIP}}
	Left     = Forgery{VRID: forged, Priority: 0, Interval: 100 * time.Millisecond, Addresses: []netip.Addr{VIP}}
)

// group is where adverts over IPv4 are sent to (RFC 9568, section 5.1.1.2).
var group = netip.AddrFrom4([4]byte{224, 0, 0, 18})

// vrrp is the number of the protocol.
const vrrp = 112

// packet encodes it (RFC 9568, section 5.1): its checksum covers a pseudo-header
// with the source and the destination.
func (f Forgery) packet(source netip.Addr) []byte {
	p := []byte{3<<4 | 1, f.VRID, f.Priority, byte(len(f.Addresses))}
	p = binary.BigEndian.AppendUint16(p, uint16(f.Interval/(10*time.Millisecond)))
	p = append(p, 0, 0) // the checksum
	for _, a := range f.Addresses {
		p = append(p, a.AsSlice()...)
	}
	covered := slices.Concat(source.AsSlice(), group.AsSlice(), []byte{0, vrrp}, binary.BigEndian.AppendUint16(nil, uint16(len(p))), p)
	sum := uint32(0)
	for i := 0; i < len(covered); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(covered[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	if f.Broken {
		sum ^= 1
	}
	binary.BigEndian.PutUint16(p[6:], ^uint16(sum))
	return p
}

// StartFlood sends the packets in turn from an interface of a host, so many a second
// in all or as many as the machine can, until Stop.
func StartFlood(h *Host, iface string, perSecond int, packets ...Forgery) (*Flood, error) {
	var fd int
	var encoded [][]byte
	err := h.In(func() (err error) {
		i, err := net.InterfaceByName(iface)
		if err != nil {
			return err
		}
		source, err := addressOf(i)
		if err != nil {
			return err
		}
		for _, f := range packets {
			encoded = append(encoded, f.packet(source))
		}
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, vrrp); err != nil {
			return err
		}
		return errors.Join(
			unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 255),
			unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(i.Index)}),
		)
	})
	if err != nil {
		return nil, fmt.Errorf("preparing a flood on %s of %s: %w", iface, h.Name, err)
	}
	f := &Flood{done: make(chan error, 1)}
	go func() {
		err := f.run(fd, perSecond, encoded)
		f.done <- errors.Join(err, unix.Close(fd))
	}()
	return f, nil
}

// addressOf returns the first IPv4 address of an interface.
func addressOf(i *net.Interface) (netip.Addr, error) {
	all, err := i.Addrs()
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
			return prefix.Addr(), nil
		}
	}
	return netip.Addr{}, errors.Join(err, errors.New("it has no IPv4 address"))
}

func (f *Flood) run(fd, perSecond int, packets [][]byte) error {
	to := &unix.SockaddrInet4{Addr: group.As4()}
	begin := time.Now()
	for !f.stop.Load() {
		for due := int(time.Since(begin).Seconds() * float64(perSecond)); f.Sent < due && !f.stop.Load(); f.Sent++ {
			if err := unix.Sendto(fd, packets[f.Sent%len(packets)], 0, to); err != nil && !errors.Is(err, unix.ENOBUFS) {
				return fmt.Errorf("sending a flood: %w", err)
			}
		}
		pause := unix.NsecToTimespec(int64(500 * time.Microsecond))
		_ = unix.Nanosleep(&pause, nil)
	}
	f.For = time.Since(begin)
	return nil
}

// Stop ends the flood.
func (f *Flood) Stop() error {
	f.stop.Store(true)
	return <-f.done
}

// Pin lets the processes that are started on the host from now on run on one
// processor alone. Those that run already keep theirs: Go asks only at the start how
// many processors there are, and threads that spin for each other on one of two are
// not what a machine with one has.
func (h *Host) Pin(processor int) error {
	var set unix.CPUSet
	set.Set(processor)
	if err := h.do(func() error { return unix.SchedSetaffinity(0, &set) }); err != nil {
		return fmt.Errorf("pinning %s to processor %d: %w", h.Name, processor, err)
	}
	return nil
}
