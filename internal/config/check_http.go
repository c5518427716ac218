package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkHTTP = newCheckKind("http",
	"The server answers a request as expected. The answer is read to its end, but not beyond 2 MiB or for longer than a second, so that a check leaves no trace in the server's log of errors.",
	httpCheckTable, (*httpCheck).self, func(b *block.Body, c *httpCheck) probe { return c.compile(b) })

var checkHTTPS = newCheckKind("https", "The same over TLS. The server's certificate is verified, see tls.",
	httpsCheckTable, (*httpCheck).self, func(b *block.Body, c *httpCheck) probe {
		c.asks.Secure, c.asks.TLS = true, c.tls.compile()
		return c.compile(b)
	})

type httpCheck struct {
	probe
	asks    checker.HTTP
	login   login
	headers map[string]string
	expect  expect
	tls     tlsOptions
}

// An expect block says which answers pass.
type expect struct {
	status             []block.Item
	headers            map[string]string
	body, not          string
	text               []byte
	sha256, md5        checker.Digest
	minBytes, maxBytes int
}

var httpCheckTable = block.NewTable("check", httpOptions)

var httpsCheckTable = block.NewTable("check", func() []block.Entry[httpCheck] {
	return append(httpOptions(),
		block.Inner("tls", "How TLS is spoken, and how the server's certificate is verified. Without this block, it must be valid for the check's host or, if that is not set, for the server's address.", tlsTable, func(c *httpCheck) *tlsOptions { return &c.tls }),
	)
})

func httpOptions() []block.Entry[httpCheck] {
	return append(requestOptions(),
		append(loginOptions(func(c *httpCheck) *login { return &c.login }),
			block.Inner("expect", "Which answers pass the check.", expectTable, func(c *httpCheck) *expect { return &c.expect }))...)
}

func requestOptions() []block.Entry[httpCheck] {
	return append(networked(tcpViaTable, (*httpCheck).self),
		block.Choice("version", "The version of HTTP. Version 2 is negotiated over TLS, where the server must choose it (ALPN h2); without TLS, it must be known that the server speaks it (h2c, with prior knowledge).", "1.1",
			[]block.Word[string]{{Name: "1.1"}, {Name: "2", Value: checker.HTTP2}}, func(c *httpCheck) *string { return &c.asks.Version }),
		httpText("method", "The method of the request.", "GET",
			func(h *checker.HTTP) *string { return &h.Method }, func(c *httpCheck) *string { return &c.asks.Method }),
		httpText("path", "The path of the request, including the query if there is one. Use a path that fails when the service behind it fails.", "/",
			func(h *checker.HTTP) *string { return &h.Path }, func(c *httpCheck) *string { return &c.asks.Path }),
		httpText("host", "The Host header of the request, for servers that host several sites.", "",
			func(h *checker.HTTP) *string { return &h.Host }, func(c *httpCheck) *string { return &c.asks.Host }).Unless("the server's address and port"),
		block.Pairs("headers", "Additional headers of the request.", func(c *httpCheck) *map[string]string { return &c.headers }).Unless("none").Secret(),
		sendOption("The body of the request. Its Content-Type is set in headers, if the server wants one.", func(c *httpCheck) *[]byte { return &c.asks.Send }),
		block.Count("follow_redirects", "How many redirects are followed, within the same server alone: one to another scheme, host or port fails the check, since it says nothing of this server. A redirect whose status is expected is an answer.",
			0, 0, checker.MaxRedirects, func(c *httpCheck) *int { return &c.asks.Redirects }),
		block.Flag("proxy", "The server is a proxy: it is asked for http://HOST/PATH as its clients do, and answers with what it gets from there, so the check also fails when that host does. Set host to one that is always there. The login is the proxy's.",
			false, func(c *httpCheck) *bool { return &c.asks.Proxy }),
	)
}

