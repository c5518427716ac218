package link

import (
	"cmp"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// renewedAtOnce is how many leases are renewed by one system call. Of so many errors
	// each finds room in the socket.
	renewedAtOnce = 100
	// ifaProto is IFA_PROTO of linux/if_addr.h, by which the kernel notes with an address who
	// has added it (Linux 5.18; an older one takes no notice). Every address of ours has
	// RouteProtocol, as routes and rules have.
	ifaProto = 11
	// answerSeconds is how long an answer is waited for. The kernel gives it while it is asked,
	// so a longer silence means that it was lost.
	answerSeconds = 5
)

// asking are the sockets of rtnetlink(7) by which the kernel is asked for something.
type asking struct {
	netlink  *netlink.Handle
	strict   *netlink.Handle // has the kernel pick out what is listed
	routes   paths           // by strict
	rules    paths           // by netlink: the library's list of rules is not strict
	requests *requests
	// renewals has one of its own: what the kernel tells of a renewal is no news.
	renewals *requests
}

func openAsking() (a asking, err error) {
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if a.netlink, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return a, err
	}
	if a.strict, err = strictHandle(); err != nil {
		return a, err
	}
	a.routes, a.rules = a.strict, a.netlink
	for _, h := range []*netlink.Handle{a.netlink, a.strict} {
		if err = h.SetSocketTimeout(answerSeconds * time.Second); err != nil {
			return a, err
		}
	}
	if a.requests, err = openRequests(); err != nil {
		return a, err
	}
	a.renewals, err = openRequests()
	return a, err
}

func (a *asking) close() {
	for _, h := range []*netlink.Handle{a.netlink, a.strict} {
		if h != nil {
			h.Close()
		}
	}
	for _, r := range []*requests{a.requests, a.renewals} {
		if r != nil {
			_ = unix.Close(r.fd)
		}
	}
}

// requests is a netlink socket by which addresses are added, and leases renewed, many by a
// system call. Measured with 1,000: 4 ms, instead of 60 one after the other. The library
// knows nothing of ifaProto.
type requests struct {
	fd       int
	port     uint32 // by which the kernel notes, with what it tells of, who has asked for it
	sequence uint32
	messages []byte
	answers  []byte
}

func openRequests() (*requests, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: answerSeconds}); err != nil {
		return nil, errors.Join(os.NewSyscallError("setsockopt", err), unix.Close(fd))
	}
	// The kernel chooses the port.
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	bound, err2 := unix.Getsockname(fd)
	address, _ := bound.(*unix.SockaddrNetlink)
	if err := errors.Join(err, err2); err != nil {
		return nil, errors.Join(os.NewSyscallError("bind", err), unix.Close(fd))
	}
	return &requests{fd: fd, port: address.Pid, answers: make([]byte, 8<<10)}, nil
}

// An assignment is an address as the kernel is asked for it.
type assignment struct {
	index            int // of the interface
	prefix           netip.Prefix
	peer             netip.Addr // invalid: none
	flags            uint32
	scope            uint8
	broadcast        netip.Addr // invalid: none
	label            string
	preferred, valid uint32 // its lifetimes, in seconds
}

// add adds an address; the error is EEXIST if it is there.
func (r *requests) add(a assignment) error {
	return r.one(unix.NLM_F_CREATE|unix.NLM_F_EXCL, a)
}

// replace adds an address, or begins the lease anew of one that is there.
func (r *requests) replace(a assignment) error {
	return r.one(unix.NLM_F_CREATE|unix.NLM_F_REPLACE, a)
}

func (r *requests) one(flags uint16, a assignment) error {
	refused, err := r.ask(1, flags, func(int) assignment { return a })
	if errno := refused[0]; errno != 0 {
		err = errno
	}
	return err
}

// renew asks for n addresses that are there, and returns which of them were refused.
func (r *requests) renew(n int, request func(i int) assignment) (refused map[int]unix.Errno, err error) {
	return r.ask(n, unix.NLM_F_REPLACE, request)
}

// ask asks for n addresses, and returns why some were refused.
func (r *requests) ask(n int, flags uint16, request func(i int) assignment) (map[int]unix.Errno, error) {
	first := r.sequence + 1
	r.messages = r.messages[:0]
	for i := range n {
		flags := flags | unix.NLM_F_REQUEST
		if i == n-1 {
			flags |= unix.NLM_F_ACK // The errors of the others come before.
		}
		r.sequence++
		r.messages = appendAddress(r.messages, flags, r.sequence, request(i))
	}
	refused := make(map[int]unix.Errno)
	return refused, r.exchange(func(m *syscall.NetlinkMessage) (done bool) {
		i := int(m.Header.Seq - first)
		if m.Header.Type != unix.NLMSG_ERROR || i >= n || len(m.Data) < 4 {
			return false
		}
		if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 {
			refused[i] = unix.Errno(-code)
		}
		return i == n-1
	})
}

// errCut is that an answer lacks a part.
var errCut = fault.New(fault.CutShort, errors.New("the kernel's answer is cut short"))

// exchange sends the messages, and reads answers until one is the last.
func (r *requests) exchange(last func(m *syscall.NetlinkMessage) bool) error {
	if _, err := unix.Write(r.fd, r.messages); err != nil {
		return os.NewSyscallError("sendmsg", err)
	}
	for {
		size, _, flags, _, err := unix.Recvmsg(r.fd, r.answers, nil, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOBUFS):
			r.drain()
			return os.NewSyscallError("recvmsg", err)
		case errors.Is(err, unix.EAGAIN):
			return fault.New(fault.NoAnswer, errors.New("the kernel has not answered in time"))
		case err != nil:
			return os.NewSyscallError("recvmsg", err)
		}
		all, err := syscall.ParseNetlinkMessage(r.answers[:size])
		if err != nil || flags&unix.MSG_TRUNC != 0 {
			return errCut
		}
		for i := range all {
			if last(&all[i]) {
				return nil
			}
		}
	}
}

