package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Tracer is told what a probe sees, step by step. What is sent is not told, since it may
// hold a password. What comes is told whole, so that whoever shows less of it does not cut
// a secret in two before it is taken out.
type Tracer func(step, text string)

type tracerKey struct{}

// WithTracer returns the context of a probe whose steps are told.
func WithTracer(ctx context.Context, t Tracer) context.Context {
	return context.WithValue(ctx, tracerKey{}, t)
}

// tracerOf returns who is told of a probe's steps; nil: nobody, as almost always.
func tracerOf(ctx context.Context) Tracer {
	t, _ := ctx.Value(tracerKey{}).(Tracer)
	return t
}

// without returns a text of a server's without secrets that it repeats, since it will be
// shown to anybody. It must be whole: what is cut may end within a secret.
func without(text string, secrets ...string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "[hidden]")
		}
	}
	return text
}

// untold returns the context of a probe whose steps are told without secrets that the
// server repeats.
func untold(ctx context.Context, secrets func() []string) context.Context {
	tell := tracerOf(ctx)
	if tell == nil {
		return ctx
	}
	return WithTracer(ctx, func(step, text string) {
		for _, secret := range secrets() {
			quoted := strconv.Quote(secret)
			text = without(text, secret, quoted[1:len(quoted)-1])
		}
		tell(step, text)
	})
}

// traced returns what a conversation goes over, where its steps are to be told.
func traced(ctx context.Context, stream io.ReadWriteCloser) io.ReadWriteCloser {
	if t := tracerOf(ctx); t != nil {
		return tracedStream{stream, t}
	}
	return stream
}

// A tracedStream tells what goes over a stream.
type tracedStream struct {
	io.ReadWriteCloser
	tell Tracer
}

func (s tracedStream) Read(b []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(b)
	switch {
	case n > 0:
		s.tell("received", fmt.Sprintf("%d bytes: %q", n, b[:n]))
	case err == io.EOF:
		s.tell("closed", "the server has nothing more to say")
	}
	return n, err
}

func (s tracedStream) Write(b []byte) (int, error) {
	n, err := s.ReadWriteCloser.Write(b)
	s.tell("sent", fmt.Sprintf("%d bytes", n))
	return n, err
}

// CloseWrite tells the server that nothing more comes, where the stream can.
func (s tracedStream) CloseWrite() error {
	if c, ok := s.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// traceSocket tells where a socket's packets go: to whom, and from where.
func traceSocket(ctx context.Context, step string, fd int, to netip.AddrPort) {
	t := tracerOf(ctx)
	if t == nil {
		return
	}
	text := fmt.Sprintf("to %v", to)
	if from := localOf(fd); !from.Addr().IsUnspecified() {
		text += fmt.Sprintf(" from %v%s", from, interfaceOf(from.Addr()))
	}
	t(step, text)
}

// localOf returns the own address of a socket; the unspecified one if that is not known.
func localOf(fd int) netip.AddrPort {
	local, err := unix.Getsockname(fd)
	if own := addrPortOf(local); err == nil && own.IsValid() {
		return netip.AddrPortFrom(own.Addr().Unmap(), own.Port())
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
}

// addrPortOf returns the address of a system call.
func addrPortOf(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// interfaceOf returns the name of the interface that has an address, in brackets; empty
// if that is not known.
func interfaceOf(a netip.Addr) string {
	all, _ := net.Interfaces()
	for _, i := range all {
		addresses, _ := i.Addrs()
		for _, n := range addresses {
			if p, err := netip.ParsePrefix(n.String()); err == nil && p.Addr() == a.WithZone("") {
				return " (an address of " + i.Name + ")"
			}
		}
	}
	return ""
}

// traceTLS tells what was negotiated, and with whom.
func traceTLS(ctx context.Context, s tls.ConnectionState) {
	t := tracerOf(ctx)
	if t == nil {
		return
	}
	text := tls.VersionName(s.Version) + " " + tls.CipherSuiteName(s.CipherSuite)
	if s.NegotiatedProtocol != "" {
		text += " " + s.NegotiatedProtocol
	}
	t("tls", text)
	traceCertificates(t, s.PeerCertificates)
}

// traceCertificates tells of a server's certificates.
func traceCertificates(t Tracer, chain []*x509.Certificate) {
	for _, c := range chain[:min(len(chain), 10)] {
		names := append(c.DNSNames, c.Subject.CommonName)
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
		days := int(time.Until(c.NotAfter).Hours() / 24)
		t("certificate", fmt.Sprintf("for %.200s, of %.100q, ends %s (in %d days)", strings.Join(names, ", "), c.Issuer, c.NotAfter.Format(time.DateOnly), days))
	}
}
