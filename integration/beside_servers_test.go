package integration

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A backend is a real server with all that the checks ask for.
type backend struct {
	*pair
	host        *cluster.Host
	certificate *tls.Certificate
	wrong       atomic.Bool
	closes      []func() error
}

// trusted is the name of the file that has the authority of the servers' certificates.
const trusted = "trusted.pem"

// backends starts all real servers.
func (p *pair) backends() (all []*backend) {
	a := newAuthority(p.t)
	p.must(os.WriteFile(filepath.Join(p.Dir, trusted), []byte(a.pem()), 0o644))
	for _, h := range p.Servers {
		b := &backend{pair: p, host: h, certificate: a.sign(p.t, "192.0.2.1")} // nobody verifies the name
		b.start()
		p.t.Cleanup(b.kill)
		all = append(all, b)
	}
	return all
}

// kill ends all that a server serves.
func (b *backend) kill() {
	for _, c := range b.closes {
		_ = c()
	}
	b.closes = nil
	b.must(b.host.Sysctl("net/ipv4/icmp_echo_ignore_all", "1"))
	b.must(b.host.Sysctl("net/ipv6/icmp/echo_ignore_all", "1"))
}

// start serves all that the checks ask for.
func (b *backend) start() {
	b.must(b.host.Sysctl("net/ipv4/icmp_echo_ignore_all", "0"))
	b.must(b.host.Sysctl("net/ipv6/icmp/echo_ignore_all", "0"))
	plain := func(l net.Listener) net.Listener { return l }
	b.http(80, plain)
	b.http(8080, plain)
	b.http(443, func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*b.certificate}, ClientAuth: tls.RequestClientCert})
	})
	b.mail()
	b.datagrams(5000, func([]byte) []byte { return []byte(map[bool]string{true: "nope", false: "pong"}[b.wrong.Load()]) })
	b.datagrams(53, b.answer)
}

// mail greets, and says yes to everything.
func (b *backend) mail() {
	l := b.listen(b.host, 25)
	b.closes = append(b.closes, l.Close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprint(c, map[bool]string{true: "554 no\r\n", false: "220 mail\r\n"}[b.wrong.Load()])
				for lines := bufio.NewScanner(c); lines.Scan(); {
					fmt.Fprint(c, "250 yes\r\n")
				}
			}()
		}
	}()
}

// datagrams answers each datagram.
func (b *backend) datagrams(port int, answer func([]byte) []byte) {
	b.must(b.host.In(func() error {
		c, err := net.ListenPacket("udp4", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		b.closes = append(b.closes, c.Close)
		go func() {
			buffer := make([]byte, 512)
			for {
				n, from, err := c.ReadFrom(buffer)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(answer(buffer[:n]), from)
			}
		}()
		return nil
	}))
}

// answer answers a question about an address (RFC 1035, section 4): with one, or with SERVFAIL.
func (b *backend) answer(question []byte) []byte {
	out := append([]byte(nil), question...)
	out[2], out[3] = 0x81, 0x80
	if b.wrong.Load() {
		out[3] |= 2
		return out
	}
	out[7] = 1 // an answer, of the name in the question: type A, class IN, TTL 60, 4 bytes
	return append(out[:12+len("\x03www\x07example\x03org\x00")+4], 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1)
}

// http serves pages.
func (b *backend) http(port uint16, wrap func(net.Listener) net.Listener) {
	var l net.Listener
	b.must(b.host.In(func() (err error) { l, err = net.Listen("tcp", fmt.Sprintf(":%d", port)); return err }))
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(b.page)}
	go func() { _ = s.Serve(wrap(l)) }()
	b.closes = append(b.closes, s.Close)
}

// page answers a request, rightly or wrongly.
func (b *backend) page(w http.ResponseWriter, r *http.Request) {
	wrong := b.wrong.Load()
	switch {
	case r.URL.Path == "/text" && wrong:
		fmt.Fprintln(w, "sorry")
		return
	case wrong:
		w.WriteHeader(http.StatusInternalServerError)
	case r.URL.Path == "/host" && r.Host != "www.example.org":
		w.WriteHeader(http.StatusNotFound)
	case r.URL.Path == "/weight":
		fmt.Fprintln(w, "7")
		return
	}
	fmt.Fprintln(w, "page")
}
