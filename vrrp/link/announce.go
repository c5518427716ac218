package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

var (
	broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	// allNodesMAC is where Ethernet carries allNodes (RFC 2464 section 7).
	allNodesMAC = net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}
	allNodes    = netip.AddrFrom16([16]byte{0xff, 0x02, 15: 1})
)

// announceWithin bounds how long an interface whose queue is full may hold up
// the announcements on others.
const announceWithin = 100 * time.Millisecond

// Announce sends a gratuitous ARP or an unsolicited neighbour advertisement
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
	c, err := l.conn(d)
	if err != nil {
		return err
	}
	to, frame := allNodesMAC, unsolicitedNA
	if ip.Is4() {
		to, frame = broadcast, gratuitousARP
	}
	_ = c.SetWriteDeadline(time.Now().Add(announceWithin))
	if _, err := c.WriteTo(frame(d.mac, ip), &packet.Addr{HardwareAddr: to}); err != nil {
		delete(l.conns, d.index) // The next one tries with a new socket.
		return errors.Join(err, c.Close())
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

// gratuitousARP is an ARP request for an address by its holder (RFC 826, RFC
// 5227 section 3), in the form that most peers send.
func gratuitousARP(mac net.HardwareAddr, ip netip.Addr) []byte {
	const ethernet, request = 1, 1
	b := ethernetHeader(broadcast, mac, unix.ETH_P_ARP)
	b = binary.BigEndian.AppendUint16(b, ethernet)
	b = binary.BigEndian.AppendUint16(b, unix.ETH_P_IP)
	b = append(b, 6, 4)
	b = binary.BigEndian.AppendUint16(b, request)
	b = slices.Concat(b, mac, ip.AsSlice(), broadcast, ip.AsSlice())
	return append(b, make([]byte, 60-len(b))...) // Ethernet's minimum
}

// unsolicitedNA is a neighbour advertisement to all nodes (RFC 4861 section
// 4.4) with the flags of RFC 9568 section 6.4.2: Router and Override, not
// Solicited.
func unsolicitedNA(mac net.HardwareAddr, ip netip.Addr) []byte {
	const advertisement, router, override, targetLinkLayer = 136, 0x80, 0x20, 2
	icmp := slices.Concat(
		[]byte{advertisement, 0, 0, 0, router | override, 0, 0, 0}, ip.AsSlice(),
		[]byte{targetLinkLayer, 1}, mac)
	binary.BigEndian.PutUint16(icmp[2:], vrrp.Checksum(icmp, unix.IPPROTO_ICMPV6, ip, allNodes))

	b := ethernetHeader(allNodesMAC, mac, unix.ETH_P_IPV6)
	b = append(b, 6<<4, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(icmp)))
	b = append(b, unix.IPPROTO_ICMPV6, 255)
	return slices.Concat(b, ip.AsSlice(), allNodes.AsSlice(), icmp)
}

func ethernetHeader(to, from net.HardwareAddr, etherType uint16) []byte {
	return binary.BigEndian.AppendUint16(slices.Concat(to, from), etherType)
}
