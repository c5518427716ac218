package rawip

import (
	"encoding/binary"
	"net/netip"

	"github.com/lvsd/lvsd/vrrp"
)

// The flags of a segment that tell how a connection begins, or that there is none.
const (
	SYN = 1 << 1
	RST = 1 << 2
	ACK = 1 << 4
)

const (
	// HeaderLen is the length of a header without options, in bytes.
	HeaderLen = 20
	// ChecksumAt is where a header has its checksum, in bytes from its begin.
	ChecksumAt = 16

	protocol = 6 // TCP's, of IP
)

// A Segment is what there is to know of one of TCP's (RFC 9293, section 3.1), without its data.
type Segment struct {
	From, To uint16 // ports
	Seq, Ack uint32
	Flags    byte
}

// Put writes the header of the segment to b, whose length is a multiple of four and HeaderLen
// at least. What is longer than that are options, which the caller writes; the checksum is
// left 0.
func (s Segment) Put(b []byte) {
	binary.BigEndian.PutUint16(b[0:], s.From)
	binary.BigEndian.PutUint16(b[2:], s.To)
	binary.BigEndian.PutUint32(b[4:], s.Seq)
	binary.BigEndian.PutUint32(b[8:], s.Ack)
	b[12] = byte(len(b) / 4 << 4)
	b[13] = s.Flags
	binary.BigEndian.PutUint16(b[14:], 64240) // the window, as Linux has it
}

// Seal fills in the checksum of a segment of an even number of bytes between two addresses
// of one family.
func Seal(segment []byte, from, to netip.Addr) {
	binary.BigEndian.PutUint16(segment[ChecksumAt:], vrrp.Checksum(segment, protocol, from, to))
}

// Read reads the header of a segment; ok is false where that is cut.
func Read(b []byte) (s Segment, ok bool) {
	if len(b) < HeaderLen {
		return s, false
	}
	return Segment{
		From:  binary.BigEndian.Uint16(b[0:]),
		To:    binary.BigEndian.Uint16(b[2:]),
		Seq:   binary.BigEndian.Uint32(b[4:]),
		Ack:   binary.BigEndian.Uint32(b[8:]),
		Flags: b[13],
	}, true
}