var expectTable = block.NewTable("expect", func() []block.Entry[expect] {
	return []block.Entry[expect]{
		block.List("status", "The status codes, and ranges of status codes, that pass: [\"200-299\", 304].", func(e *expect) *[]block.Item { return &e.status }).Unless(`["` + checker.DefaultStatus.String() + `"]`),
		httpText("body", "A regular expression (RE2 syntax) that must match somewhere in the first 256 KiB of the body. A dollar sign matches only at its end, where the server may close the connection in any way.", "",
			func(h *checker.HTTP) *string { return &h.Body }, func(e *expect) *string { return &e.body }).Unless("none; any body passes"),
		message("text", "Instead of body: a text that must come, anywhere in the first 256 KiB of the body.",
			func(text []byte) error { return checker.HTTP{Text: text}.Validate() }, func(e *expect) *[]byte { return &e.text }),
		httpText("not", "A regular expression (RE2 syntax) that must not match in the first 256 KiB of the body.", "",
			func(h *checker.HTTP) *string { return &h.Not }, func(e *expect) *string { return &e.not }).Unless("none"),
		block.Pairs("headers", "Headers that the answer must have, each with a regular expression (RE2 syntax) that its value must match: { Content-Type = \"^text/html\" }.",
			func(e *expect) *map[string]string { return &e.headers }).Unless("none"),
		digest("sha256", "The SHA-256 digest of the whole body, which has 1 MiB at most, in hexadecimal digits. What comes is not unpacked.", func(e *expect) *checker.Digest { return &e.sha256 }),
		digest("md5", "The same with MD5, for the digests that keepalived's genhash has printed. It proves nothing against somebody who forges a page.", func(e *expect) *checker.Digest { return &e.md5 }),
		block.Count("min_bytes", "The smallest size of the body.", 0, 0, checker.SizeLimit, func(e *expect) *int { return &e.minBytes }),
		block.Count("max_bytes", "The largest size of the body, of which no more is then read.", 0, 1, checker.SizeLimit, func(e *expect) *int { return &e.maxBytes }).Unless("none"),
	}
})

// digest is a digest of a body, by an algorithm of this name.
func digest(name, help string, ref func(*expect) *checker.Digest) block.Entry[expect] {
	parse := func(b *block.Body, s string, at block.Place) (checker.Digest, bool) {
		d := checker.Digest(name + ":" + strings.ToLower(s))
		_, _, err := d.Split()
		if err != nil {
			b.Mistake(at, "Invalid "+name, "%s.", sentence(err))
		}
		return d, err == nil
	}
	return block.Text(name, help, "", parse, ref).Within("hexadecimal digits").Unless("none")
}

// httpText is a text of an HTTP check that alone must be valid there.
func httpText[T any](name, help, def string, alone func(*checker.HTTP) *string, ref func(*T) *string) block.Entry[T] {
	return validText(name, help, def, func(s string) error {
		var h checker.HTTP
		*alone(&h) = s
		return h.Validate()
	}, ref)
}

// compile works out what a check asks and expects. What its block leaves out has
// been worked out for the defaults.
func (c *httpCheck) compile(b *block.Body) probe {
	if c.headers != nil {
		c.asks.Headers = readHeaders(b, c.headers)
	}
	if c.asks.Status == nil {
		c.asks.Status = checker.DefaultStatus
	}
	if inner, given := b.Block("expect"); given {
		c.expect.compile(inner, &c.asks)
	}
	c.headers, c.expect.status, c.expect.headers = nil, nil, nil
	c.judgeBody(b)
	c.logIn(b)
	if c.asks.Proxy && c.asks.Host == "" && b.Given("proxy") {
		b.Mistake(b.At("proxy"), "Nobody to ask for", "A proxy is asked for the page of another server: set host to that one's name.")
	}
	return c.asking(b, c.asks)
}

// logIn works out whom a check says it is.
func (c *httpCheck) logIn(b *block.Body) {
	c.asks.Login = c.login.withBoth(b)
	if err := c.asks.Validate(); err != nil && strings.Contains(c.asks.Login.User, ":") && b.Given("user") {
		b.Mistake(b.At("user"), "Invalid user", "%s.", sentence(err))
	}
	for _, h := range c.asks.Headers {
		if strings.EqualFold(h.Name, "Authorization") && c.asks.Login.User != "" && !c.asks.Proxy && b.Given("user") {
			b.Mistake(b.At("user"), "Two logins", "The headers say who asks already: remove Authorization there, or user.")
		}
	}
}

