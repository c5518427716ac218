package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/keyfile"
)

// clients are the certificates by which checks show who they are, and a clientFile is the
// two files of one of them.
type (
	clients    = files[checker.Client, shownCertificate]
	clientFile = file[checker.Client, shownCertificate]
)

// A shownCertificate is a certificate with its key, as they were in two files.
type shownCertificate struct {
	*tls.Certificate
	// certificate is the version of the certificate's file; that of the key's is the
	// content's.
	certificate version
}

// readClient returns a certificate with its key: those known, if neither file has changed.
func readClient(c checker.Client, known content[shownCertificate]) (content[shownCertificate], error) {
	now := content[shownCertificate]{}
	certificate, err := os.Stat(cmp.Or(c.Certificate, c.Key))
	if err != nil {
		return now, err
	}
	if key, err := os.Stat(c.Key); err == nil {
		now.version = versionOf(key) // Looked at first: what changes meanwhile is read again.
	}
	now.value.certificate = versionOf(certificate)
	if known.value.Certificate != nil && now.version == known.version && now.value.certificate == known.value.certificate {
		return known, nil
	}
	if !certificate.Mode().IsRegular() || certificate.Size() > fileLimit {
		return content[shownCertificate]{}, fmt.Errorf("%s: not a regular file, or larger than %d MiB", certificate.Name(), fileLimit>>20)
	}
	key, err := keyfile.PrivateKey.File(c.Key)
	if err != nil {
		return content[shownCertificate]{}, err
	}
	text := []byte(key)
	if c.Certificate != "" {
		if text, err = os.ReadFile(c.Certificate); err != nil {
			return content[shownCertificate]{}, err
		}
	}
	pair, err := tls.X509KeyPair(text, []byte(key))
	if err != nil {
		return content[shownCertificate]{}, fmt.Errorf("%v cannot be used: %w", c, err)
	}
	now.value.Certificate = &pair
	return now, nil
}

// show returns what shows a certificate to a server that asks for one, whatever
// authorities it names.
func show(ctx context.Context, f *clientFile) (func(*tls.CertificateRequestInfo) (*tls.Certificate, error), error) {
	c, err := f.value(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of the check: %w", err)
	}
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if c.Certificate == nil {
			return nil, errors.New("there is no certificate")
		}
		return c.Certificate, nil
	}, nil
}
