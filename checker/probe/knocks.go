package probe

import (
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/rawip"
)

// patienceDivisor is which part of its timeout a probe waits for the answer to its SYN
// before the kernel's own connection takes its place.
const patienceDivisor = 3

// knocks are the SYNs that wait for their answers, by whom they were sent to. It is a
// core: it knows no clock and no socket.
type knocks map[netip.AddrPort]syn

// A syn is one of them.
type syn struct {
	checker.Question
	seq uint32
}

// until is when to wait no longer.
func (k *syn) until() time.Time { return k.Began.Add(k.Target.Timeout / patienceDivisor) }

// whom returns where a target is asked, by which its answer is known.
func whom(t *checker.Target) netip.AddrPort {
	return netip.AddrPortFrom(t.Addr.Unmap().WithZone(""), t.Port)
}

// add notes a SYN. It reports false if another one waits for the same server: two
// between the same ports would be in each other's way.
func (ks knocks) add(q checker.Question, seq uint32) bool {
	to := whom(q.Target)
	if _, taken := ks[to]; taken {
		return false
	}
	ks[to] = syn{q, seq}
	return true
}

// drop forgets a SYN that was not sent.
func (ks knocks) drop(q checker.Question) { delete(ks, whom(q.Target)) }

// answered ends the wait for an answer if it is the right one: from the port that was
// asked, and to the number that was sent. As in the kernel, nothing counts that does not
// acknowledge the SYN.
func (ks knocks) answered(from netip.Addr, s rawip.Segment) (q checker.Question, refused, ok bool) {
	to := netip.AddrPortFrom(from, s.From)
	k, waits := ks[to]
	opened := s.Flags&rawip.SYN != 0
	refused = s.Flags&rawip.RST != 0
	if !waits || s.Flags&rawip.ACK == 0 || s.Ack != k.seq+1 || !opened && !refused {
		return q, false, false
	}
	delete(ks, to)
	return k.Question, refused, true
}

// rejected ends the wait for an answer that cannot come: a router, or the server's
// host, has sent the SYN back.
func (ks knocks) rejected(to netip.AddrPort, seq uint32) (q checker.Question, ok bool) {
	k, waits := ks[to]
	if !waits || k.seq != seq {
		return q, false
	}
	delete(ks, to)
	return k.Question, true
}

// expire ends the waits that are over, and returns when the next one will be; zero:
// there is none.
func (ks knocks) expire(now time.Time) (over []checker.Question, next time.Time) {
	for to, k := range ks {
		switch until := k.until(); {
		case !until.After(now):
			delete(ks, to)
			over = append(over, k.Question)
		case next.IsZero() || until.Before(next):
			next = until
		}
	}
	return over, next
}
