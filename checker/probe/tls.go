package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// A tlsClient speaks TLS as a check has it.
type tlsClient struct {
	checker.TLS
	// host is whom the check asks for; empty: the server by its address.
	host      string
	protocols []string
	// authorities are trusted in place of the system's; nil: the system's.
	authorities *authorityFile
	// shown is the certificate of the check; nil: it has none.
	shown *clientFile
}

// alpnHTTP2 is what HTTP/2 is called when TLS is negotiated.
const alpnHTTP2 = "h2"

// newTLS makes options of TLS ready to run. The server is offered protocols.
func newTLS(a *authorities, o checker.TLS, host string, protocols ...string) *tlsClient {
	c := &tlsClient{TLS: o, host: host, protocols: protocols}
	if o.CA != "" && !o.Insecure {
		c.authorities = a.file(o.CA)
	}
	if o.Client != (checker.Client{}) {
		c.shown = a.clients.file(o.Client)
	}
	return c
}

// connect establishes a connection to a server, and negotiates TLS on it unless the client
// is nil. What is said goes over stream; the caller closes plain, in whichever way ends it.
func connect(ctx context.Context, t checker.Target, c *tlsClient) (plain *conn, stream io.ReadWriteCloser, seen found, err error) {
	plain, err = dial(ctx, netip.AddrPortFrom(t.Addr, t.Port), false)
	if err != nil || c == nil {
		return plain, traced(ctx, plain), seen, err
	}
	if stream, seen, err = c.handshake(ctx, plain, t.Addr); err != nil {
		plain.Close()
		return plain, stream, seen, err
	}
	return plain, traced(ctx, stream), seen, nil
}

// handshake negotiates TLS on a connection to an address. It finds when the server's
// certificate ends.
func (c *tlsClient) handshake(ctx context.Context, plain *conn, addr netip.Addr) (*tls.Conn, found, error) {
	config, err := c.config(ctx, addr)
	if err != nil {
		return nil, found{}, notRun(err)
	}
	asked, answer := false, config.GetClientCertificate
	config.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = r.Version >= tls.VersionTLS13
		return answer(r)
	}
	secure := tls.Client(plain, config)
	err = secure.Handshake()
	if err != nil {
		if t := tracerOf(ctx); t != nil {
			traceCertificates(t, refusedCertificates(err))
		}
		if !isNetError(err) {
			plain.closeInOrder() // The server has been told why.
		}
		return nil, found{}, while(negotiating, tlsError(config.ServerName, err))
	}
	traceTLS(ctx, secure.ConnectionState())
	if slices.Equal(c.protocols, []string{alpnHTTP2}) && secure.ConnectionState().NegotiatedProtocol != alpnHTTP2 {
		if plain.closeInOrder() == nil {
			secure.Close()
		}
		return nil, found{}, errors.New("the server did not choose HTTP/2 (h2) when TLS was negotiated")
	}
	return secure, found{asked: asked, certificateEnds: checker.DayOf(certificateEnd(secure.ConnectionState()))}, nil
}

// accepted ends a conversation in which nothing is read, with what a client says in the
// end, where the server has asked for a certificate. By TLS 1.3 it judges that after the
// handshake, so what it says is listened to until it closes, or the deadline passes.
func accepted(plain *conn, stream io.ReadWriteCloser, goodbye []byte) error {
	stream.Write(goodbye) // What it fails for is read.
	if s, ok := stream.(interface{ CloseWrite() error }); ok {
		s.CloseWrite()
	}
	plain.closeWrite()
	_, err := io.Copy(io.Discard, &io.LimitedReader{R: stream, N: lastWordsLimit})
	plain.closeInOrder()
	if isAlert(err) {
		return while(negotiating, tlsError("", err))
	}
	return nil
}

// refusedCertificates returns those that a handshake has failed for.
func refusedCertificates(err error) []*x509.Certificate {
	var e *tls.CertificateVerificationError
	if errors.As(err, &e) {
		return e.UnverifiedCertificates
	}
	return nil
}

// certificateEnd returns when the server's certificate, or one that it depends on,
// ends. Of several chains, the longest-lived counts.
func certificateEnd(s tls.ConnectionState) (end time.Time) {
	for _, chain := range s.VerifiedChains {
		first := slices.MinFunc(chain, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		if first.NotAfter.After(end) {
			end = first.NotAfter
		}
	}
	if end.IsZero() { // It was not verified.
		end = s.PeerCertificates[0].NotAfter
	}
	return end
}

// config returns how TLS is spoken to an address. No session is kept: each
// probe asks for the certificate and verifies it.
func (c *tlsClient) config(ctx context.Context, addr netip.Addr) (*tls.Config, error) {
	config := &tls.Config{
		ServerName:         c.serverName(addr),
		InsecureSkipVerify: c.Insecure,
		NextProtos:         c.protocols,
		MinVersion:         cmp.Or(checker.TLSVersions[c.MinVersion], tls.VersionTLS12),
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return new(tls.Certificate), nil } // none
	var err error
	if c.shown != nil {
		if config.GetClientCertificate, err = show(ctx, c.shown); err != nil {
			return nil, err
		}
	}
	if c.authorities == nil {
		return config, nil
	}
	if config.RootCAs, err = c.authorities.value(ctx); err != nil {
		return nil, fmt.Errorf("reading the certificates to trust: %w", err)
	}
	return config, nil
}

// serverName returns the name that a certificate must carry.
func (c *tlsClient) serverName(addr netip.Addr) string {
	host := c.host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return cmp.Or(c.ServerName, host, addr.WithZone("").String())
}

// remedies are for a certificate that is as it should be, and that the check does
// not know. All are named, since who mends one may need another next.
const remedies = "set server_name (whom it is for), ca_file (who signed it) or verify = false in the check's tls block"

// tlsError puts what is wrong with a certificate or a handshake into an
// operator's words.
func tlsError(want string, err error) error {
	var (
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		roots   x509.SystemRootsError
		record  tls.RecordHeaderError
		remote  *net.OpError
	)
	switch {
	case errors.As(err, &name):
		return fmt.Errorf("the certificate is for %s, not for %s: %s", namesOf(name.Certificate), want, remedies)
	case errors.As(err, &unknown) && unknown.Cert != nil:
		return fmt.Errorf("the certificate is signed by an unknown authority (%q): %s", unknown.Cert.Issuer, remedies)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		if time.Now().Before(invalid.Cert.NotBefore) {
			return fmt.Errorf("the certificate is not valid before %s", invalid.Cert.NotBefore.Format(time.RFC3339))
		}
		return fmt.Errorf("the certificate expired at %s", invalid.Cert.NotAfter.Format(time.RFC3339))
	case errors.As(err, &roots):
		return notRun(fmt.Errorf("%w: install the package ca-certificates, or set ca_file", err))
	case errors.As(err, &record):
		return errors.New("the server does not speak TLS")
	case errors.As(err, &remote) && isAlert(err):
		return fmt.Errorf("the server refused the TLS handshake: %s", strings.TrimPrefix(remote.Err.Error(), "tls: "))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server closed the connection during the TLS handshake")
	default:
		return err
	}
}

// isAlert reports whether an error is what a server says by TLS. By TLS 1.3, it says after
// the handshake that it wants another certificate, or one at all.
func isAlert(err error) bool {
	var remote *net.OpError
	return errors.As(err, &remote) && remote.Op == "remote error"
}

// namesOf returns the names that a certificate carries.
func namesOf(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if n := len(names); n > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), n-3)
	}
	return cmp.Or(strings.Join(names, ", "), "no name")
}
