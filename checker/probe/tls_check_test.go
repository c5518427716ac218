package probe

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// greetTLS negotiates TLS, and waits for the end.
func greetTLS(t *testing.T, config *tls.Config) netip.AddrPort {
	t.Helper()
	return serve(t, func(c *net.TCPConn) {
		secure := tls.Server(c, config)
		if secure.Handshake() == nil {
			io.Copy(io.Discard, secure)
		}
		c.Close()
	})
}

func TestTLSAlone(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	config := func(from, to int, change func(*tls.Config)) *tls.Config {
		c := &tls.Config{Certificates: []tls.Certificate{a.certificate(t, from, to, "a.example")}}
		change(c)
		return c
	}
	as := func(*tls.Config) {}
	good := checker.TLS{CA: a.file, ServerName: "a.example"}
	old := good
	old.MinVersion = "1.0"
	new := good
	new.MinVersion = "1.3"
	tests := []struct {
		name    string
		addr    netip.AddrPort
		spec    checker.TLS
		timeout time.Duration
		outcome checker.Outcome
		detail  string
	}{
		{"a valid certificate", greetTLS(t, config(-1, 1, as)), good, patience, checker.Passed, ""},
		{"one that has ended", greetTLS(t, config(-2, -1, as)), good, patience, checker.Failed, "the certificate expired at "},
		{"one that is not valid yet", greetTLS(t, config(1, 2, as)), good, patience, checker.Failed, "the certificate is not valid before "},
		{"one for another name", greetTLS(t, config(-1, 1, as)), checker.TLS{CA: a.file, ServerName: "b.example"}, patience, checker.Failed, "the certificate is for a.example, not for b.example"},
		{"one of an unknown authority", greetTLS(t, config(-1, 1, as)), checker.TLS{CA: stranger.file, ServerName: "a.example"}, patience, checker.Failed, "signed by an unknown authority"},
		{"one of an unknown authority, which is not verified", greetTLS(t, config(-1, 1, as)), checker.TLS{Insecure: true}, patience, checker.Passed, ""},
		{"an old version", greetTLS(t, config(-1, 1, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })), good, patience, checker.Failed, "the server refused the TLS handshake: protocol version not supported"},
		{"an old version that is allowed", greetTLS(t, config(-1, 1, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })), old, patience, checker.Passed, ""},
		{"a version that is not allowed", greetTLS(t, config(-1, 1, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })), new, patience, checker.Failed, "protocol version not supported"},
		{"plain text", serve(t, greets("220 mail.example ESMTP\r\n")), good, patience, checker.Failed, "the server does not speak TLS"},
		{"garbage", serve(t, floods("\x16\x03\x03\xff\xff")), good, patience, checker.Failed, "the server does not speak TLS"},
		{"a certificate of 1 MB", greetTLS(t, config(-1, 1, func(c *tls.Config) {
			one := c.Certificates[0].Certificate
			for len(one) < 2000 {
				one = append(one, one[0])
			}
			c.Certificates[0].Certificate = one
		})), good, patience, checker.Failed, "tls: "},
		{"silence", serve(t, func(*net.TCPConn) {}), good, 300 * time.Millisecond, checker.Failed, "timeout after 300ms while negotiating TLS"},
		{"a byte at a time", serve(t, trickles("\x16\x03\x03\x40\x00")), good, 300 * time.Millisecond, checker.Failed, "timeout after 300ms while negotiating TLS"},
		{"the server closes", serve(t, func(c *net.TCPConn) { io.ReadFull(c, make([]byte, 50)); c.CloseWrite() }), good, patience, checker.Failed, "the server closed the connection during the TLS handshake"},
		{"nobody listens", closedPort(t), good, patience, checker.Failed, "connection refused"},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := probeOnce(t, p, at(tt.addr, checker.Handshake{TLS: tt.spec}, tt.timeout))
			expect(t, r, tt.outcome, tt.detail)
			if (r.CertificateEnds != 0) != (r.Outcome == checker.Passed) {
				t.Errorf("the certificate ends on day %d of a probe that %v", r.CertificateEnds, r.Outcome)
			}
		})
	}
}

// The day is that of the certificate in the chain which ends first.
func TestTLSCertificateEnds(t *testing.T) {
	a := newAuthority(t) // which ends in an hour
	addr := greetTLS(t, &tls.Config{Certificates: []tls.Certificate{a.certificate(t, -1, 24*30, "a.example")}})
	p := newProber(t)
	for _, tt := range []struct {
		spec checker.TLS
		want time.Time
	}{
		{checker.TLS{CA: a.file, ServerName: "a.example"}, a.cert.NotAfter},
		{checker.TLS{Insecure: true}, time.Now().Add(24 * 30 * time.Hour)},
	} {
		for _, o := range []checker.Options{checker.Handshake{TLS: tt.spec}, checker.TCP{TLS: &tt.spec}} {
			if got := probeOnce(t, p, at(addr, o, patience)).CertificateEnds; got != checker.DayOf(tt.want) {
				t.Errorf("%s %+v: %v, want %v", o.Kind(), tt.spec, got.Time(), tt.want)
			}
		}
	}
}

// TestTLSOfOpenSSL asks Debian's, in the versions that it is told to speak, and leaves no
// line of an error behind.
func TestTLSOfOpenSSL(t *testing.T) {
	t.Parallel()
	pair := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(pair, []byte(keyPair(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	p := newProber(t)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		addr := closedPort(t)
		server := startServer(t, addr, "openssl", "s_server", "-accept", addr.String(), "-cert", pair, "-key", pair, "-www", version)
		insecure := checker.Handshake{TLS: checker.TLS{Insecure: true}}
		expect(t, probeOnce(t, p, at(addr, insecure, patience)), checker.Passed, "")
		expect(t, probeOnce(t, p, at(addr, checker.Handshake{TLS: checker.TLS{ServerName: "a.example"}}, patience)), checker.Failed, "unknown authority")
		whileStopped(t, server, func() {
			expect(t, probeOnce(t, p, at(addr, insecure, 300*time.Millisecond)), checker.Failed, "timeout after 300ms while negotiating TLS")
		})
	}
}
