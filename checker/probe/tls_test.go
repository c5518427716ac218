package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// An authority signs the certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// file holds its certificate.
	file string
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	der, key := a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Test Authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.key = key
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(a.file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign returns a certificate and its new key; the first is the authority's own.
func (a *authority) sign(t testing.TB, c *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// certificate returns one for the names, valid for the hours from and to now.
func (a *authority) certificate(t testing.TB, from, to int, names ...string) tls.Certificate {
	t.Helper()
	c := &x509.Certificate{
		NotBefore: time.Now().Add(time.Duration(from) * time.Hour),
		NotAfter:  time.Now().Add(time.Duration(to) * time.Hour),
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, name)
		}
	}
	der, key := a.sign(t, c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serveTLS answers every request by 200 and "well".
func serveTLS(t testing.TB, config *tls.Config) netip.AddrPort {
	t.Helper()
	return serve(t, func(c *net.TCPConn) {
		secure := tls.Server(c, config)
		defer secure.Close()
		if secure.Handshake() == nil {
			io.WriteString(secure, ok+"Content-Length: 4\r\n\r\nwell")
		}
	})
}

// A tlsTest is a probe by TLS, and what it finds. One that is to time out gets
// the timeout that its detail names, all others are patient.
type tlsTest struct {
	name    string
	addr    netip.AddrPort
	spec    checker.HTTP
	outcome checker.Outcome
	detail  string
}

// runTLS runs the tests of a table at once.
func runTLS(t *testing.T, tests []tlsTest) {
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			timeout := patience
			if strings.HasPrefix(tt.detail, "timeout after 400ms") {
				timeout = 400 * time.Millisecond
			}
			expect(t, probeOnce(t, p, at(tt.addr, tt.spec, timeout)), tt.outcome, tt.detail)
		})
	}
}

// config returns that of a server with a certificate for the names, valid for
// the hours from and to now.
func (a *authority) config(t testing.TB, from, to int, names ...string) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{a.certificate(t, from, to, names...)}}
}

// spec returns a check of a.example that trusts this authority, with changes.
func (a *authority) spec(changes ...func(*checker.HTTP)) checker.HTTP {
	h := checker.HTTP{Secure: true, Host: "a.example", TLS: checker.TLS{CA: a.file}}
	for _, change := range changes {
		change(&h)
	}
	return h
}

func TestTLSCertificates(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	good := serveTLS(t, ca.config(t, -1, 1, "a.example", "127.0.0.1"))
	a, with := ca.spec(), ca.spec
	runTLS(t, []tlsTest{
		{"a good certificate", good, a, checker.Passed, ""},
		{"a body by TLS", good, with(func(h *checker.HTTP) { h.Body = "^well$" }), checker.Passed, ""},
		{"a good certificate for the address", good, checker.HTTP{Secure: true, TLS: checker.TLS{CA: ca.file}}, checker.Passed, ""},
		{"the name of Host without its port", good, with(func(h *checker.HTTP) { h.Host = "a.example:8443" }), checker.Passed, ""},
		{"a server name beside another Host", good, with(func(h *checker.HTTP) { h.Host, h.ServerName = "b.example", "a.example" }), checker.Passed, ""},
		{"a certificate for another name", good, with(func(h *checker.HTTP) { h.Host = "b.example" }), checker.Failed,
			"the certificate is for a.example, 127.0.0.1, not for b.example"},
		{"a certificate for many other names", serveTLS(t, ca.config(t, -1, 1, "a.example", "c.example", "d.example", "e.example", "f.example")),
			with(func(h *checker.HTTP) { h.Host = "b.example" }), checker.Failed, "the certificate is for a.example, c.example, d.example and 2 more, not for b.example"},
		{"a certificate without a name", serveTLS(t, ca.config(t, -1, 1)), a, checker.Failed, "the certificate is for no name, not for a.example: set server_name (whom it is for), ca_file (who signed it) or verify = false in the check's tls block"},
		{"any certificate, where that is asked for", good, checker.HTTP{Secure: true, Host: "b.example", TLS: checker.TLS{Insecure: true}}, checker.Passed, ""},
		{"an expired certificate", serveTLS(t, ca.config(t, -2, -1, "a.example")), a, checker.Failed, "the certificate expired at "},
		{"a certificate of the future", serveTLS(t, ca.config(t, 1, 2, "a.example")), a, checker.Failed, "the certificate is not valid before "},
		{"a certificate by an authority that is not trusted", good, with(func(h *checker.HTTP) { h.CA = stranger.file }), checker.Failed,
			"the certificate is signed by an unknown authority"},
		{"the system's authorities do not know it", good, with(func(h *checker.HTTP) { h.CA = "" }), checker.Failed,
			"the certificate is signed by an unknown authority"},
	})
}

