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

// tlsConfig returns how a check talks TLS to an address. It trusts these
// authorities, or the system's where there are none. No session is kept: each
// probe asks for the certificate and verifies it.
func tlsConfig(ctx context.Context, o checker.HTTP, trusted *authorityFile, addr netip.Addr) (*tls.Config, error) {
	config := &tls.Config{
		ServerName:         serverName(o, addr),
		InsecureSkipVerify: o.Insecure,
		NextProtos:         []string{"http/1.1"},
	}
	if trusted == nil {
		return config, nil
	}
	var err error
	if config.RootCAs, err = trusted.pool(ctx); err != nil {
		return nil, fmt.Errorf("reading the certificates to trust: %w", err)
	}
	return config, nil
}

// serverName returns the name that a certificate must carry.
func serverName(o checker.HTTP, addr netip.Addr) string {
	host := o.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return cmp.Or(o.ServerName, host, addr.WithZone("").String())
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
	case errors.As(err, &remote) && remote.Op == "remote error":
		return fmt.Errorf("the server refused the TLS handshake: %s", strings.TrimPrefix(remote.Err.Error(), "tls: "))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server closed the connection during the TLS handshake")
	default:
		return err
	}
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
