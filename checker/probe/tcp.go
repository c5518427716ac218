package probe

import (
	"context"
	"io"
	"net/netip"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.TCP{}, compileTCP) }

// compileTCP returns the run that passes when a connection is established, and what is
// said on it is as expected.
func compileTCP(p *Prober, o checker.TCP) (run, error) {
	if o.HalfOpen() {
		return knock, nil
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c := &tcpCheck{TCP: o}
	if o.TLS != nil {
		c.tls = newTLS(p.authorities, *o.TLS, "")
	}
	var err error
	c.expect, err = compileExpect(o.Expect)
	return c.run, err
}

// knock passes when the server's kernel would establish a connection.
func knock(ctx context.Context, t checker.Target) (found, error) {
	c, err := dial(ctx, netip.AddrPortFrom(t.Addr, t.Port), true)
	if err != nil {
		return found{}, err
	}
	return found{}, c.Close()
}

// A tcpCheck is a TCP check made ready to run, whose connection the server's process
// sees.
type tcpCheck struct {
	checker.TCP
	tls    *tlsClient // nil: it speaks no TLS
	expect expectation
}

func (c *tcpCheck) run(ctx context.Context, t checker.Target) (found, error) {
	plain, stream, seen, err := connect(ctx, t, c.tls)
	if err != nil {
		return seen, err
	}
	defer plain.Close()
	err = c.talk(stream)
	if err == nil && seen.asked && c.Expect.Empty() {
		return seen, accepted(plain, stream, c.Quit)
	}
	plain.part(ctx, stream, c.Quit)
	return seen, err
}

// talk says what there is to say, and waits for what is expected.
func (c *tcpCheck) talk(stream io.ReadWriter) error {
	if len(c.Send) > 0 {
		if _, err := stream.Write(c.Send); err != nil {
			return while("sending the request", err)
		}
	}
	if c.Expect.Empty() {
		return nil
	}
	return c.expect.await(stream)
}
