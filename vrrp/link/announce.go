package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// announceWithin bounds how long an interface whose queue is full may hold up
// the announcements on others.
const announceWithin = 100 * time.Millisecond

// Announce sends gratuitous ARP (a request and a reply) or an unsolicited neighbour advertisement
// for every address (RFC 9568 sections 8.1.2 and 8.2.2). Interfaces that know
// neither are left out.
func (l *Link) Announce(h vrrp.Holdings) error {
	return l.each(h, "announcing %s on %s: %w", func(d *device, a vrrp.InterfaceAddress) error {
		if d == nil || d.noARP || len(d.mac) != 6 {
			return nil
		}
		return l.announce(d, a.Prefix.Addr())
	})
}

func (l *Link) announce(d *device, ip netip.Addr) error {
	l.connsMu.Lock()
	defer l.connsMu.Unlock()
	err := l.write(d, ip)
	if errors.Is(err, unix.ENETDOWN) { // A socket reports once that its interface has been down.
		err = l.write(d, ip)
	}
	return err
}

func (l *Link) write(d *device, ip netip.Addr) error {
	c, err := l.conn(d)
	if err != nil {
		return err
	}
	to, frames := allNodesMAC, [][]byte{unsolicitedNA(d.mac, ip)}
	if ip.Is4() {
		to, frames = broadcast, [][]byte{gratuitousARP(arpRequest, d.mac, ip), gratuitousARP(arpReply, d.mac, ip)}
	}
	_ = c.SetWriteDeadline(time.Now().Add(announceWithin))
	for _, frame := range frames {
		if _, err := c.WriteTo(frame, &packet.Addr{HardwareAddr: to}); err != nil {
			delete(l.conns, d.index) // The next one tries with a new socket.
			return errors.Join(err, c.Close())
		}
	}
	return nil
}

func (l *Link) conn(d *device) (*packet.Conn, error) {
	if c := l.conns[d.index]; c != nil {
		return c, nil
	}
	// Nothing is ever read from it, so nothing must pile up in it.
	none := []bpf.RawInstruction{{Op: unix.BPF_RET | unix.BPF_K}}
	ifi := &net.Interface{Index: d.index, Name: d.name, HardwareAddr: d.mac}
	c, err := packet.Listen(ifi, packet.Raw, 0, &packet.Config{Filter: none})
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	l.conns[d.index] = c
	return c, nil
}

// keepConns closes the sockets of all other interfaces.
func (l *Link) keepConns(devices map[string]*device) {
	l.connsMu.Lock()
	defer l.connsMu.Unlock()
	indexes := make(map[int]bool, len(devices))
	for _, d := range devices {
		indexes[d.index] = true
	}
	for index, c := range l.conns {
		if !indexes[index] {
			_ = c.Close()
			delete(l.conns, index)
		}
	}
}
