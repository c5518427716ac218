package probe

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// atOnce is how many segments are sent or read by one system call.
const atOnce = 64

// A header is the kernel's struct mmsghdr.
type header struct {
	unix.Msghdr
	size uint32
}

// outgoing are SYNs that are sent together.
type outgoing struct {
	n        int
	messages [atOnce]header
	vectors  [atOnce]unix.Iovec
	to       [atOnce]unix.RawSockaddrInet6 // or RawSockaddrInet4, which is shorter
	sources  [atOnce][]byte                // control messages that tell from which IPv4 address
	segments [atOnce][synSize]byte
}

// add adds a SYN to an address. from is where it is to come from; the zero Addr: the
// kernel says.
func (o *outgoing) add(segment [synSize]byte, from, to netip.Addr) {
	i := o.n
	o.n++
	m := &o.messages[i].Msghdr
	o.segments[i] = segment
	o.vectors[i].Base, m.Iov = &o.segments[i][0], &o.vectors[i]
	o.vectors[i].SetLen(synSize)
	m.SetIovlen(1)
	m.Name = (*byte)(unsafe.Pointer(&o.to[i]))
	if to.Is4() {
		*(*unix.RawSockaddrInet4)(unsafe.Pointer(&o.to[i])) = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.As4()}
		m.Namelen = unix.SizeofSockaddrInet4
	} else {
		o.to[i] = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.As16()}
		m.Namelen = unix.SizeofSockaddrInet6
	}
	if from.IsValid() {
		o.setSource(i, from.As4())
	}
}

// setSource says from which IPv4 address a SYN is to come.
func (o *outgoing) setSource(i int, from [4]byte) {
	if o.sources[i] == nil {
		o.sources[i] = unix.PktInfo4(&unix.Inet4Pktinfo{})
	}
	control := o.sources[i]
	info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
	info.Spec_dst = from
	o.messages[i].Control = &control[0]
	o.messages[i].SetControllen(len(control))
}

// send sends the SYNs from the first one on, and returns how many were sent. An error
// is that of the first.
func (o *outgoing) send(fd, first int) (n int, err error) {
	count, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&o.messages[first])), uintptr(o.n-first), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(count), nil
}

// incoming are answers that are read together.
type incoming struct {
	messages [atOnce]header
	vectors  [atOnce]unix.Iovec
	from     [atOnce]unix.RawSockaddrInet6
	packets  [atOnce][answerSize]byte
}

// read reads what has arrived, and returns how many packets that is.
func (in *incoming) read(fd int) (n int, err error) {
	for i := range in.messages {
		m := &in.messages[i].Msghdr
		in.vectors[i].Base, m.Iov = &in.packets[i][0], &in.vectors[i]
		in.vectors[i].SetLen(answerSize)
		m.SetIovlen(1)
		m.Name, m.Namelen = (*byte)(unsafe.Pointer(&in.from[i])), unix.SizeofSockaddrInet6
	}
	count, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&in.messages)), atOnce, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(count), nil
}

// at is one of the packets that were read, and where it came from.
func (in *incoming) at(i int) (packet []byte, from netip.Addr) {
	packet = in.packets[i][:min(in.messages[i].size, answerSize)]
	if in.from[i].Family == unix.AF_INET {
		return packet, netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&in.from[i])).Addr)
	}
	return packet, netip.AddrFrom16(in.from[i].Addr)
}
