package probe

import (
	"crypto/x509"
	"fmt"
	"io"
	"os"
)

// authorities are the files of certificates that checks trust, by their paths, and an
// authorityFile is one of them. Beside them are the certificates that checks show.
type authorities struct {
	*files[string, *x509.CertPool]
	clients *clients
}

type (
	authorityFile = file[string, *x509.CertPool]
	certificates  = content[*x509.CertPool]
)

// readCertificates returns the certificates in a file: those known, if it has
// not changed.
func readCertificates(path string, known certificates) (certificates, error) {
	info, err := os.Stat(path)
	if err != nil {
		return certificates{}, err
	}
	if !info.Mode().IsRegular() {
		return certificates{}, fmt.Errorf("%s: not a regular file", path)
	}
	if known.value != nil && known.version == versionOf(info) {
		return known, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return certificates{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, fileLimit))
	if err != nil {
		return certificates{}, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return certificates{}, fmt.Errorf("%s: contains no certificate (it must be PEM, \"-----BEGIN CERTIFICATE-----\")", path)
	}
	return certificates{versionOf(info), pool}, nil
}
