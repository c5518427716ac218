package config

import (
	"crypto/x509"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// clientTable has the options of a certificate that checks show.
var clientTable = block.NewTable("client", func() []block.Entry[checker.Client] {
	return []block.Entry[checker.Client]{
		block.Text("certificate_file", "The file that has the certificate (PEM), followed by those between it and its authority. A relative path is relative to the configuration's directory. It is read again when it changes, without a reload.",
			"", certificatesOf("certificate_file"), func(c *checker.Client) *string { return &c.Certificate }).Within("a path").Unless("key_file, which then has both"),
		block.Text("key_file", "The file that has its private key (PEM), without a password. Nobody but root and lvsd may be able to read it: chown root:lvsd and chmod 0640, or lvsd's own with 0600.",
			"", privateKeyFile, func(c *checker.Client) *string { return &c.Key }).Within("an absolute path").Required(`key_file = "/etc/lvsd/client.key"`).Secret(),
	}
})

// privateKeyFile checks the path of a private key, which is judged among the other
// secrets.
func privateKeyFile(b *block.Body, path string, at block.Place) (string, bool) {
	path, ok := secretFile("key_file", "/etc/lvsd/client.key", "key")(b, path, at)
	if ok {
		b.Claim(privateKeyText, path, "", at)
	}
	return path, ok
}

// certificatesOf checks that a file of certificates, which an option names, can be used,
// and returns its path.
func certificatesOf(option string) func(b *block.Body, name string, at block.Place) (string, bool) {
	return func(b *block.Body, name string, at block.Place) (string, bool) {
		text, err := b.ReadFile(name)
		switch {
		case err != nil:
			b.Mistake(at, "Unreadable "+option, "%s.", sentence(err))
		case !x509.NewCertPool().AppendCertsFromPEM(text):
			b.Mistake(at, "No certificate", "%q holds no certificate in PEM (-----BEGIN CERTIFICATE-----).", name)
		}
		return b.Resolve(name), true
	}
}
