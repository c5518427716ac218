package rawip

import (
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ReservePort returns a TCP socket of a family (unix.AF_INET or AF_INET6) that is bound to a
// port of its own, and neither listens nor connects: no connection of this machine can have
// the port, and the kernel answers what comes there by a reset.
func ReservePort(domain int) (fd int, port uint16, err error) {
	fd, err = unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, 0, os.NewSyscallError("socket", err)
	}
	any := unix.Sockaddr(&unix.SockaddrInet4{})
	if domain == unix.AF_INET6 {
		any = &unix.SockaddrInet6{}
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1))
	}
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(fd, any))
	}
	if err == nil {
		any, err = unix.Getsockname(fd)
	}
	if err != nil {
		unix.Close(fd)
		return -1, 0, err
	}
	switch bound := any.(type) {
	case *unix.SockaddrInet4:
		port = uint16(bound.Port)
	case *unix.SockaddrInet6:
		port = uint16(bound.Port)
	}
	return fd, port, nil
}

// Attach has a socket receive only what a filter lets in.
func Attach(fd int, program []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}))
}
