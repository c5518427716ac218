package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/lvsd/lvsd/checker"
)

// headLimit bounds what is read of a response before its body, in bytes:
// status line and headers, those of informational responses included.
const headLimit = 64 << 10

// probeHTTP passes when a request is answered with a wanted status and body.
// It follows no redirect, keeps no connection, and knows no proxy: what is
// asked is this server, not another one that it names.
func (p *Prober) probeHTTP(ctx context.Context, t checker.Target, spec checker.HTTP) error {
	plan, err := p.http.plan(spec)
	if err != nil {
		return notRun(err)
	}
	c, err := dial(ctx, netip.AddrPortFrom(t.Addr, t.Port), false)
	if err != nil {
		return err
	}
	defer c.Close()
	var stream net.Conn = c
	if spec.TLS {
		config, err := p.http.tls(ctx, spec, t.Addr)
		if err != nil {
			return notRun(err)
		}
		secure := tls.Client(c, config)
		if err := secure.Handshake(); err != nil {
			return while("shaking hands (TLS)", tlsError(config.ServerName, err))
		}
		stream = secure
	}
	return plan.ask(stream, t)
}

// ask sends the request and judges the response.
func (p *plan) ask(stream io.ReadWriter, t checker.Target) error {
	if _, err := stream.Write(p.request(t)); err != nil {
		return while("sending the request", err)
	}
	limited := &io.LimitedReader{R: stream, N: headLimit}
	r := bufio.NewReader(limited)
	response, err := p.head(r)
	if err != nil {
		if limited.N <= 0 {
			return fmt.Errorf("the header of the answer is longer than %d kB", headLimit>>10)
		}
		return while("reading the header", notHTTP(err))
	}
	if !p.status.Contains(response.StatusCode) {
		return fmt.Errorf("status %d, want %s", response.StatusCode, p.status)
	}
	if p.spec.Body == "" {
		return nil
	}
	limited.N = headLimit + 2*checker.BodyLimit
	return p.match(response.Body)
}

// head reads a response up to its body. Informational responses (RFC 9110,
// section 15.2) come before the one that counts.
func (p *plan) head(r *bufio.Reader) (*http.Response, error) {
	for {
		if err := speaksHTTP(r); err != nil {
			return nil, err
		}
		response, err := http.ReadResponse(r, &http.Request{Method: p.method})
		if err != nil {
			return nil, err
		}
		informational := response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols
		if !informational {
			return response, nil
		}
	}
}

// speaksHTTP looks at how an answer begins, to show what else came.
func speaksHTTP(r *bufio.Reader) error {
	const version = "HTTP/"
	begin, err := r.Peek(len(version))
	if err != nil && (len(begin) == 0 || isNetError(err)) {
		return err
	}
	if string(begin) == version {
		return nil
	}
	begin, _ = r.Peek(min(r.Buffered(), 60))
	line, _, _ := bytes.Cut(begin, []byte("\n"))
	return fmt.Errorf("it begins with %q", bytes.TrimRight(line, "\r"))
}

// match looks for the wanted text while the body arrives, so that it needs no
// memory for it, and no more of it than necessary.
func (p *plan) match(body io.Reader) error {
	text := &failing{r: io.LimitReader(body, checker.BodyLimit)}
	if p.found(text) {
		return nil
	}
	switch {
	case text.err == nil:
		return fmt.Errorf("the body (%d bytes read) does not match %q", text.n, p.spec.Body)
	case isNetError(text.err):
		return while("reading the body", text.err)
	default:
		return fmt.Errorf("the body is broken after %d bytes: %w", text.n, text.err)
	}
}

// found reports whether the wanted text comes before the end. To an expression
// the end means something ($, \b), and it can't tell the end of the body from
// where the body was cut off: what it finds there does not count.
func (p *plan) found(text *failing) bool {
	if p.body != nil {
		return p.body.MatchReader(bufio.NewReader(text)) && text.err == nil
	}
	window := make([]byte, 0, 4<<10+len(p.plain))
	for {
		n, err := text.Read(window[len(window):cap(window)])
		window = window[:len(window)+n]
		if bytes.Contains(window, p.plain) {
			return true
		}
		if err != nil {
			return false
		}
		keep := min(len(window), len(p.plain)-1)
		window = append(window[:0], window[len(window)-keep:]...)
	}
}

// A failing reader remembers how many bytes it gave, and the error that ended
// them where that was not the proper end.
type failing struct {
	r   io.Reader
	n   int
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	f.n += n
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// notHTTP puts what ReadResponse says about an answer into plain words.
func notHTTP(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the server closed the connection without an answer")
	case isNetError(err):
		return err
	default:
		return fmt.Errorf("not an HTTP answer: %w", err)
	}
}

// hostHeader returns the Host header of a request to an address: the port is
// left out where the scheme implies it.
func hostHeader(t checker.Target, spec checker.HTTP) string {
	implied := uint16(80)
	if spec.TLS {
		implied = 443
	}
	switch {
	case spec.Host != "":
		return spec.Host
	case t.Port != implied:
		return net.JoinHostPort(t.Addr.WithZone("").String(), strconv.Itoa(int(t.Port)))
	case t.Addr.Is6():
		return "[" + t.Addr.WithZone("").String() + "]"
	default:
		return t.Addr.String()
	}
}
