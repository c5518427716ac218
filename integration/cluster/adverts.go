package cluster

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Adverts are the VRRP adverts over IPv4 that arrive at a host.
type Adverts struct{ *Capture }

// ListenAdverts begins to listen on one of the host's interfaces.
func ListenAdverts(h *Host, iface string) (Adverts, error) {
	c, err := StartCapture(h, iface, unix.ETH_P_IP)
	return Adverts{c}, err
}

// Times returns when the adverts arrived since the last call.
func (a Adverts) Times() (times []time.Time, err error) {
	err = a.Each(func(at time.Time, packet []byte) {
		if _, ok := VRID(packet); ok {
			times = append(times, at)
		}
	})
	return times, err
}

// VRID is the virtual router of an advert over IPv4, if the packet is one.
func VRID(packet []byte) (id byte, ok bool) {
	const protocol, vrrp, version = 9, 112, 4
	if len(packet) == 0 || packet[0]>>4 != version {
		return 0, false
	}
	header := int(packet[0]&0xf) * 4
	if len(packet) < header+2 || header <= protocol || packet[protocol] != vrrp {
		return 0, false
	}
	return packet[header+1], true
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
// as long as they can get it, but not before those in real time, whatever this one is. They
// end with the host.
func (h *Host) Burn(processes int) error {
	for i := range processes {
		if _, err := h.Start(fmt.Sprintf("burner%d", i), "chrt", "--other", "0", "sh", "-c", "while :; do :; done"); err != nil {
			return err
		}
	}
	return nil
}
