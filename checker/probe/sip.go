package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.SIP{}, compileSIP) }

// A sipCheck is a SIP check made ready to run.
type sipCheck struct {
	checker.SIP
	tls *tlsClient // nil: it speaks no TLS
}

// compileSIP returns the run that passes when a server answers OPTIONS.
func compileSIP(p *Prober, o checker.SIP) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if len(o.Status) == 0 {
		o.Status = checker.DefaultStatus
	}
	c := &sipCheck{SIP: o}
	if o.TLS != nil {
		c.tls = newTLS(p.authorities, *o.TLS, "")
	}
	return c.run, nil
}

func (c *sipCheck) run(ctx context.Context, t checker.Target) (seen found, err error) {
	to := netip.AddrPortFrom(t.Addr, t.Port)
	q := &sipQuestion{uri: c.URI, from: c.From, transport: "UDP", token: fmt.Sprintf("%016x", rand.Uint64())}
	if q.uri == "" {
		q.uri = "sip:" + sipHost(t.Addr)
	}
	var a sipAnswer
	if c.TCP {
		a, seen, err = c.byTCP(ctx, t, q)
	} else {
		a, err = q.byUDP(ctx, to)
	}
	if err != nil {
		return seen, err
	}
	return seen, c.judge(a)
}

// judge returns what is wrong with an answer.
func (c *sipCheck) judge(a sipAnswer) error {
	if c.Status.Contains(a.status) {
		return nil
	}
	reason := checker.WrongStatus
	if a.status == 401 || a.status == 403 || a.status == 407 {
		reason = checker.LoginRefused
	}
	return because(reason, fmt.Errorf("status %d %.60s, want %s", a.status, a.reason, c.Status))
}

// byUDP asks by UDP. What answers something else, or only that the answer is to come, is
// passed over.
func (q *sipQuestion) byUDP(ctx context.Context, to netip.AddrPort) (a sipAnswer, err error) {
	_, err = exchangeFrom(ctx, to, q.text, func(b []byte) bool {
		head, _, _, err := headOf(b[:min(len(b), checker.AnswerLimit)])
		if err == nil {
			a, err = parseSIP(head)
		}
		return err == nil && a.answers(q) && a.final()
	})
	return a, err
}

// byTCP asks by TCP, or by TLS on it.
func (c *sipCheck) byTCP(ctx context.Context, t checker.Target, q *sipQuestion) (a sipAnswer, seen found, err error) {
	q.transport = "TCP"
	if c.tls != nil {
		q.transport = "TLS"
	}
	plain, stream, seen, err := connect(ctx, t, c.tls)
	if err != nil {
		return a, seen, err
	}
	defer plain.Close()
	if _, err = stream.Write(q.text(plain.local())); err != nil {
		return a, seen, while("sending the request", err)
	}
	a, err = q.read(stream)
	plain.part(ctx, stream, nil)
	return a, seen, err
}

// read reads answers until the last one.
func (q *sipQuestion) read(stream io.Reader) (sipAnswer, error) {
	limited := &io.LimitedReader{R: stream, N: checker.AnswerLimit}
	var text []byte
	for {
		head, rest, whole, err := headOf(text)
		if err != nil {
			return sipAnswer{}, err
		}
		if whole {
			a, err := parseSIP(head)
			switch {
			case err != nil:
				return a, err
			case !a.answers(q):
				return a, errors.New("the server answers another request")
			case a.final():
				return a, nil
			case max(a.length, 0) <= len(rest):
				text = rest[max(a.length, 0):]
				continue
			}
		}
		if text, err = more(limited, text); err != nil {
			return sipAnswer{}, err
		}
	}
}

// more appends what comes next to a text.
func more(limited *io.LimitedReader, text []byte) ([]byte, error) {
	if limited.N == 0 {
		return nil, fmt.Errorf("no answer is complete after %d bytes", checker.AnswerLimit)
	}
	var b [2 << 10]byte
	n, err := limited.Read(b[:])
	switch {
	case n > 0:
		return append(text, b[:n]...), nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%w while waiting for the answer", errClosed)
	}
	return nil, while("waiting for the answer", err)
}
