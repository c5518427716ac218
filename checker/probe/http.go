package probe

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

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
	body    *bodyCheck // nil: any body passes
	answer  []fieldCheck
	login   login
	tls     *tlsClient
}

// A fieldCheck is what one header of an answer must be.
type fieldCheck struct {
	name, words string
	value       *pattern
}

// newHTTPCheck makes an HTTP check ready to run.
func newHTTPCheck(p *Prober, o checker.HTTP) (*httpCheck, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.Method, o.Path = cmp.Or(o.Method, http.MethodGet), cmp.Or(o.Path, "/")
	if len(o.Status) == 0 {
		o.Status = checker.DefaultStatus
	}
	c := &httpCheck{HTTP: o, login: newLogin(p.passwords, o.Login)}
	c.headers = c.headerLines()
	if o.Secure {
		protocol := "http/1.1"
		if o.Version == checker.HTTP2 {
			protocol = alpnHTTP2
		}
		c.tls = newTLS(p.authorities, o.TLS, o.Host, protocol)
	}
	for _, h := range o.Answer {
		value, err := newPattern(h.Value)
		if err != nil {
			return nil, err
		}
		c.answer = append(c.answer, fieldCheck{h.Name, h.Value, value})
	}
	var err error
	c.body, err = compileBody(o)
	return c, err
}

// userAgent is what a check says of itself, unless its headers say something else.
const userAgent = "lvsd"

// namesAgent reports whether they do.
func (c *httpCheck) namesAgent() bool {
	return slices.ContainsFunc(c.Headers, func(h checker.Header) bool { return strings.EqualFold(h.Name, "User-Agent") })
}

// headerLines returns the headers that each request of a check has after Host.
func (c *httpCheck) headerLines() []byte {
	var b bytes.Buffer
	if !c.namesAgent() {
		fmt.Fprintf(&b, "User-Agent: %s\r\n", userAgent)
	}
	for _, h := range c.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	b.WriteString("Connection: close\r\n")
	return b.Bytes()
}

// run keeps no connection. It follows no redirect to another server: the check is about
// this one, not about one that it names.
func (c *httpCheck) run(ctx context.Context, t checker.Target) (found, error) {
	name, err := c.credentials(ctx)
	if err != nil {
		return found{}, err
	}
	steps := []step{{c.Method, c.Path}}
	for {
		next, seen, err := c.exchange(ctx, t, steps, name)
		if err != nil || next == (step{}) {
			return seen, err
		}
		steps = append(steps, next)
	}
}

// credentials are what each request of a probe says of who asks (RFC 7617), and what of
// it is secret. The zero value says nothing.
type credentials struct {
	token   string
	secrets []string
}

// credentials returns those of a probe, with the password as it is now.
func (c *httpCheck) credentials(ctx context.Context) (none credentials, err error) {
	if c.login == (login{}) {
		return none, nil
	}
	password, err := c.login.password(ctx)
	if err != nil {
		return none, err
	}
	token := base64.StdEncoding.EncodeToString([]byte(c.Login.User + ":" + password))
	return credentials{token, []string{token, password}}, nil
}

// authorization returns them as a header; a proxy has one of its own.
func (c *httpCheck) authorization(name credentials) (h checker.Header, ok bool) {
	if name.token == "" {
		return h, false
	}
	h = checker.Header{Name: "Authorization", Value: "Basic " + name.token}
	if c.Proxy {
		h.Name = "Proxy-Authorization"
	}
	return h, true
}

// secrets are what a server that repeats its request must not have shown: headers may
// hold one, too.
func (c *httpCheck) secrets(name credentials) []string {
	all := name.secrets
	for _, h := range c.Headers {
		all = append(slices.Clip(all), h.Value)
	}
	return all
}

// exchange takes the last one of some steps. It returns the next one; none: the answer
// was the one that is judged.
func (c *httpCheck) exchange(ctx context.Context, t checker.Target, steps []step, name credentials) (next step, seen found, err error) {
	ctx = untold(ctx, func() []string { return c.secrets(name) })
	plain, stream, seen, err := connect(ctx, t, c.tls)
	if err != nil {
		return next, seen, err
	}
	defer plain.Close()
	if c.Version == checker.HTTP2 {
		next, err = c.exchange2(ctx, plain, stream, t, steps, name)
		return next, seen, err
	}
	response, err := c.ask(stream, t, steps[len(steps)-1], name)
	if err != nil {
		return next, seen, err
	}
	next, err = c.judge(t, steps, &response.httpAnswer)
	if response.finish(ctx, plain) && plain.closeInOrder() == nil {
		stream.Close()
	}
	return next, seen, err
}

