package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkHTTP = newCheckKind("http",
	"The server answers a request as expected. The answer is read to its end, but not beyond 1 MiB or for longer than a second, so that a check leaves no trace in the server's log of errors.",
	httpCheckTable, (*httpCheck).self, func(b *block.Body, c *httpCheck) probe { return c.compile(b) })

var checkHTTPS = newCheckKind("https", "The same over TLS. The server's certificate is verified, see tls.",
	httpsCheckTable, (*httpCheck).self, func(b *block.Body, c *httpCheck) probe {
		c.asks.Secure, c.asks.TLS = true, c.tls.compile()
		return c.compile(b)
	})

type httpCheck struct {
	probe
	asks    checker.HTTP
	headers map[string]string
	expect  expect
	tls     tlsOptions
}

type expect struct {
	status []block.Item
	body   string
}

var httpCheckTable = block.NewTable("check", httpOptions)

var httpsCheckTable = block.NewTable("check", func() []block.Entry[httpCheck] {
	return append(httpOptions(),
		block.Inner("tls", "How TLS is spoken, and how the server's certificate is verified. Without this block, it must be valid for the check's host or, if that is not set, for the server's address.", tlsTable, func(c *httpCheck) *tlsOptions { return &c.tls }),
	)
})

func httpOptions() []block.Entry[httpCheck] {
	return append(timing((*httpCheck).self),
		portOption((*httpCheck).self),
		httpText("method", "The method of the request.", "GET",
			func(h *checker.HTTP) *string { return &h.Method }, func(c *httpCheck) *string { return &c.asks.Method }),
		httpText("path", "The path of the request, including the query if there is one. Use a path that fails when the service behind it fails.", "/",
			func(h *checker.HTTP) *string { return &h.Path }, func(c *httpCheck) *string { return &c.asks.Path }),
		httpText("host", "The Host header of the request, for servers that host several sites.", "",
			func(h *checker.HTTP) *string { return &h.Host }, func(c *httpCheck) *string { return &c.asks.Host }).Unless("the server's address and port"),
		block.Pairs("headers", "Additional headers of the request.", func(c *httpCheck) *map[string]string { return &c.headers }).Unless("none").Secret(),
		block.Inner("expect", "Which answers pass the check.", expectTable, func(c *httpCheck) *expect { return &c.expect }),
	)
}

var expectTable = block.NewTable("expect", func() []block.Entry[expect] {
	return []block.Entry[expect]{
		block.List("status", "The status codes, and ranges of status codes, that pass: [\"200-299\", 304].", func(e *expect) *[]block.Item { return &e.status }).Unless(`["` + checker.DefaultStatus.String() + `"]`),
		httpText("body", "A regular expression (RE2 syntax) that must match somewhere in the first 256 KiB of the body. A dollar sign matches only at its end, where the server may close the connection in any way.", "",
			func(h *checker.HTTP) *string { return &h.Body }, func(e *expect) *string { return &e.body }).Unless("none; any body passes"),
	}
})

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
	inner, given := b.Block("expect")
	if given && c.expect.status != nil {
		c.asks.Status = statusRanges(inner, c.expect.status)
	}
	c.headers, c.expect.status = nil, nil
	c.asks.Body = c.expect.body
	if c.asks.Method == "HEAD" && c.asks.Body != "" {
		const detail = "The answer to HEAD has no body: remove body, or use method = \"GET\"."
		switch {
		case given && inner.Given("body"):
			b.Mistake(inner.At("body"), "Body of HEAD", detail)
		case b.Given("method"):
			b.Mistake(b.At("method"), "Body of HEAD", "By its defaults, this check expects a body. "+detail)
		}
	}
	return c.asking(b, c.asks)
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
