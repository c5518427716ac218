package cluster

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Flood sends VRRP packets to the group from a host, as an attacker or a
// machine gone mad would.
type Flood struct {
	// Sent is how many packets were sent, and For how long.
	Sent int
	For  time.Duration

	stop atomic.Bool
	done chan error
}

// StrangersAdvert is an advert for a virtual router that no director of the
// cluster has.
func StrangersAdvert() []byte {
	return []byte{0x31, 99, 200, 1, 0, 100, 0, 0, 10, 99, 0, 1}
}

// BrokenAdvert is an advert for the cluster's ordinary virtual router whose
// checksum is wrong.
func BrokenAdvert() []byte {
	return []byte{0x31, 51, 255, 1, 0, 100, 0xbb, 0xbb, 10, 13, 0, 200}
}

// StartFlood sends the packet from an interface of a host, so many times a second
// or as often as the machine can, until Stop.
func StartFlood(h *Host, iface string, perSecond int, packet []byte) (*Flood, error) {
	var fd int
	err := h.In(func() (err error) {
		i, err := net.InterfaceByName(iface)
		if err != nil {
			return err
		}
		const vrrp = 112
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, vrrp); err != nil {
			return err
		}
		return errors.Join(
			unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 255),
			unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(i.Index)}),
		)
	})
	if err != nil {
		return nil, fmt.Errorf("preparing a flood on %s of %s: %w", iface, h.Name, err)
	}
	f := &Flood{done: make(chan error, 1)}
	go func() {
		err := f.run(fd, perSecond, packet)
		f.done <- errors.Join(err, unix.Close(fd))
	}()
	return f, nil
}

func (f *Flood) run(fd, perSecond int, packet []byte) error {
	group := &unix.SockaddrInet4{Addr: [4]byte{224, 0, 0, 18}}
	begin := time.Now()
	for !f.stop.Load() {
		for due := int(time.Since(begin).Seconds() * float64(perSecond)); f.Sent < due && !f.stop.Load(); f.Sent++ {
			if err := unix.Sendto(fd, packet, 0, group); err != nil && !errors.Is(err, unix.ENOBUFS) {
				return fmt.Errorf("sending a flood: %w", err)
			}
		}
		pause := unix.NsecToTimespec(int64(500 * time.Microsecond))
		_ = unix.Nanosleep(&pause, nil)
	}
	f.For = time.Since(begin)
	return nil
}

// Stop ends the flood.
func (f *Flood) Stop() error {
	f.stop.Store(true)
	return <-f.done
}

// Pin lets the processes on the host run on one processor alone.
func (h *Host) Pin(processor int) error {
	pids, err := h.PIDs()
	if err != nil {
		return err
	}
	var set unix.CPUSet
	set.Set(processor)
	for _, pid := range pids {
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return fmt.Errorf("listing the threads of process %d: %w", pid, err)
		}
		for _, t := range threads {
			tid, _ := strconv.Atoi(t.Name())
			if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("pinning thread %d to processor %d: %w", tid, processor, err)
			}
		}
	}
	return nil
}