// exchange2 is exchange by HTTP/2, on a connection that is established.
func (c *httpCheck) exchange2(ctx context.Context, plain *conn, stream io.ReadWriteCloser, t checker.Target, steps []step, name credentials) (next step, err error) {
	last := steps[len(steps)-1]
	body := c.content(last)
	request := http2Fields(last.method, c.scheme(), c.hostHeader(t), last.path, c.Headers)
	if !c.namesAgent() {
		request = append(request, hpack.HeaderField{Name: "user-agent", Value: userAgent})
	}
	if len(body) > 0 {
		request = append(request, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(body))})
	}
	if h, ok := c.authorization(name); ok {
		request = append(request, hpack.HeaderField{Name: strings.ToLower(h.Name), Value: h.Value, Sensitive: true})
	}
	s, err := askHTTP2(stream, request, body, reading{c.keep(), name.secrets})
	if err == nil {
		next, err = c.judge(t, steps, &s.httpAnswer)
	}
	s.finish(ctx, plain, stream)
	return next, err
}

// ask sends a request and reads the response up to its body.
func (c *httpCheck) ask(stream io.ReadWriter, t checker.Target, s step, name credentials) (*response, error) {
	if _, err := stream.Write(c.request(t, s, name)); err != nil {
		return nil, while("sending the request", err)
	}
	return readResponse(stream, s.method, reading{c.keep(), name.secrets})
}

// keep returns what reports which headers of an answer matter; nil: none.
func (c *httpCheck) keep() func(name string) bool {
	if len(c.answer) == 0 {
		return nil
	}
	return func(name string) bool {
		return slices.ContainsFunc(c.answer, func(f fieldCheck) bool { return strings.EqualFold(f.name, name) })
	}
}

// judge returns what is wrong with an answer, or where it leads. It may leave a part of
// the body unread.
func (c *httpCheck) judge(t checker.Target, steps []step, r *httpAnswer) (next step, err error) {
	if !c.Status.Contains(r.status) {
		if c.Redirects > 0 && redirected(r.status) {
			base := url.URL{Scheme: c.scheme(), Host: c.hostHeader(t), Path: "/"}
			next, err = follow(base, steps, c.Redirects, r.status, r.location)
			return next, because(checker.WrongStatus, err)
		}
		reason := checker.WrongStatus
		if r.status == http.StatusUnauthorized || r.status == http.StatusProxyAuthRequired {
			reason = checker.LoginRefused
		}
		return next, because(reason, fmt.Errorf("status %d, want %s", r.status, c.Status))
	}
	for _, f := range c.answer {
		if err := f.judge(r.kept); err != nil {
			return next, err
		}
	}
	return next, c.body.judge(r.body)
}

// judge returns what is wrong with the headers of an answer that have been kept.
func (f fieldCheck) judge(kept []checker.Header) error {
	last, come := "", false
	for _, h := range kept {
		if !strings.EqualFold(h.Name, f.name) {
			continue
		}
		if f.value.in([]byte(h.Value), true) {
			return nil
		}
		last, come = h.Value, true
	}
	if !come {
		return fmt.Errorf("the answer has no header %s, want one that matches %.40q", f.name, f.words)
	}
	return fmt.Errorf("the header %s: %.60q does not match %.40q", f.name, last, f.words)
}

// request returns a request as it is sent to one target.
func (c *httpCheck) request(t checker.Target, s step, name credentials) []byte {
	// It is put together without package fmt, whose deep calls would make the stack of
	// each probe's goroutine grow (measured: 7 µs of 88).
	b := make([]byte, 0, 256)
	host := c.hostHeader(t)
	b = append(append(b, s.method...), ' ')
	if c.Proxy { // RFC 9112, section 3.2.2
		b = append(append(b, "http://"...), host...)
	}
	b = append(append(append(b, s.path...), " HTTP/1.1\r\nHost: "...), host...)
	b = append(append(b, "\r\n"...), c.headers...)
	if h, ok := c.authorization(name); ok {
		b = append(append(append(append(b, h.Name...), ": "...), h.Value...), "\r\n"...)
	}
	body := c.content(s)
	if len(body) > 0 {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(body)), 10), "\r\n"...)
	}
	return append(append(b, "\r\n"...), body...)
}

// content returns the body of a request. One that a redirect has made a GET has none.
func (c *httpCheck) content(s step) []byte {
	if s.method != c.Method {
		return nil
	}
	return c.Send
}

// scheme returns that of the addresses which the check asks for. A proxy is asked for
// those without TLS, however it is spoken to.
func (c *httpCheck) scheme() string {
	if c.Secure && !c.Proxy {
		return "https"
	}
	return "http"
}

// hostHeader returns the Host header of a request to a target. The port is left
// out if the scheme implies it.
func (c *httpCheck) hostHeader(t checker.Target) string {
	switch {
	case c.Host != "":
		return c.Host
	case c.Secure:
		return hostPort(t, 443)
	default:
		return hostPort(t, 80)
	}
}

// hostPort returns the address of a target, and its port unless that is implied.
func hostPort(t checker.Target, implied uint16) string {
	host := t.Addr.WithZone("").String()
	if t.Addr.Is6() {
		host = "[" + host + "]"
	}
	if t.Port != implied {
		host += ":" + strconv.Itoa(int(t.Port))
	}
	return host
}