// compile works out what a block of expectations adds to a check.
func (e *expect) compile(b *block.Body, asks *checker.HTTP) {
	if e.status != nil {
		asks.Status = statusRanges(b, e.status)
	}
	if e.headers != nil {
		asks.Answer = expectedHeaders(b, e.headers)
	}
	switch {
	case b.Given("text") && b.Given("body"):
		b.Mistake(b.At("text"), "Text and body", "One of the two can be expected: remove the other one. An expression can hold a text, too.")
	case b.Given("text"):
		e.body = ""
	case b.Given("body"):
		e.text = nil
	}
	switch {
	case b.Given("md5") && b.Given("sha256"):
		b.Mistake(b.At("md5"), "Two digests", "One is enough: remove md5.")
	case b.Given("md5"):
		e.sha256 = ""
	case b.Given("sha256"):
		e.md5 = ""
	}
	if e.maxBytes > 0 && e.minBytes > e.maxBytes {
		at := b.Head
		if b.Given("min_bytes") {
			at = b.At("min_bytes")
		}
		b.Mistake(at, "Sizes reversed", "min_bytes %d must not be more than max_bytes %d.", e.minBytes, e.maxBytes)
	}
	asks.Body, asks.Text, asks.Not = e.body, e.text, e.not
	asks.Digest = cmp.Or(e.sha256, e.md5)
	asks.MinBytes, asks.MaxBytes = e.minBytes, e.maxBytes
}

// judgeBody reports a check that expects a body where there is none.
func (c *httpCheck) judgeBody(b *block.Body) {
	a := &c.asks
	bodies := []struct {
		option string
		given  bool
	}{{"body", a.Body != ""}, {"text", len(a.Text) > 0}, {"not", a.Not != ""}, {"sha256", c.expect.sha256 != ""}, {"md5", c.expect.md5 != ""}, {"min_bytes", a.MinBytes > 0}}
	if a.Method != "HEAD" {
		return
	}
	inner, given := b.Block("expect")
	for _, o := range bodies {
		detail := fmt.Sprintf("The answer to HEAD has no body: remove %s, or use method = \"GET\".", o.option)
		switch {
		case !o.given:
			continue
		case given && inner.Given(o.option):
			b.Mistake(inner.At(o.option), "Body of HEAD", "%s", detail)
		case b.Given("method"):
			b.Mistake(b.At("method"), "Body of HEAD", "By its defaults, this check expects a body. %s", detail)
		}
		return
	}
}

// expectedHeaders returns headers of an answer, sorted so that equal ones are equal.
func expectedHeaders(b *block.Body, named map[string]string) (headers []checker.Header) {
	for _, name := range slices.Sorted(maps.Keys(named)) {
		h := checker.Header{Name: name, Value: named[name]}
		if err := (checker.HTTP{Answer: []checker.Header{h}}).Validate(); err != nil {
			b.Mistake(b.EntryAt("headers", name), "Invalid header", "%s.", sentence(err))
			continue
		}
		headers = append(headers, h)
	}
	return headers
}

// readHeaders returns request headers, sorted so that equal ones are equal.
func readHeaders(b *block.Body, named map[string]string) (headers []checker.Header) {
	for _, name := range slices.Sorted(maps.Keys(named)) {
		h := checker.Header{Name: name, Value: named[name]}
		if err := h.Validate(); err != nil {
			b.Mistake(b.EntryAt("headers", name), "Invalid header", "%s.", sentence(err))
			continue
		}
		h.Value = strings.TrimSpace(h.Value)
		headers = append(headers, h)
	}
	return headers
}

// statusRanges returns the status codes that pass.
func statusRanges(b *block.Body, items []block.Item) checker.StatusRanges {
	if len(items) == 0 && !b.Refused("status") {
		b.Mistake(b.At("status"), "No status", "No answer could pass: write for example status = [\"200-299\", 304].")
	}
	var all checker.StatusRanges
	for _, it := range items {
		ranges, err := checker.ParseStatus(it.Text)
		if err != nil {
			b.Mistake(it.At, "Invalid status", "%s.", sentence(err))
		}
		all = append(all, ranges...)
	}
	slices.SortFunc(all, func(a, b checker.StatusRange) int { return a.First - b.First })
	return all
}
