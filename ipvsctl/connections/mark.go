package connections

import "encoding/binary"

// A mark is said at the beginning and at the end of a round, so that whoever listens knows
// when he has heard a whole one. It is a message of the sync daemons' protocol without a
// connection, of which a kernel takes nothing:
//
//	0  the head of a message, whose length is that of all
//	8  "lvsd", 1 at the beginning or 2 at the end, three bytes that are 0
//	16 a number of the round, which no other has
type mark struct {
	round uint64
	ends  bool
}

const (
	markLength = headLength + 16
	markName   = "lvsd"
)

// bytes returns the mark as a message to those who listen for an id.
func (m mark) bytes(id uint8) []byte {
	b := make([]byte, headLength, markLength)
	b[1], b[3], b[5] = id, markLength, version
	b = append(b, markName...)
	b = append(b, 1, 0, 0, 0)
	if m.ends {
		b[headLength+4] = 2
	}
	return binary.BigEndian.AppendUint64(b, m.round)
}

// parseMark reads a message that may be one. As for kernels, an id of 0 listens for anybody.
func parseMark(b []byte, id uint8) (m mark, ok bool) {
	if len(b) != markLength || id != 0 && b[1] != id {
		return m, false
	}
	m = mark{binary.BigEndian.Uint64(b[headLength+8:]), b[headLength+4] == 2}
	return m, string(m.bytes(b[1])) == string(b)
}
