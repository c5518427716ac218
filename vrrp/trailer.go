package vrrp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/netip"
	"slices"
	"time"
)

// An advert may have a trailer that tells who has signed it, and when. It is that of
// keepalived 2.4.2 and later (draft-cassen-vrrp-auth-hmac), and follows the packet:
// the IP packet's length includes it, VRRP's checksum does not.
//
//	 0                   1                   2                   3
//	+---------------+---------------+-------------------------------+
//	|    type (1)   |    key id     |         reserved (0)          |
//	+---------------+---------------+-------------------------------+
//	|              seconds since 1970, UTC: the sequence            |
//	+-------------------------------+-------------------------------+
//	|  2^-16 fractions of a second  |            counter            |
//	+-------------------------------+-------------------------------+
//	|             the first 16 bytes of HMAC-SHA-256                |
//
// The HMAC is over a header of 20 bytes (the family 4 or 6, the version, the virtual
// router id, 0, and the source address, padded with zeros), the packet with a
// checksum of 0, the trailer up to the HMAC, and 16 zeros in its place.
const (
	tagLen     = 16
	tagAt      = trailerLen - tagLen
	typeSHA256 = 1
	checksumAt = 6
)

// A Sequence puts what one sender signs in order. It is the time of signing: seconds,
// which wrap in 2106, in the upper 32 bits, the fraction in the next 16, and a counter.
type Sequence uint64

func sequenceAt(t time.Time) Sequence {
	return Sequence(uint32(t.Unix()))<<32 | Sequence(t.Nanosecond())<<16/1e9<<16
}

// after compares by RFC 1982, so that the order survives the wrap.
func (s Sequence) after(other Sequence) bool { return int64(s-other) > 0 }

// age is how long ago it was, in whole seconds; negative: it is still to come.
func (s Sequence) age(now time.Time) time.Duration {
	return time.Duration(int32(uint32(now.Unix())-uint32(s>>32))) * time.Second
}

// outside reports whether it is further from now than a window, if there is one.
func (s Sequence) outside(window time.Duration, now time.Time) bool {
	return window > 0 && s.age(now).Abs() > window
}

// next is the sequence of what is signed after this one: the time, or one more where
// the clock stands or was set back. Receivers with a window would refuse that once the
// clock was set back by more, and so the sequence begins anew then.
func (s Sequence) next(window time.Duration, now time.Time) Sequence {
	clock := sequenceAt(now)
	if s == 0 || clock.after(s) || s.outside(window, now) {
		return clock
	}
	return s + 1
}

// Add returns the sequence of a time later, in seconds that are begun.
func (s Sequence) Add(d time.Duration) Sequence {
	return s + Sequence((d+time.Second-1)/time.Second)<<32
}

// Before reports whether it is before another one.
func (s Sequence) Before(other Sequence) bool { return other != 0 && other.after(s) }

// latest returns the later one of two sequences, of which zero is none.
func latest(a, b Sequence) Sequence {
	if a == 0 || b != 0 && b.after(a) {
		return b
	}
	return a
}

// A mark is the last sequence of a sender.
type mark struct {
	sender netip.Addr
	last   Sequence
}

// maxMarks bounds the senders that are remembered where no peers are configured; the
// one that was heard longest ago makes room.
const maxMarks = 16

// Marks are the last sequences of all senders, the one that was heard last first.
type marks []mark

// advance notes a sequence that was proved, and reports whether the sender had sent
// none as late. A mark outside of the window keeps out only what the window does, and
// would keep out a sender whose clock was set back.
func (m *marks) advance(sender netip.Addr, seq Sequence, limit int, window time.Duration, now time.Time) bool {
	i := slices.IndexFunc(*m, func(o mark) bool { return o.sender == sender })
	if i >= 0 {
		if was := (*m)[i].last; !seq.after(was) && !was.outside(window, now) {
			return false
		}
		*m = slices.Delete(*m, i, i+1)
	}
	*m = slices.Insert((*m)[:min(len(*m), limit-1)], 0, mark{sender, seq})
	return true
}

// A signer computes what one key makes of a packet.
type signer struct {
	id      uint8
	hash    hash.Hash
	scratch [64]byte // what the hash is given and returns
}

