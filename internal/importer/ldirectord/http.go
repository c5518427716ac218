package ldirectord

import (
	"net/url"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// redirects is how many redirects ldirectord follows.
const redirects = 7

// web makes a check by HTTP.
func (w *walk) web(s *service, r *server, kind string) *importer.Block {
	name := "http"
	if kind == "https" {
		name = "https"
	}
	b := importer.NewBlock("check", name)
	a := w.asked(s, r)
	host := w.of(s, "virtualhost")
	if u := a.whole(); u != nil {
		w.proxied(b, a, u, kind, r)
	} else {
		b.Set("path", importer.String(a.path()), a.from...)
		if kind == "http_proxy" {
			w.lose(importer.Differs, first(a.line, s.line), "a proxy is asked for a whole URL, which this is not", `Write host and path in the check block, and proxy = true.`)
		}
	}
	switch {
	case host != nil && strings.ContainsAny(host.value, " \t"):
		w.lose(importer.Lost, host, "the name of a host has no spaces", "Write host in the check block.")
	case host != nil && kind != "http_proxy":
		b.Set("host", importer.String(host.value), host.Place)
	}
	w.method(s, b, &a)
	b.Set("follow_redirects", importer.Number(redirects)).Comment = "ldirectord follows those to other hosts, too"
	w.expect(b, a, "body")
	if name == "https" {
		w.nameless(s, b)
	}
	return b
}

// method sets the method of the request. What HEAD returns has no body.
func (w *walk) method(s *service, b *importer.Block, a *ask) {
	m := w.of(s, "httpmethod")
	if m == nil {
		return
	}
	b.Set("method", importer.String(m.value), m.Place)
	if m.value == "HEAD" && a.receive != "" {
		w.lose(importer.Differs, first(a.answer, m), "an answer to HEAD has no body in which this could be, so that all servers are down in ldirectord; here, any answer passes", "Write method = \"GET\" and expect { body = \"…\" }.")
		a.receive = ""
	}
}

// proxied sets what is asked for by a whole URL.
func (w *walk) proxied(b *importer.Block, a ask, u *url.URL, kind string, r *server) {
	path := u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	b.Set("path", importer.String(rooted(path)), a.from...)
	b.Set("host", importer.String(u.Host), a.from...)
	switch {
	case kind == "http_proxy":
		b.Set("proxy", importer.Bool(true))
	case u.Hostname() != r.address.String():
		w.lose(importer.Differs, first(a.line, r.line), "ldirectord asks the host of the URL, and not the server; here, the server is asked for it", `Write address = "…" in the check block to ask another one.`)
	}
}

// An ask is what a check asks, and what it wants to hear.
type ask struct {
	line    *line // of the request; nil: none
	answer  *line
	request string // with a slash before it
	receive string
	from    []importer.Place
	heard   []importer.Place
	own     bool
}

// asked returns what a server is asked.
func (w *walk) asked(s *service, r *server) ask {
	if r.asks {
		return ask{r.line, r.line, r.request, r.receive, places(r.line), places(r.line), true}
	}
	req, rec := w.of(s, "request"), w.of(s, "receive")
	a := ask{line: req, answer: rec, request: "/", from: places(req), heard: places(rec)}
	if req != nil {
		a.request = rooted(req.value)
	}
	if rec != nil {
		a.receive = rec.value
	}
	return a
}

// text is the request without the slash.
func (a ask) text() string { return strings.TrimPrefix(a.request, "/") }

// path is the request as the path of a URL.
func (a ask) path() string {
	return "/" + strings.NewReplacer(" ", "%20", "\t", "%09").Replace(a.text())
}

// whole returns the request as a URL that has a host; nil if it is none.
func (a ask) whole() *url.URL {
	u, err := url.Parse(a.text())
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}

// expect sets what the answer must have, by the option of the check's block expect.
func (w *walk) expect(b *importer.Block, a ask, option string) {
	if a.receive == "" {
		return
	}
	p, err := pattern(a.receive)
	if err != nil {
		w.lose(importer.Lost, a.answer, err.Error()+"; any answer passes", "Write "+option+" in the expect block, without it.")
		return
	}
	b.Block("expect").Set(option, importer.String(p), a.heard...)
}
