package probe

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.NTP{}, compileNTP) }

// compileNTP returns the run that passes when a server tells the time.
func compileNTP(_ *Prober, o checker.NTP) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.Stratum = cmp.Or(o.Stratum, checker.MaxStratum)
	return func(ctx context.Context, t checker.Target) (found, error) {
		token := rand.Uint64()
		var sent time.Time
		request := func(netip.AddrPort) []byte {
			sent = time.Now()
			return newNTPRequest(token)
		}
		answer, err := exchangeFrom(ctx, netip.AddrPortFrom(t.Addr, t.Port), request, func(b []byte) bool { return answersNTP(b, token) })
		if err != nil {
			return found{}, err
		}
		return found{}, judgeNTP(o, parseNTP(answer), sent, time.Now())
	}, nil
}

// A packet of NTP (RFC 5905, section 7.3), without what may follow its head.
const (
	ntpHead   = 48
	ntpClient = 4<<3 | 3 // version 4, a client
	ntpServer = 4
	// Where fields begin.
	ntpReference, ntpOrigin, ntpReceived, ntpSent = 12, 24, 32, 40
)

// newNTPRequest returns a question for the time. In the place of its own time it has a
// number by chance, which the answer repeats: nobody else can know it.
func newNTPRequest(token uint64) []byte {
	p := make([]byte, ntpHead)
	p[0] = ntpClient
	binary.BigEndian.PutUint64(p[ntpSent:], token)
	return p
}

// answersNTP reports whether a datagram is the answer of a server to a request.
func answersNTP(b []byte, token uint64) bool {
	return len(b) >= ntpHead && b[0]&7 == ntpServer && binary.BigEndian.Uint64(b[ntpOrigin:]) == token
}

// An ntpAnswer is what a server says of the time.
type ntpAnswer struct {
	unsynchronized bool
	stratum        uint8
	reference      string // why it does not answer, where the stratum is 0
	received, sent uint64 // by its clock, when the request came and the answer went
}

func parseNTP(b []byte) ntpAnswer {
	return ntpAnswer{
		unsynchronized: b[0]>>6 == 3,
		stratum:        b[1],
		reference:      strings.TrimRight(string(b[ntpReference:ntpReference+4]), "\x00"),
		received:       binary.BigEndian.Uint64(b[ntpReceived:]),
		sent:           binary.BigEndian.Uint64(b[ntpSent:]),
	}
}

// judgeNTP returns what is wrong with an answer to what was sent, and came back, at
// these times of this director's clock.
func judgeNTP(o checker.NTP, a ntpAnswer, sent, came time.Time) error {
	switch {
	case a.stratum == 0:
		return fmt.Errorf("the server does not want to be asked (kiss of death, code %q)%s", a.reference, map[bool]string{true: ": raise the interval"}[a.reference == "RATE"])
	case a.unsynchronized || a.stratum > checker.MaxStratum:
		return errors.New("the server's clock is not synchronized")
	case a.sent == 0:
		return errors.New("the server does not say what time it is")
	case a.stratum > o.Stratum:
		return fmt.Errorf("stratum %d, want %d at most", a.stratum, o.Stratum)
	case o.Offset == 0:
		return nil
	case ntpSince(a.sent, a.received) < 0:
		return errors.New("the server says that it answered before it was asked")
	}
	offset, unsure := a.offset(sent, came)
	if offset.Abs()-unsure <= o.Offset {
		return nil
	}
	return fmt.Errorf("the server's clock and this director's differ by %v, want %v at most", offset.Round(time.Millisecond), o.Offset)
}

// offset returns by how much the server's clock is ahead of this director's, and how far
// off that may be: the packets may have been on their way unequally long (RFC 5905,
// section 8).
func (a ntpAnswer) offset(sent, came time.Time) (offset, unsure time.Duration) {
	there := ntpSince(a.received, ntpTime(sent))
	back := ntpSince(a.sent, ntpTime(came))
	delay := came.Sub(sent) - ntpSince(a.sent, a.received)
	return there/2 + back/2, max(delay, 0) / 2
}

// ntpEpoch is 1900, from which the seconds of NTP are counted, in those of Unix.
const ntpEpoch = -2_208_988_800

// ntpTime returns a time as NTP has it: seconds, of which there are 1<<32 in an era, and
// their parts.
func ntpTime(t time.Time) uint64 {
	return uint64(t.Unix()-ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// ntpSince returns a - b. It is right across the end of an era, as long as they are no
// more than 68 years apart.
func ntpSince(a, b uint64) time.Duration {
	d := int64(a - b)
	return time.Duration(d>>32)*time.Second + time.Duration(uint64(d)&(1<<32-1)*1e9>>32)
}