// Seals are a router's keys as it uses them, and what it knows of sequences.
type seals struct {
	signers []*signer
	sent    Sequence
	age     time.Duration // of the last advert that told when it was signed
	marks   marks
}

// use takes the keys of a configuration. What is known of sequences stays.
func (s *seals) use(a *Authentication) {
	s.signers = nil
	for _, k := range a.Keys {
		s.signers = append(s.signers, &signer{id: k.ID, hash: hmac.New(sha256.New, []byte(k.Secret.Reveal()))})
	}
}

// key returns what signs with a key; nil: there is no such key.
func (s *seals) key(id uint8) *signer {
	for _, k := range s.signers {
		if k.id == id {
			return k
		}
	}
	return nil
}

// tag computes the HMAC of a packet whose trailer ends before it. It is overwritten
// by the next call.
func (s *signer) tag(packet []byte, src netip.Addr) []byte {
	header := s.scratch[:20]
	clear(s.scratch[:])
	header[0] = 4
	if src.Is6() {
		header[0] = 6
	}
	header[1], header[2] = packet[0]>>4, packet[1]
	copy(header[4:], src.AsSlice())
	zeros := s.scratch[20:][:tagLen]
	s.hash.Reset()
	s.hash.Write(header)
	s.hash.Write(packet[:checksumAt])
	s.hash.Write(zeros[:2])
	s.hash.Write(packet[checksumAt+2:])
	s.hash.Write(zeros)
	return s.hash.Sum(s.scratch[:0])[:tagLen]
}

// sign appends the trailer to a packet, which is all of b.
func (s *seals) sign(b []byte, id uint8, seq Sequence, src netip.Addr) []byte {
	b = append(b, typeSHA256, id, 0, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	key := s.key(id)
	if key == nil {
		return append(b, make([]byte, tagLen)...) // Nobody accepts it.
	}
	return append(b, key.tag(b, src)...)
}

// A proof is what a trailer has proved.
type proof struct {
	key uint8         // by which it was signed; 0: by none
	age time.Duration // since it was signed, by both clocks
}

// check verifies the trailer of a packet. Whatever costs little comes first, and
// nothing is remembered of what was not proved.
func (s *seals) check(a *Authentication, now time.Time, src netip.Addr, packet []byte, senders int) (p proof, err error) {
	trailer := packet[len(packet)-trailerLen:]
	p = proof{key: trailer[1]}
	seq := Sequence(binary.BigEndian.Uint64(trailer[4:]))
	p.age = seq.age(now)
	if !known(trailer) {
		_, err = refuse(ReasonHMACMalformed, "its trailer is of no kind that is known: only HMAC-SHA-256 as keepalived 2.4.2 has it is supported")
		return p, err
	}
	s.age = p.age
	if seq.outside(a.Window, now) {
		_, err = refuse(ReasonHMACStale, "it was signed %s, and the window is %s: synchronize the clocks of both directors (NTP); if they agree, somebody has sent an old advert again", moment(p.age), a.Window)
		return p, err
	}
	key := s.key(p.key)
	if key == nil {
		_, err = refuse(ReasonHMACKey, "it is signed with key %d, which this router does not have: give all directors a key before one signs with it", p.key)
		return p, err
	}
	if !hmac.Equal(key.tag(packet[:len(packet)-tagLen], src), trailer[tagAt:]) {
		_, err = refuse(ReasonHMACWrong, "its HMAC by key %d is wrong: the directors have different keys of that id, or somebody has forged or changed it", p.key)
		return p, err
	}
	if !s.marks.advance(src, seq, max(maxMarks, senders), a.Window, now) {
		_, err = refuse(ReasonHMACReplayed, "one that was signed later has arrived before it: somebody has sent it again, or the network has")
	}
	return p, err
}

// known reports whether a trailer is of the kind that is known.
func known(trailer []byte) bool {
	return trailer[0] == typeSHA256 && trailer[2] == 0 && trailer[3] == 0
}

// moment tells when something was signed, by its age.
func moment(age time.Duration) string {
	if age < 0 {
		return "in " + (-age).String() + " from now, by this director's clock"
	}
	return age.String() + " ago, by this director's clock"
}