// drain reads what is left of answers of which some found no room. As long as any is left,
// the kernel drops all that come, and the next exchange would wait for its own in vain.
func (r *requests) drain() {
	for {
		_, _, err := unix.Recvfrom(r.fd, r.answers, unix.MSG_DONTWAIT)
		if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOBUFS) {
			return
		}
	}
}

// An owned is an address of ours, and the index of its interface.
type owned struct {
	index int
	net   *net.IPNet
}

// own lists the addresses of ours.
func (r *requests) own() ([]owned, error) {
	return whole(func() (all []owned, err error) {
		r.sequence++
		r.messages = appendHeader(r.messages[:0], unix.RTM_GETADDR, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, r.sequence)
		r.messages = append(r.messages, make([]byte, unix.SizeofIfAddrmsg)...)
		binary.NativeEndian.PutUint32(r.messages, uint32(len(r.messages)))
		var interrupted, failed error
		err = r.exchange(func(m *syscall.NetlinkMessage) (done bool) {
			if m.Header.Seq != r.sequence {
				return false
			}
			if m.Header.Flags&unix.NLM_F_DUMP_INTR != 0 {
				interrupted = netlink.ErrDumpInterrupted
			}
			switch m.Header.Type {
			case unix.RTM_NEWADDR:
				o, ok, err := ownedOf(m)
				if ok {
					all = append(all, o)
				}
				failed = cmp.Or(failed, err)
			case unix.NLMSG_DONE, unix.NLMSG_ERROR:
				failed = cmp.Or(failed, refusalOf(m))
				return true
			}
			return false
		})
		return all, cmp.Or(err, failed, interrupted)
	})
}

// refusalOf is the error that the last message of a list tells of.
func refusalOf(m *syscall.NetlinkMessage) error {
	if len(m.Data) < 4 {
		return errCut
	}
	if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// ownedOf is the address that a message tells of, if it is one of ours.
func ownedOf(m *syscall.NetlinkMessage) (o owned, ok bool, err error) {
	if len(m.Data) < unix.SizeofIfAddrmsg {
		return o, false, errCut
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return o, false, errCut
	}
	var local, address net.IP
	for _, a := range attributes {
		switch a.Attr.Type {
		case unix.IFA_LOCAL:
			local = a.Value
		case unix.IFA_ADDRESS:
			address = a.Value
		case ifaProto:
			ok = len(a.Value) == 1 && a.Value[0] == RouteProtocol
		}
	}
	if local == nil { // IPv6, but for a peer's.
		local = address
	}
	o = owned{int(binary.NativeEndian.Uint32(m.Data[4:])), &net.IPNet{IP: local, Mask: net.CIDRMask(int(m.Data[1]), 8*len(local))}}
	return o, ok && local != nil, nil
}

// appendHeader appends a struct nlmsghdr of linux/netlink.h, without its length.
func appendHeader(b []byte, kind, flags uint16, sequence uint32) []byte {
	order := binary.NativeEndian
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, kind)
	b = order.AppendUint16(b, flags)
	b = order.AppendUint32(b, sequence)
	return order.AppendUint32(b, 0)
}

// appendAddress appends a request for an address: a header, struct ifaddrmsg of
// linux/if_addr.h, and its attributes.
func appendAddress(b []byte, flags uint16, sequence uint32, a assignment) []byte {
	start := len(b)
	order := binary.NativeEndian
	b = appendHeader(b, unix.RTM_NEWADDR, flags, sequence)
	family, ip := byte(unix.AF_INET6), a.prefix.Addr()
	if ip.Is4() {
		family = unix.AF_INET
	}
	b = append(b, family, byte(a.prefix.Bits()), byte(a.flags), a.scope)
	b = order.AppendUint32(b, uint32(a.index))
	b = appendIP(b, unix.IFA_LOCAL, ip)
	if a.peer.IsValid() {
		ip = a.peer
	}
	b = appendIP(b, unix.IFA_ADDRESS, ip)
	b = order.AppendUint32(appendAttribute(b, unix.IFA_FLAGS, 4), a.flags)
	b = append(appendAttribute(b, ifaProto, 1), RouteProtocol, 0, 0, 0)
	if a.broadcast.IsValid() {
		b = appendIP(b, unix.IFA_BROADCAST, a.broadcast)
	}
	if n := len(a.label) + 1; n > 1 {
		b = append(append(appendAttribute(b, unix.IFA_LABEL, n), a.label...), make([]byte, 1+-n&3)...)
	}
	b = order.AppendUint32(order.AppendUint32(appendAttribute(b, unix.IFA_CACHEINFO, 16), a.preferred), a.valid)
	b = append(b, make([]byte, 8)...) // when it was made and changed
	order.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

// appendAttribute begins an attribute whose value is that long, and is to be filled up to a
// multiple of four.
func appendAttribute(b []byte, kind uint16, length int) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+length))
	return binary.NativeEndian.AppendUint16(b, kind)
}

func appendIP(b []byte, kind uint16, ip netip.Addr) []byte {
	if ip.Is4() {
		four := ip.As4()
		return append(appendAttribute(b, kind, len(four)), four[:]...)
	}
	all := ip.As16()
	return append(appendAttribute(b, kind, len(all)), all[:]...)
}
