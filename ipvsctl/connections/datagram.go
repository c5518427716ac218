package connections

import (
	"encoding/binary"
	"net/netip"

	"github.com/lvsd/lvsd/ipvsctl"
)

// The protocol of the kernel's sync daemons, version 1, and what it says of a connection
// (linux/net/netfilter/ipvs/ip_vs_sync.c). All numbers are in network order.
const (
	headLength = 8 // struct ip_vs_sync_mesg
	version    = 1

	// A connection's flags (IP_VS_CONN_F_* in linux/ip_vs.h), of which the first bits are
	// the forwarding method.
	inactive     = 0x100 // no connection that is established
	templateFlag = 0x1000

	optionData = 2 // IPVS_OPT_PE_DATA
	optionName = 3 // IPVS_OPT_PE_NAME

	mostConnections = 255 // in one datagram
	longestOption   = 255
)

// states are the numbers of those states that are told of, by protocol: not of connections
// that are being opened, nor of those that are over (IP_VS_TCP_S_*, IP_VS_SCTP_S_*).
var states = map[ipvsctl.Protocol]map[string]uint16{
	ipvsctl.TCP:  {"ESTABLISHED": 1, "FIN_WAIT": 4, "CLOSE_WAIT": 7, "LAST_ACK": 8},
	ipvsctl.UDP:  {"UDP": 0},
	ipvsctl.SCTP: {"ESTABLISHED": 8},
}

// A datagram is one message of the protocol under construction.
type datagram struct {
	b     []byte
	count int
	id    uint8
	room  int // how long it may be, in bytes
}

// newDatagram returns an empty one.
func newDatagram(id uint8, room int) *datagram {
	return &datagram{b: make([]byte, headLength, room), id: id, room: room}
}

// clear makes it empty again.
func (d *datagram) clear() { d.b, d.count = d.b[:headLength], 0 }

// add adds a connection, and reports whether there was room for it. What is not told of is
// taken for added.
func (d *datagram) add(c *Connection, w way) bool {
	state, told := states[c.Protocol][string(c.State)]
	flags := uint32(w.forward)
	switch {
	case c.template():
		flags |= templateFlag
		if state = 0; string(c.State) == "ASSURED" {
			state = 1 // IP_VS_CTPL_S_ASSURED
		}
	case !told:
		return true
	case c.Protocol == ipvsctl.UDP || string(c.State) != "ESTABLISHED":
		flags |= inactive
	}
	before := len(d.b)
	for len(d.b)%4 != 0 {
		d.b = append(d.b, 0)
	}
	d.append(c, w, flags, state)
	if len(d.b) > d.room || d.count == mostConnections {
		d.b = d.b[:before]
		return d.count == 0 // One that is too long for any datagram is left out.
	}
	d.count++
	return true
}

// append appends struct ip_vs_sync_v4 or ip_vs_sync_v6, with options.
func (d *datagram) append(c *Connection, w way, flags uint32, state uint16) {
	at := len(d.b)
	family := byte(0)
	if c.Client.Addr().Is6() {
		family = 1 // STYPE_F_INET6
	}
	d.b = append(d.b, family, byte(c.Protocol), 0, 0)
	d.b = binary.BigEndian.AppendUint32(d.b, flags)
	for _, n := range []uint16{state, c.Client.Port(), c.Virtual.Port(), c.Server.Port()} {
		d.b = binary.BigEndian.AppendUint16(d.b, n)
	}
	d.b = binary.BigEndian.AppendUint32(d.b, w.mark)
	d.b = binary.BigEndian.AppendUint32(d.b, max(c.Expires, 1))
	d.address(c.Client.Addr())
	d.address(c.Virtual.Addr())
	d.address(c.Server.Addr())
	if n := len(c.Data); n > 0 && n <= longestOption && len(c.Engine) <= longestOption {
		d.b = append(append(d.b, optionData, byte(n)), c.Data...)
		d.b = append(append(d.b, optionName, byte(len(c.Engine))), c.Engine...)
	}
	binary.BigEndian.PutUint16(d.b[at+2:], uint16(len(d.b)-at))
}

func (d *datagram) address(a netip.Addr) {
	if a.Is4() {
		b := a.As4()
		d.b = append(d.b, b[:]...)
		return
	}
	b := a.As16()
	d.b = append(d.b, b[:]...)
}

// bytes returns the datagram as it is sent; nil: it is empty.
func (d *datagram) bytes() []byte {
	if d.count == 0 {
		return nil
	}
	d.b[0], d.b[1] = 0, d.id
	binary.BigEndian.PutUint16(d.b[2:], uint16(len(d.b)))
	d.b[4], d.b[5], d.b[6], d.b[7] = byte(d.count), version, 0, 0
	return d.b
}