func TestTLSServers(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	old := ca.config(t, -1, 1, "a.example")
	old.MaxVersion, old.MinVersion = tls.VersionTLS11, tls.VersionTLS10
	choosy := ca.config(t, -1, 1, "a.example")
	choosy.ClientAuth = tls.RequireAnyClientCert
	choosy.MaxVersion = tls.VersionTLS12
	a := ca.spec()
	runTLS(t, []tlsTest{
		{"TLS 1.1 only", serveTLS(t, old), a, checker.Failed, "the server refused the TLS handshake: protocol version not supported"},
		{"it wants a certificate of the client", serveTLS(t, choosy), a, checker.Failed, "the server refused the TLS handshake: "},
		{"no TLS at all", serve(t, says(ok+"\r\n")), a, checker.Failed, ""},
		{"it speaks first, and no TLS", serve(t, func(c *net.TCPConn) { io.WriteString(c, "220 mail.example ESMTP\r\n") }), a, checker.Failed, "the server does not speak TLS"},
		{"it never shakes hands", serve(t, func(*net.TCPConn) {}), a, checker.Failed, "timeout after 400ms while negotiating TLS"},
		{"it closes instead", serve(t, func(c *net.TCPConn) { io.CopyN(io.Discard, c, 100); c.CloseWrite() }), a, checker.Failed,
			"the server closed the connection during the TLS handshake"},
		{"it resets instead", serve(t, func(c *net.TCPConn) { io.CopyN(io.Discard, c, 100); c.SetLinger(0); c.Close() }), a, checker.Failed,
			"connection reset by peer while negotiating TLS"},
		{"it sends handshakes for ever", serve(t, pours("", "\x16\x03\x03\x00\x04\x00\x00\x00\x00")), a, checker.Failed, ""},
		{"it sends empty records for ever", serve(t, pours("", "\x16\x03\x03\x00\x00")), a, checker.Failed, ""},
		{"it answers in TLS and then never", serve(t, func(c *net.TCPConn) {
			tls.Server(c, ca.config(t, -1, 1, "a.example")).Handshake()
		}), a, checker.Failed, "timeout after 400ms while reading the response header"},
	})
}

func TestTLSFilesOfAuthorities(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	good := serveTLS(t, ca.config(t, -1, 1, "a.example"))
	empty, fifo := filepath.Join(t.TempDir(), "empty.pem"), filepath.Join(t.TempDir(), "fifo.pem")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	with := ca.spec
	runTLS(t, []tlsTest{
		{"the file of authorities is missing", good, with(func(h *checker.HTTP) { h.CA = "/nowhere/ca.pem" }), checker.NotRun,
			"reading the certificates to trust: stat /nowhere/ca.pem: no such file or directory"},
		{"the file of authorities is none", good, with(func(h *checker.HTTP) { h.CA = empty }), checker.NotRun, "empty.pem: contains no certificate"},
		{"the file of authorities is a folder", good, with(func(h *checker.HTTP) { h.CA = t.TempDir() }), checker.NotRun, "not a regular file"},
		{"the file of authorities is a FIFO", good, with(func(h *checker.HTTP) { h.CA = fifo }), checker.NotRun, "fifo.pem: not a regular file"},
	})
}

func TestTLSServerNameIndication(t *testing.T) {
	ca := newAuthority(t)
	var asked atomic.Value
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		asked.Store(hello.ServerName)
		c := ca.certificate(t, -1, 1, "a.example", "127.0.0.1")
		return &c, nil
	}}
	addr := serveTLS(t, config)
	p := newProber(t)
	for _, tt := range []struct{ host, server, want string }{
		{"a.example:443", "", "a.example"},
		{"b.example", "a.example", "a.example"},
		{"", "", ""}, // an address is no name to send
	} {
		spec := checker.HTTP{Secure: true, Host: tt.host, TLS: checker.TLS{CA: ca.file, ServerName: tt.server}}
		expect(t, probeOnce(t, p, at(addr, spec, patience)), checker.Passed, "")
		if got := asked.Load(); got != tt.want {
			t.Errorf("host %q, server name %q: the server was asked for %q, want %q", tt.host, tt.server, got, tt.want)
		}
	}
}

func TestTLSAuthoritiesAreReadAgain(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	addr := serveTLS(t, ca.config(t, -1, 1, "a.example"))
	target := at(addr, checker.HTTP{Secure: true, Host: "a.example", TLS: checker.TLS{CA: stranger.file}}, patience)
	p := newProber(t)
	expect(t, probeOnce(t, p, target), checker.Failed, "unknown authority")
	text, err := os.ReadFile(ca.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stranger.file, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, probeOnce(t, p, target), checker.Passed, "")
}

func TestTLSServerThatSpeaksHTTPOnAPlainCheck(t *testing.T) {
	ca := newAuthority(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:   http.NotFoundHandler(),
		TLSConfig: ca.config(t, -1, 1, "a.example"),
	}
	go server.ServeTLS(l, "", "")
	defer server.Close()
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	expect(t, probeOnce(t, newProber(t), at(addr, checker.HTTP{}, patience)), checker.Failed, "status 400, want 200-299")
	expect(t, probeOnce(t, newProber(t), at(addr, checker.HTTP{Secure: true, Host: "a.example", TLS: checker.TLS{CA: ca.file}}, patience)),
		checker.Failed, "status 404, want 200-299")
}

// After a move from keepalived, which verifies nothing, every server is down.
func TestACertificateThatDoesNotFitNamesTheThreeRemedies(t *testing.T) {
	for _, err := range []error{
		x509.HostnameError{Certificate: &x509.Certificate{}, Host: "192.168.1.4"},
		x509.UnknownAuthorityError{Cert: &x509.Certificate{}},
	} {
		text := tlsError("192.168.1.4", err).Error()
		for _, remedy := range []string{"server_name", "ca_file", "verify = false", "tls block"} {
			if !strings.Contains(text, remedy) {
				t.Errorf("%q does not mention %s", text, remedy)
			}
		}
	}
}
