package cluster

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// A Capture is the packets of one protocol that arrive at an interface, and not those that
// leave by it. The kernel keeps them with their time stamps until they are asked for, so that
// nobody's processor time is needed meanwhile.
type Capture struct{ fd int }

// StartCapture begins to keep the packets of a protocol, one of ETH_P_*, that arrive at one
// of the host's interfaces.
func StartCapture(h *Host, iface string, protocol uint16) (*Capture, error) {
	c := &Capture{fd: -1}
	err := h.In(func() (err error) {
		i, err := net.InterfaceByName(iface)
		if err != nil {
			return err
		}
		if c.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		return errors.Join(
			unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
			unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
			unix.Bind(c.fd, &unix.SockaddrLinklayer{Protocol: protocol>>8 | protocol<<8, Ifindex: i.Index}),
		)
	})
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("capturing at %s of %s: %w", iface, h.Name, err)
	}
	return c, nil
}

// Each calls f with each packet that has arrived since the last call, without its link-layer
// header, and no longer than 128 bytes. The packet is only valid in the call.
func (c *Capture) Each(f func(at time.Time, packet []byte)) error {
	packet, control := make([]byte, 128), make([]byte, 64)
	for {
		n, controls, _, _, err := unix.Recvmsg(c.fd, packet, control, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading captured packets: %w", err)
		}
		if at, ok := timestamp(control[:controls]); ok {
			f(at, packet[:n])
		}
	}
}

// Close stops the capture.
func (c *Capture) Close() {
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
	}
}
