package vrrp

import (
	"net/netip"
	"time"
)

// A Port is where adverts are sent and received: one interface and family.
type Port struct {
	Interface string
	Family    int // 4 or 6
}

// A routerKey is the identity of a router on the network: a router that keeps
// it keeps its role.
type routerKey struct {
	Port
	vrid uint8
}

func keyOf(c *Config) routerKey {
	return routerKey{Port{c.Interface, c.Family()}, c.VRID}
}

// device is the port of the device of a virtual MAC, if the router has one.
func (c *Config) device() (p Port, ok bool) {
	return Port{c.VirtualMAC.Device, c.Family()}, c.VirtualMAC.Device != ""
}

// An Identity is what the adverts of one virtual router have in common as they
// arrive.
type Identity struct {
	Version, VRID uint8
	// MinTTL is the smallest TTL or hop limit that they have; zero: 255.
	MinTTL uint8
	// Group is where they are multicast to; invalid: Group4 or Group6.
	Group netip.Addr
	// Below is the interface below a Port's, where that is the device of this router's
	// virtual MAC. Empty: it is not.
	Below string
}

// Header returns the first two bytes of such an advert: version and type, VRID.
func (i Identity) Header() uint16 { return uint16(i.Version<<4|typeAdvert)<<8 | uint16(i.VRID) }

// A Packet is one VRRP packet as it arrived or is to be sent. Payload is valid only
// until the function that was called with it returns.
type Packet struct {
	Port     Port
	Src, Dst netip.Addr
	TTL      int // or hop limit
	Payload  []byte
}

// A Claim is the word of another machine that it has an address: a packet of ARP
// with it as the sender's address, or a neighbour advertisement.
type Claim struct {
	Interface string
	Address   netip.Addr
	MAC       string // "52:54:00:12:34:56"; empty: it was not told
}

// An Interface is a network interface as last seen.
type Interface struct {
	// Up reports whether it is administratively up and has a carrier, and Enabled
	// whether it is the first of these.
	Up, Enabled bool
	// Hardware is its link-layer address, as bytes; empty where it has none.
	Hardware string
	// Addresses are those that can be used, in the kernel's order.
	Addresses []netip.Prefix
}

// Interfaces are the network interfaces that exist, by name, and the Ports that
// Listen asked for: why the socket is not open, or "" where it is. A value is
// never changed once it was handed out.
type Interfaces struct {
	ByName map[string]Interface
	Ports  map[Port]string
	// Booted is when the machine was started.
	Booted time.Time
	// Unrefused is why packets for the addresses that Refuse was called with are not
	// dropped, if that is so.
	Unrefused string
}

// A Link sends and receives adverts and watches the interfaces. Its methods do
// not block.
type Link interface {
	// Listen opens the sockets of these ports, and closes all others. Adverts
	// with these identities are all received there, and of other VRRP packets some:
	// as many as it takes to report them. It makes the devices of virtual MACs, which
	// are up while they have addresses, and removes them when they are not wanted any
	// more and have none. What a device hears is received on the port below.
	Listen(wanted map[Port][]Identity)
	// Wake receives a token when packets have arrived, the interfaces have changed, or it
	// is the time of WakeAt.
	Wake() <-chan struct{}
	// WakeAt sets the time at which Wake receives a token; zero: at none.
	WakeAt(time.Time)
	// Interfaces returns the interfaces as last seen, and the same pointer until
	// something has changed.
	Interfaces() *Interfaces
	// Receive calls f for every packet that has arrived.
	Receive(f func(Packet))
	// Watch looks from now on at who else has these addresses, by interface, and at
	// no others.
	Watch(addresses map[string][]netip.Addr)
	// Claims calls f for every claim of theirs that has arrived.
	Claims(f func(Claim))
	// Ask asks who has an address. Its answers are claims, if it is watched. An error
	// means that nobody was asked, or that no answer would be heard.
	Ask(a Ask) error
	// Unremovable returns which addresses, once they are held, could not be removed
	// again without the interface's own ones, and why.
	Unremovable(Holdings) map[InterfaceAddress]error
	// Refuse drops what comes for these addresses and no virtual service, and for no
	// others.
	Refuse([]netip.Addr)
	// Send sends one packet.
	Send(Packet) error
}

// A Holder makes the kernel agree with what a Master holds. Its methods are
// called by one goroutine, and may take as long as the kernel likes.
type Holder interface {
	// Hold makes it so that the holdings are there, and begins their lease anew.
	// It goes on after an error, and returns what had not been there, and what is
	// not there now.
	Hold(Holdings) (added, missing Holdings, err error)
	// Renew begins the lease of addresses anew that Hold has added, and adds none. It
	// returns those of which it could not tell that they are there.
	Renew(Holdings) (missing []InterfaceAddress, err error)
	// Release makes it so that they are not there, and returns what had been.
	// It goes on after an error.
	Release(Holdings) (removed Holdings, err error)
	// Sweep removes the addresses, routes and rules that an earlier process has left, but
	// for these.
	Sweep(keep Holdings) error
	// Announce makes the neighbours on each interface send to the addresses here.
	Announce(Holdings) error
}
