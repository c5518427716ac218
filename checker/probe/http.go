package probe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(checker.HTTP{}, compileHTTP)
	register(checker.HTTP{Secure: true}, compileHTTP)
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
	tls     *tlsClient
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
	if o.Secure {
		c.tls = newTLS(p.authorities, o.TLS, o.Host, "http/1.1")
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
func (c *httpCheck) run(ctx context.Context, t checker.Target) (found, error) {
	plain, stream, seen, err := connect(ctx, t, c.tls)
	if err != nil {
		return seen, err
	}
	defer plain.Close()
	answer, err := c.ask(stream, t)
	if answer != nil && answer.finish(ctx, plain) && plain.closeInOrder() == nil {
		stream.Close()
	}
	return seen, err
}

// ask sends the request and judges the response, of which it may leave a part
// unread. The response is nil if it has no complete header.
func (c *httpCheck) ask(stream io.ReadWriter, t checker.Target) (*response, error) {
	if _, err := stream.Write(c.request(t)); err != nil {
		return nil, while("sending the request", err)
	}
	response, err := readResponse(stream, c.Method)
	if err != nil {
		return nil, err
	}
	switch {
	case !c.Status.Contains(response.status):
		return response, because(checker.WrongStatus, fmt.Errorf("status %d, want %s", response.status, c.Status))
	case c.Body == "":
		return response, nil
	default:
		return response, c.matchBody(response.body)
	}
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
	if c.Secure {
		implied = 443
	}
	if t.Port != implied {
		host = fmt.Sprintf("%s:%d", host, t.Port)
	}
	return host
}

// matchBody looks for the wanted text in a body.
func (c *httpCheck) matchBody(body io.Reader) error {
	text := &recorder{r: io.LimitReader(body, checker.BodyLimit)}
	if c.body.find(text) {
		return nil
	}
	switch {
	case text.err == nil:
		return fmt.Errorf("the body (%d bytes read) does not match %.40q", text.n, c.Body)
	case isNetError(text.err):
		return while("reading the body", text.err)
	default:
		return fmt.Errorf("the body is malformed after %d bytes: %w", text.n, text.err)
	}
}
