package ipvsctl

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
)

// The firewall marks of private services, which are lvsd's alone.
const (
	FirstPrivateMark uint32 = 0x6c760000
	LastPrivateMark  uint32 = 0x6c76ffff
)

// MaxPaths bounds the paths of one table. It leaves half of the marks free, so that the
// mark of a path is found by few looks.
const MaxPaths = 1 << 15

// Private reports whether a firewall mark is one of those that private services have.
func Private(mark uint32) bool { return FirstPrivateMark <= mark && mark <= LastPrivateMark }

// A Path is a way by which the kernel hands packets to one real server: by a forwarding
// method, whatever address and port they were sent to. It is comparable.
type Path struct {
	// Family is the unspecified address of the packets' family, 0.0.0.0 or ::, which is
	// another one than the server's where a tunnel has it so.
	Family netip.Addr
	Server netip.Addr
	// Forward and what follows are as in a Destination.
	Forward     Forward
	TunnelType  uint8
	TunnelPort  uint16
	TunnelFlags uint16
}

// PathTo returns the path by which packets to a virtual address reach a destination.
func PathTo(virtual, server netip.Addr, d Destination) Path {
	family := netip.IPv4Unspecified()
	if virtual.Is6() {
		family = netip.IPv6Unspecified()
	}
	return Path{family, server, d.Forward, d.TunnelType, d.TunnelPort, d.TunnelFlags}
}

// Compare orders paths.
func (p Path) Compare(other Path) int {
	return cmp.Or(
		p.Family.Compare(other.Family),
		p.Server.Compare(other.Server),
		cmp.Compare(p.Forward, other.Forward),
		cmp.Compare(p.TunnelType, other.TunnelType),
		cmp.Compare(p.TunnelPort, other.TunnelPort),
		cmp.Compare(p.TunnelFlags, other.TunnelFlags),
	)
}

// String returns the path as people write it: "direct to 192.168.1.4".
func (p Path) String() string { return fmt.Sprintf("%v to %v", p.Forward, p.Server) }

// key returns the key of the path's private service, if so many of the marks at which it
// is looked for first lead elsewhere. Marks follow from a hash, so that they stay when
// other paths come and go.
func (p Path) key(taken uint32) ServiceKey {
	h := fnv.New32a()
	fmt.Fprintln(h, p.Family, p.Server, uint8(p.Forward), p.TunnelType, p.TunnelPort, p.TunnelFlags)
	return ServiceKey{Addr: p.Family, Mark: FirstPrivateMark + (h.Sum32()+taken)%(LastPrivateMark-FirstPrivateMark+1)}
}

// row returns the only real server of the path's private service.
func (p Path) row() Row[Destination] {
	return Row[Destination]{DestinationKey{Addr: p.Server}, Destination{
		Forward: p.Forward, Weight: 1, TunnelType: p.TunnelType, TunnelPort: p.TunnelPort, TunnelFlags: p.TunnelFlags}}
}

// PrivateServices returns the services that lead to one real server each, by one path
// each: whatever has their firewall mark goes there. Packets of UDP leave no connection
// in the kernel's table.
func PrivateServices(paths []Path) Table {
	paths = slices.Clone(paths)
	slices.SortFunc(paths, Path.Compare)
	all := make(Table, len(paths))
	for _, p := range slices.Compact(paths) {
		s := VirtualService{Service{Scheduler: "rr", Flags: OnePacket, Netmask: 32}, Rows[Destination]{p.row()}}
		if p.Family.Is6() {
			s.Netmask = 128
		}
		key := p.key(0)
		for n := uint32(1); all[key].Destinations != nil; n++ {
			key = p.key(n)
		}
		all[key] = s
	}
	return all
}

// ErrNoPath is that the kernel's table has no private service for a path.
var ErrNoPath = errors.New("the kernel's IPVS table has no private service for this path")

// maxLooks bounds at how many marks a path is looked for. With MaxPaths of them, 32 looks
// find it in all likelihood.
const maxLooks = 256

// MarkOf returns the firewall mark of the private service that leads along a path, in a
// table that is read service by service. What has no real server there is an empty list.
// The error is ErrNoPath if there is none.
func (p Path) MarkOf(servers func(ServiceKey) (Rows[Destination], error)) (mark uint32, err error) {
	want := p.row()
	for n := range uint32(maxLooks) {
		key := p.key(n)
		rows, err := servers(key)
		switch {
		case err != nil:
			return 0, err
		case len(rows) == 0:
			return 0, ErrNoPath
		case len(rows) == 1 && rows[0] == want:
			return key.Mark, nil
		}
	}
	return 0, ErrNoPath
}
