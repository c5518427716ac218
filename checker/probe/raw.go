package probe

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/rawip"
)

// rawBuffer is the size of the buffers of a raw socket, in bytes. A packet to an
// address that nobody answers ARP for stays in the send buffer until the kernel gives
// up: with the default of 208 kB, about a hundred dead servers would keep all others
// from being asked.
const rawBuffer = 16 << 20

// openRaw opens a raw socket that receives only what a filter lets in. purpose is
// what it is for, in the words of an error.
func openRaw(domain, protocol int, filter []bpf.RawInstruction, purpose string) (int, error) {
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if errors.Is(err, unix.EPERM) {
		return -1, fmt.Errorf("opening a raw socket for %s: %w (this director needs CAP_NET_RAW)", purpose, err)
	}
	if err != nil {
		return -1, fmt.Errorf("opening a raw socket for %s: %w", purpose, err)
	}
	if err := errors.Join(rawip.Attach(fd, filter), enlarge(fd)); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("configuring the raw socket for %s: %w", purpose, err)
	}
	return fd, nil
}

// enlarge sets the sizes of a socket's buffers. Without CAP_NET_ADMIN the system's
// maximum bounds them.
func enlarge(fd int) error {
	for force, plain := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, rawBuffer) != nil {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, rawBuffer); err != nil {
				return err
			}
		}
	}
	return nil
}
