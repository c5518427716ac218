package link

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/sys/unix"
)

var (
	broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	// allNodesMAC is where Ethernet carries allNodes (RFC 2464 section 7).
	allNodesMAC = net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}
	allNodes    = netip.AddrFrom16([16]byte{0xff, 0x02, 15: 1})
)

// The two forms of gratuitous ARP. RFC 5227 section 3 wants the request, and some
// machines learn only from replies.
const (
	arpRequest = 1
	arpReply   = 2
)

// gratuitousARP is a packet of ARP for an address by its holder (RFC 826, RFC
// 5227 section 3), in the form that most peers send.
func gratuitousARP(operation uint16, mac net.HardwareAddr, ip netip.Addr) []byte {
	const ethernet = 1
	target := broadcast
	if operation == arpReply {
		target = mac // RFC 5944 section 4.6
	}
	b := ethernetHeader(broadcast, mac, unix.ETH_P_ARP)
	b = binary.BigEndian.AppendUint16(b, ethernet)
	b = binary.BigEndian.AppendUint16(b, unix.ETH_P_IP)
	b = append(b, 6, 4)
	b = binary.BigEndian.AppendUint16(b, operation)
	b = slices.Concat(b, mac, ip.AsSlice(), target, ip.AsSlice())
	return append(b, make([]byte, 60-len(b))...) // Ethernet's minimum
}

// Of neighbour discovery (RFC 4861 sections 4.3, 4.4 and 4.6.1): two of its types, and
// that of the option with the MAC.
const (
	neighbourSolicitation  = 135
	neighbourAdvertisement = 136
	targetLinkLayer        = 2
)

// unsolicitedNA is a neighbour advertisement to all nodes (RFC 4861 section
// 4.4) with the flags of RFC 9568 section 6.4.2: Router and Override, not
// Solicited.
func unsolicitedNA(mac net.HardwareAddr, ip netip.Addr) []byte {
	const router, override = 0x80, 0x20
	icmp := slices.Concat(
		[]byte{neighbourAdvertisement, 0, 0, 0, router | override, 0, 0, 0}, ip.AsSlice(),
		[]byte{targetLinkLayer, 1}, mac)
	binary.BigEndian.PutUint16(icmp[2:], vrrp.Checksum(icmp, unix.IPPROTO_ICMPV6, ip, allNodes))
	return frame6(allNodesMAC, mac, ip, allNodes, icmp)
}

// frame6 is an Ethernet frame with a packet of ICMPv6, as neighbour discovery sends
// it.
func frame6(to, from net.HardwareAddr, src, dst netip.Addr, icmp []byte) []byte {
	b := ethernetHeader(to, from, unix.ETH_P_IPV6)
	b = append(b, 6<<4, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(icmp)))
	b = append(b, unix.IPPROTO_ICMPV6, 255)
	return slices.Concat(b, src.AsSlice(), dst.AsSlice(), icmp)
}

func ethernetHeader(to, from net.HardwareAddr, etherType uint16) []byte {
	return binary.BigEndian.AppendUint16(slices.Concat(to, from), etherType)
}

// arpProbe is an ARP request that tells nobody of an address: "sender IP address
// [...] set to all zeroes" (RFC 5227 section 2.1.1).
func arpProbe(mac net.HardwareAddr, ip netip.Addr) []byte {
	b := gratuitousARP(arpRequest, mac, ip)
	clear(b[28:32]) // sender IP address
	clear(b[32:38]) // target hardware address
	return b
}

// dadSolicitation is the neighbour solicitation of duplicate address detection,
// from the unspecified address (RFC 4862 section 5.4.2).
func dadSolicitation(mac net.HardwareAddr, ip netip.Addr) []byte {
	group := solicitedNode(ip)
	icmp := slices.Concat([]byte{neighbourSolicitation, 0, 0, 0, 0, 0, 0, 0}, ip.AsSlice())
	binary.BigEndian.PutUint16(icmp[2:], vrrp.Checksum(icmp, unix.IPPROTO_ICMPV6, netip.IPv6Unspecified(), group))
	return frame6(solicitedMAC(ip), mac, netip.IPv6Unspecified(), group, icmp)
}

// solicitedNode is the multicast group of all that may have an address (RFC 4291
// section 2.7.1), and solicitedMAC where Ethernet carries it.
func solicitedNode(ip netip.Addr) netip.Addr {
	a := ip.As16()
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 13: a[13], 14: a[14], 15: a[15]})
}

func solicitedMAC(ip netip.Addr) net.HardwareAddr {
	a := ip.As16()
	return net.HardwareAddr{0x33, 0x33, 0xff, a[13], a[14], a[15]}
}
