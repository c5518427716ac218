package cluster

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Adverts are the VRRP adverts over IPv4 that arrive at a host. The kernel
// keeps them with their time stamps until they are asked for, so that nobody's
// processor time is needed meanwhile.
type Adverts struct{ fd int }

// ListenAdverts begins to listen on one of the host's interfaces.
func ListenAdverts(h *Host, iface string) (*Adverts, error) {
	a := &Adverts{fd: -1}
	err := h.In(func() (err error) {
		i, err := net.InterfaceByName(iface)
		if err != nil {
			return err
		}
		const protocol = unix.ETH_P_IP>>8 | unix.ETH_P_IP&0xff<<8 // in network order
		if a.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		return errors.Join(
			unix.SetsockoptInt(a.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20),
			unix.SetsockoptInt(a.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
			unix.Bind(a.fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: i.Index}),
		)
	})
	if err != nil {
		a.Close()
		return nil, fmt.Errorf("listening to the adverts at %s of %s: %w", iface, h.Name, err)
	}
	return a, nil
}

// Times returns when the adverts arrived since the last call.
func (a *Adverts) Times() (times []time.Time, err error) {
	const protocol, vrrp = 9, 112
	packet, control := make([]byte, 128), make([]byte, 64)
	for {
		n, controls, _, _, err := unix.Recvmsg(a.fd, packet, control, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			return times, nil
		}
		if err != nil {
			return times, fmt.Errorf("reading the adverts: %w", err)
		}
		if at, ok := timestamp(control[:controls]); ok && n > protocol && packet[protocol] == vrrp {
			times = append(times, at)
		}
	}
}

// Close stops listening.
func (a *Adverts) Close() {
	if a.fd >= 0 {
		_ = unix.Close(a.fd)
	}
}

// Lateness is, for each advert after the first, by how much it came later than
// an interval after the one before; what came early is 0. The time in which the
// machine stood still is not counted.
func Lateness(times []time.Time, interval time.Duration, s *Stalls) (late []time.Duration) {
	for i := 1; i < len(times); i++ {
		extra := times[i].Sub(times[i-1]) - interval
		if extra > 0 {
			extra -= s.Between(times[i-1], times[i])
		}
		late = append(late, max(0, extra))
	}
	return late
}

// Burn starts processes on the host that do nothing but use their processor,
// as long as they can get it. They end with the host.
func (h *Host) Burn(processes int) error {
	for i := range processes {
		if _, err := h.Start(fmt.Sprintf("burner%d", i), "sh", "-c", "while :; do :; done"); err != nil {
			return err
		}
	}
	return nil
}
