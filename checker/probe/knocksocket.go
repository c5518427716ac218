package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/rawip"
)

// A knockSocket is an open raw TCP socket, in the runtime's poller, with a port that
// nobody else has.
type knockSocket struct {
	file *os.File
	raw  syscall.RawConn
	port uint16
	// reserved keeps the port from others.
	reserved int

	out outgoing
	in  incoming
}

// openKnocks opens a socket for the SYNs of a family.
func openKnocks(f tcpFamily) (*knockSocket, error) {
	reserved, port, err := rawip.ReservePort(f.domain)
	if err != nil {
		return nil, fmt.Errorf("reserving a port for TCP checks: %w", err)
	}
	s := &knockSocket{port: port, reserved: reserved}
	if err := s.open(f); err != nil {
		unix.Close(reserved)
		return nil, err
	}
	return s, nil
}

func (s *knockSocket) open(f tcpFamily) error {
	filter, err := f.filter(s.port)
	if err != nil {
		return err
	}
	fd, err := openRaw(f.domain, unix.IPPROTO_TCP, filter, "TCP checks")
	if err != nil {
		return err
	}
	if f.hasHeader {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1)
	} else {
		err = errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1),
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_CHECKSUM, rawip.ChecksumAt))
	}
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("configuring the raw socket for TCP checks: %w", err)
	}
	s.file = os.NewFile(uintptr(fd), "tcp")
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
	}
	return err
}

// close ends whoever reads from the socket.
func (s *knockSocket) close() {
	s.file.Close()
	unix.Close(s.reserved)
}

// send sends what is in out, and calls failed for each SYN that could not be sent.
//
// An ICMP error about any SYN of the socket is also the error of the next system call,
// whomever that is about. So only the second error of one SYN is its own.
func (s *knockSocket) send(failed func(i int)) error {
	return s.raw.Control(func(fd uintptr) {
		errors := 0
		for first := 0; first < s.out.n; {
			n, err := s.out.send(int(fd), first)
			if err == nil {
				first, errors = first+n, 0
				continue
			}
			if errors++; errors == 2 {
				failed(first)
				first, errors = first+1, 0
			}
		}
	})
}

// serve waits for answers, and calls arrived with their number while there are some in
// in; with zero where there may be an ICMP error. It returns at the deadline, or where
// the socket fails.
func (s *knockSocket) serve(arrived func(n int)) error {
	var failed error
	waited := s.raw.Read(func(fd uintptr) (done bool) {
		failed = s.drain(int(fd), arrived)
		return failed != nil
	})
	return errors.Join(waited, failed)
}

// drain reads all that has arrived. The poller tells when there is more.
func (s *knockSocket) drain(fd int, arrived func(n int)) error {
	for {
		n, err := s.in.read(fd)
		switch {
		case err == nil:
			arrived(n)
			if n < atOnce {
				return nil
			}
		case err == unix.EAGAIN:
			return nil
		case err == unix.EINTR:
		case isRejection(err):
			arrived(0)
		default:
			return err
		}
	}
}

// isRejection reports whether an error of the socket is one that ICMP has told.
func isRejection(err error) bool {
	switch err {
	case unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ECONNREFUSED, unix.EACCES, unix.EPROTO, unix.EMSGSIZE,
		unix.ENOPROTOOPT, unix.EHOSTDOWN, unix.ENONET, unix.EOPNOTSUPP:
		return true
	}
	return false
}

// look is drain without waiting.
func (s *knockSocket) look(arrived func(n int)) error {
	var failed error
	err := s.raw.Control(func(fd uintptr) { failed = s.drain(int(fd), arrived) })
	return errors.Join(err, failed)
}

// A rejection is an ICMP error about a SYN.
type rejection struct {
	to    netip.AddrPort
	from  uint16 // the port
	seq   uint32
	errno syscall.Errno
}

// rejections reads the ICMP errors that have come.
func (s *knockSocket) rejections() (all []rejection) {
	_ = s.raw.Control(func(fd uintptr) {
		var packet, control [256]byte
		for {
			n, m, _, from, err := unix.Recvmsg(int(fd), packet[:], control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return
			}
			if r, ok := decodeRejection(packet[:n], control[:m], from); ok {
				all = append(all, r)
			}
		}
	})
	return all
}

// decodeRejection reads a message of the error queue; ok is false where it tells nothing
// of a SYN's end, as that it was too long.
func decodeRejection(packet, control []byte, to unix.Sockaddr) (r rejection, ok bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return r, false
	}
	from, port, seq, ok := quoted(packet)
	if !ok {
		return r, false
	}
	switch to := to.(type) {
	case *unix.SockaddrInet4:
		r.to = netip.AddrPortFrom(netip.AddrFrom4(to.Addr), port)
	case *unix.SockaddrInet6:
		r.to = netip.AddrPortFrom(netip.AddrFrom16(to.Addr), port)
	}
	r.from, r.seq = from, seq
	for _, m := range messages {
		isError := m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_RECVERR || m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if !isError || len(m.Data) < int(unsafe.Sizeof(unix.SockExtendedErr{})) {
			continue
		}
		e := (*unix.SockExtendedErr)(unsafe.Pointer(&m.Data[0]))
		if e.Origin == unix.SO_EE_ORIGIN_ICMP || e.Origin == unix.SO_EE_ORIGIN_ICMP6 {
			r.errno = syscall.Errno(e.Errno)
		}
	}
	return r, r.errno != 0 && r.errno != unix.EMSGSIZE
}

// wakeAt makes serve return at a time; zero: never.
func (s *knockSocket) wakeAt(at time.Time) { _ = s.file.SetReadDeadline(at) }
