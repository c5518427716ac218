package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// checked has a service whose servers are checked by ping, and one by https
// with a certificate authority of its own.
const checked = `
virtual_service "pinged" {
  address  = "10.13.0.200"
  port     = 53
  protocol = "udp"
  forward  = "nat"
  check "ping" {
    interval = "500ms"
    timeout  = "300ms"
    fall     = 2
    rise     = 1
  }
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}

virtual_service "secure" {
  address = "10.13.0.200"
  port    = 443
  forward = "nat"
  check "https" {
    interval = "500ms"
    timeout  = "300ms"
    fall     = 2
    rise     = 1
    tls { ca_file = "ca.pem" }
  }
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}
`

// TestServersAreCheckedByPingAndHTTPS lets one server of two stop answering
// pings, and have a certificate that anybody could have made.
func TestServersAreCheckedByPingAndHTTPS(t *testing.T) {
	trusted, stranger := newAuthority(t), newAuthority(t)
	p := newPair(t, map[string]string{"director.hcl": outside, "checked.hcl": checked, "ca.pem": trusted.pem()})
	p.serveTLS(p.Servers[0], trusted.sign(t, "192.168.1.4"))
	web2 := p.serveTLS(p.Servers[1], trusted.sign(t, "192.168.1.5"))
	p.start(0)
	p.waitReady(0)
	p.waitTable(0)

	p.must(p.Servers[1].Sysctl("net/ipv4/icmp_echo_ignore_all", "1"))
	web2.Store(stranger.sign(t, "192.168.1.5"))
	p.waitTable(0, "192.168.1.5")
	for i, s := range p.mustStatus(0).Services {
		last := s.Servers[1].Checks[0].Last
		if want := []string{"echo reply", "certificate"}[i]; !strings.Contains(last.Detail, want) {
			t.Errorf("%s: the last result of web2 is %v, %q; want a word of %q", s.Name, last.Outcome, last.Detail, want)
		}
	}

	p.must(p.Servers[1].Sysctl("net/ipv4/icmp_echo_ignore_all", "0"))
	web2.Store(trusted.sign(t, "192.168.1.5"))
	p.waitTable(0)
}

// serveTLS answers https on a host, with a certificate that may be replaced.
func (p *pair) serveTLS(h *cluster.Host, certificate *tls.Certificate) *atomic.Pointer[tls.Certificate] {
	p.t.Helper()
	current := new(atomic.Pointer[tls.Certificate])
	current.Store(certificate)
	l := tls.NewListener(p.listen(h, 443), &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil },
	})
	p.servePages(l, func(http.ResponseWriter, *http.Request) {})
	return current
}

// An authority signs certificates. Nobody trusts it who was not told to.
type authority struct{ *tls.Certificate }

func newAuthority(t *testing.T) authority {
	template := x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	return authority{certificate(t, nil, &template)}
}

// pem is its own certificate.
func (a authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Leaf.Raw}))
}

// key is the private key of its own certificate.
func (a authority) key(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// sign makes a certificate for a server of that address.
func (a authority) sign(t *testing.T, addr string) *tls.Certificate {
	return certificate(t, a.Certificate, &x509.Certificate{IPAddresses: []net.IP{net.ParseIP(addr)}})
}

// certificate makes a certificate that is signed by another one, or by itself.
func certificate(t *testing.T, by *tls.Certificate, template *x509.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
