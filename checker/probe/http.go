package probe

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(checker.HTTP{}, compileHTTP)
	register(checker.HTTP{TLS: true}, compileHTTP)
}

// compileHTTP returns the run that passes when a request is answered with a
// status and a body that are wanted.
func compileHTTP(p *Prober, o checker.HTTP) (run, error) {
	c, err := newHTTPCheck(p, o)
	return c.run, err
}

// An httpCheck is an HTTP check made ready to run.
type httpCheck struct {
	checker.HTTP
	// headers are the header lines after Host, as they are sent.
	headers []byte
	body    pattern
	// authorities are trusted in place of the system's; nil: the system's.
	authorities *authorityFile
}

// newHTTPCheck makes an HTTP check ready to run.
func newHTTPCheck(p *Prober, o checker.HTTP) (*httpCheck, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.Method, o.Path = cmp.Or(o.Method, "GET"), cmp.Or(o.Path, "/")
	if len(o.Status) == 0 {
		o.Status = checker.DefaultStatus
	}
	body, err := compilePattern(o.Body)
	c := &httpCheck{HTTP: o, headers: headerLines(o.Headers), body: body}
	if o.TLS && o.CA != "" && !o.Insecure {
		c.authorities = p.authorities.file(o.CA)
	}
	return c, err
}

// headerLines returns all of a request that follows the Host header.
func headerLines(headers []checker.Header) []byte {
	var b bytes.Buffer
	isUserAgent := func(h checker.Header) bool { return strings.EqualFold(h.Name, "User-Agent") }
	if !slices.ContainsFunc(headers, isUserAgent) {
		b.WriteString("User-Agent: lvsd\r\n")
	}
	for _, h := range headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	b.WriteString("Connection: close\r\n\r\n")
	return b.Bytes()
}

// run follows no redirect, keeps no connection, and uses no proxy: the check
// is about this server, not about another one that it names.
func (c *httpCheck) run(ctx context.Context, t checker.Target) error {
	plain, err := dial(ctx, netip.AddrPortFrom(t.Addr, t.Port), false)
	if err != nil {
		return err
	}
	defer plain.Close()
	if !c.TLS {
		return c.ask(plain, t)
	}
	config, err := c.tlsConfig(ctx, t.Addr)
	if err != nil {
		return notRun(err)
	}
	secure := tls.Client(plain, config)
	if err := secure.Handshake(); err != nil {
		return while("negotiating TLS", tlsError(config.ServerName, err))
	}
	return c.ask(secure, t)
}

// headLimit bounds what is read of a response before its body, in bytes:
// status line and headers, those of informational responses included.
const headLimit = 64 << 10

// ask sends the request and judges the response.
func (c *httpCheck) ask(stream io.ReadWriter, t checker.Target) error {
	if _, err := stream.Write(c.request(t)); err != nil {
		return while("sending the request", err)
	}
	limited := &io.LimitedReader{R: stream, N: headLimit}
	response, err := c.readHead(bufio.NewReader(limited))
	if err != nil {
		if limited.N <= 0 {
			return fmt.Errorf("the response header is longer than %d kB", headLimit>>10)
		}
		return while("reading the response header", notHTTP(err))
	}
	if !c.Status.Contains(response.StatusCode) {
		return fmt.Errorf("status %d, want %s", response.StatusCode, c.Status)
	}
	if c.Body == "" {
		return nil
	}
	limited.N = headLimit + 2*checker.BodyLimit
	return c.matchBody(response.Body)
}

// request returns the request as it is sent to one target.
func (c *httpCheck) request(t checker.Target) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", c.Method, c.Path, c.hostHeader(t))
	b.Write(c.headers)
	return b.Bytes()
}

// hostHeader returns the Host header of a request to a target. The port is left
// out if the scheme implies it.
func (c *httpCheck) hostHeader(t checker.Target) string {
	if c.Host != "" {
		return c.Host
	}
	host, implied := t.Addr.WithZone("").String(), uint16(80)
	if t.Addr.Is6() {
		host = "[" + host + "]"
	}
	if c.TLS {
		implied = 443
	}
	if t.Port != implied {
		host = fmt.Sprintf("%s:%d", host, t.Port)
	}
	return host
}

// readHead reads a response up to its body. Informational responses (RFC 9110,
// section 15.2) come before the one that counts.
func (c *httpCheck) readHead(r *bufio.Reader) (*http.Response, error) {
	for {
		if err := peekVersion(r); err != nil {
			return nil, err
		}
		response, err := http.ReadResponse(r, &http.Request{Method: c.Method})
		if err != nil {
			return nil, err
		}
		informational := response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols
		if !informational {
			return response, nil
		}
	}
}

// peekVersion returns an error that shows how a response begins, if that is
// not as HTTP does.
func peekVersion(r *bufio.Reader) error {
	const version = "HTTP/"
	start, err := r.Peek(len(version))
	if err != nil && (len(start) == 0 || isNetError(err)) {
		return err
	}
	if string(start) == version {
		return nil
	}
	start, _ = r.Peek(min(r.Buffered(), 60))
	line, _, _ := bytes.Cut(start, []byte("\n"))
	return fmt.Errorf("it begins with %q", bytes.TrimRight(line, "\r"))
}

// notHTTP puts an error of readHead into plain words.
func notHTTP(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the server closed the connection without a response")
	case isNetError(err):
		return err
	default:
		return fmt.Errorf("not an HTTP response: %w", err)
	}
}

// matchBody looks for the wanted text in a body.
func (c *httpCheck) matchBody(body io.Reader) error {
	text := &recorder{r: io.LimitReader(body, checker.BodyLimit)}
	if c.body.find(text) {
		return nil
	}
	switch {
	case text.err == nil:
		return fmt.Errorf("the body (%d bytes read) does not match %q", text.n, c.Body)
	case isNetError(text.err):
		return while("reading the body", text.err)
	default:
		return fmt.Errorf("the body is malformed after %d bytes: %w", text.n, text.err)
	}
}
