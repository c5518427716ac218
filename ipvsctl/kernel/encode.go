//go:build linux

package kernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
)

// A request is the body of a netlink message under construction: the generic
// netlink header, then attributes. The netlink library's encoder makes 31
// allocations for a request, 2 kB in all, and this one makes none, which counts
// when ten thousand rows are written.
type request []byte

func (r *request) command(c uint8) { *r = append(*r, c, familyVersion, 0, 0) }

// begin starts an attribute (struct nlattr in linux/netlink.h) and returns its
// offset, which end needs after the content was appended.
func (r *request) begin(typ uint16) int {
	at := len(*r)
	*r = binary.NativeEndian.AppendUint16(*r, 0)
	*r = binary.NativeEndian.AppendUint16(*r, typ)
	return at
}

// end fills in the length and pads the attribute to four bytes.
func (r *request) end(at int) {
	n := len(*r) - at
	binary.NativeEndian.PutUint16((*r)[at:], uint16(n))
	for ; n%4 != 0; n++ {
		*r = append(*r, 0)
	}
}

// bytes appends an attribute with its content.
func (r *request) bytes(typ uint16, content ...byte) {
	at := r.begin(typ)
	*r = append(*r, content...)
	r.end(at)
}

func (r *request) uint16(typ, v uint16) {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], v)
	r.bytes(typ, b[:]...)
}

func (r *request) uint32(typ uint16, v uint32) {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], v)
	r.bytes(typ, b[:]...)
}

// port appends a port, which is in network order.
func (r *request) port(typ, v uint16) { r.bytes(typ, byte(v>>8), byte(v)) }

// addr appends an address as the kernel's union nf_inet_addr: 16 bytes, of
// which IPv4 uses the first four.
func (r *request) addr(typ uint16, a netip.Addr) {
	var b [16]byte
	copy(b[:], a.AsSlice())
	r.bytes(typ, b[:]...)
}

// text appends a string, which the kernel expects with a terminating zero.
func (r *request) text(typ uint16, s string) {
	r.bytes(typ, append([]byte(s), 0)...)
}

func family(a netip.Addr) uint16 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// commands are the commands that carry out operations.
var commands = map[ipvsctl.OpKind]uint8{
	ipvsctl.AddService:        cmdNewService,
	ipvsctl.SetService:        cmdSetService,
	ipvsctl.DeleteService:     cmdDelService,
	ipvsctl.AddDestination:    cmdNewDest,
	ipvsctl.SetDestination:    cmdSetDest,
	ipvsctl.DeleteDestination: cmdDelDest,
}

// encode appends the body of the request that carries out op.
func encode(r request, op ipvsctl.Op) (request, error) {
	command, known := commands[op.Kind]
	if !known {
		return r, fmt.Errorf("unknown kind of operation: %v", op.Kind)
	}
	r.about(command, op.Service, op.Config)
	if command >= cmdNewDest {
		at := r.begin(attrDest | attrNested)
		r.destination(op)
		r.end(at)
	}
	return r, nil
}

// question is the body of a request that asks about one service.
func question(command uint8, key ipvsctl.ServiceKey) (r request) {
	r.about(command, key, ipvsctl.Service{})
	return r
}

// about begins a request about a service, which only the commands that write a
// service tell how it is to be.
func (r *request) about(command uint8, key ipvsctl.ServiceKey, config ipvsctl.Service) {
	r.command(command)
	at := r.begin(attrService | attrNested)
	r.serviceKey(key)
	if command == cmdNewService || command == cmdSetService {
		r.service(key, config)
	}
	r.end(at)
}

func (r *request) serviceKey(k ipvsctl.ServiceKey) {
	r.uint16(svcFamily, family(k.Addr))
	if k.Mark != 0 {
		r.uint32(svcMark, k.Mark)
		return
	}
	r.uint16(svcProtocol, uint16(k.Protocol))
	r.addr(svcAddr, k.Addr)
	r.port(svcPort, k.Port)
}

// service appends a service's whole configuration: the kernel refuses one
// without scheduler, flags, timeout or netmask.
func (r *request) service(k ipvsctl.ServiceKey, s ipvsctl.Service) {
	r.text(svcScheduler, s.Scheduler)
	at := r.begin(svcFlags)
	*r = binary.NativeEndian.AppendUint32(*r, uint32(s.Flags))
	*r = binary.NativeEndian.AppendUint32(*r, allFlags)
	r.end(at)
	r.uint32(svcTimeout, s.Timeout)
	r.netmask(k.Addr, s)
	if s.Engine != "" {
		r.text(svcEngine, s.Engine)
	}
}

// netmask appends a mask in network order for IPv4, and the length of the
// prefix for IPv6.
func (r *request) netmask(a netip.Addr, s ipvsctl.Service) {
	if !a.Is4() {
		r.uint32(svcNetmask, uint32(s.Netmask))
		return
	}
	mask := s.Mask
	if s.Netmask != ipvsctl.NotAPrefix {
		mask = allFlags << (32 - min(s.Netmask, 32))
	}
	r.bytes(svcNetmask, byte(mask>>24), byte(mask>>16), byte(mask>>8), byte(mask))
}

// destination always names the address family, because a destination reached by
// tunnel may have another one than its service.
func (r *request) destination(op ipvsctl.Op) {
	r.uint16(destFamily, family(op.Destination.Addr))
	r.addr(destAddr, op.Destination.Addr)
	r.port(destPort, op.Destination.Port)
	if op.Kind == ipvsctl.DeleteDestination {
		return
	}
	d := op.Dest
	r.uint32(destForward, uint32(d.Forward))
	r.uint32(destWeight, d.Weight)
	r.uint32(destUpper, d.Upper)
	r.uint32(destLower, d.Lower)
	r.bytes(destTunnelType, d.TunnelType)
	r.port(destTunnelPort, d.TunnelPort)
	r.uint16(destTunnelFlags, d.TunnelFlags)
}
