package probe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// shown writes a certificate, and its key, to files.
func (a *authority) shown(t testing.TB) checker.Client {
	t.Helper()
	pair := a.certificate(t, -1, 1, "client.example")
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	c := checker.Client{Certificate: filepath.Join(t.TempDir(), "pem"), Key: filepath.Join(t.TempDir(), "key")}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	if err := os.WriteFile(c.Certificate, certificate, 0o644); err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	if err := os.WriteFile(c.Key, append(private, certificate...), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// A server that wants to know who asks, by TLS 1.2 in the handshake, by TLS 1.3 after it.
func TestTLSCertificateOfTheCheck(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	known, unknown := ca.shown(t), stranger.shown(t)
	open := ca.shown(t)
	if err := os.Chmod(open.Key, 0o644); err != nil {
		t.Fatal(err)
	}
	swapped := checker.Client{Certificate: known.Certificate, Key: unknown.Key}
	spec := func(c checker.Client) checker.HTTP {
		return ca.spec(func(h *checker.HTTP) { h.Client = c })
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := ca.config(t, -1, 1, "a.example")
		config.MaxVersion = version
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AddCert(ca.cert)
		addr := serveTLS(t, config)
		runTLS(t, []tlsTest{
			{"the server knows it", addr, spec(known), checker.Passed, ""},
			{"it is in the key's file", addr, spec(checker.Client{Key: known.Key}), checker.Passed, ""},
			{"there is none", addr, spec(checker.Client{}), checker.Failed, "the server refused the TLS handshake: "},
			{"the server does not know it", addr, spec(unknown), checker.Failed, "the server refused the TLS handshake: "},
			{"it has another key", addr, spec(swapped), checker.NotRun, "cannot be used: tls: private key does not match public key"},
			{"its key is open to everybody", addr, spec(open), checker.NotRun, "is open to everybody"},
			{"its key is missing", addr, spec(checker.Client{Key: "/nowhere/key.pem"}), checker.NotRun, "/nowhere/key.pem"},
		})
	}
	p := newProber(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := ca.config(t, -1, 1, "a.example")
		config.MaxVersion = version
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AddCert(ca.cert)
		addr := serve(t, func(plain *net.TCPConn) {
			c := tls.Server(plain, config)
			io.Copy(io.Discard, c)
			c.Close()
		})
		for _, tt := range []struct {
			name    string
			client  checker.Client
			outcome checker.Outcome
			detail  string
		}{
			{"the server knows it", known, checker.Passed, ""},
			{"there is none", checker.Client{}, checker.Failed, "the server refused the TLS handshake: "},
			{"the server does not know it", unknown, checker.Failed, "the server refused the TLS handshake: "},
		} {
			t.Run(tt.name+", and nothing is read, by "+tls.VersionName(version), func(t *testing.T) {
				secure := checker.TLS{CA: ca.file, ServerName: "a.example", Client: tt.client}
				for _, asks := range []checker.Options{checker.Handshake{TLS: secure}, checker.TCP{TLS: &secure}, checker.TCP{TLS: &secure, Send: []byte("hello\n"), Quit: []byte("bye\n")}} {
					expect(t, probeOnce(t, p, at(addr, asks, patience)), tt.outcome, tt.detail)
				}
			})
		}
	}
	runTLS(t, []tlsTest{
		{"the server does not ask", serveTLS(t, ca.config(t, -1, 1, "a.example")), spec(known), checker.Passed, ""},
	})
}

// The certificate of a check is replaced while it runs, as every few weeks.
func TestTLSCertificateOfTheCheckIsReadAgain(t *testing.T) {
	p := newProber(t)
	ca := newAuthority(t)
	old, renewed := ca.shown(t), ca.shown(t)
	read := func() *tls.Certificate {
		t.Helper()
		c, err := p.authorities.clients.file(old).value(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c.Certificate
	}
	first := read()
	if again := read(); again != first {
		t.Error("a certificate that has not changed is parsed again")
	}
	for from, to := range map[string]string{renewed.Certificate: old.Certificate, renewed.Key: old.Key} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(to+".new", to); err != nil {
			t.Fatal(err)
		}
	}
	if again := read(); again == first || again.Leaf.Equal(first.Leaf) {
		t.Error("a certificate that has been replaced is not read again")
	}
}

// TestTLSLargeCertificate: a certificate may have a megabyte, and is refused at once.
func TestTLSLargeCertificate(t *testing.T) {
	t.Parallel()
	config := newAuthority(t).config(t, -1, 1, "a.example")
	config.Certificates[0].Certificate = append(config.Certificates[0].Certificate, make([]byte, 1<<20))
	addr := serve(t, func(c *net.TCPConn) {
		tls.Server(c, config).Handshake()
		io.Copy(io.Discard, c)
	})
	expect(t, probeOnce(t, newProber(t), at(addr, checker.HTTP{Secure: true}, patience)), checker.Failed, "tls: handshake message of length")
}
