package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// tlsOptions are how a check speaks TLS.
type tlsOptions struct {
	serverName, ca, minVersion string
	verify                     bool
	client                     checker.Client
}

var tlsTable = block.NewTable("tls", func() []block.Entry[tlsOptions] {
	return tlsEntries(func(o *tlsOptions) *tlsOptions { return o })
})

func tlsEntries[T any](of func(*T) *tlsOptions) []block.Entry[T] {
	return []block.Entry[T]{
		validText("server_name", "The name for which the certificate must be valid.", "", func(s string) error { return checker.TLS{ServerName: s}.Validate() },
			func(t *T) *string { return &of(t).serverName }).Unless("host where the check has one, else the server's address"),
		block.Flag("verify", "Verify the certificate. If false, any certificate is accepted.", true, func(t *T) *bool { return &of(t).verify }),
		block.Text("ca_file", "A file of CA certificates (PEM) to trust instead of the system's. A relative path is relative to the configuration's directory.",
			"", certificatesOf("ca_file"), func(t *T) *string { return &of(t).ca }).Within("a path").Unless("the system's certificates"),
		block.Choice("min_version", "The oldest version of TLS that the server may choose.", "1.2",
			words("1.0", "1.1", "1.2", "1.3"), func(t *T) *string { return &of(t).minVersion }),
		block.Inner("client", "The certificate by which the check shows who it is, where the server asks for one.",
			clientTable, func(t *T) *checker.Client { return &of(t).client }),
	}
}

// An optionalTLS is how a check speaks TLS, where a tls block says that it does.
type optionalTLS struct {
	tlsOptions
	on bool // there is a block, here or in the defaults
}

// tlsFromTheStart is the block of a check that can speak TLS from the first byte.
func tlsFromTheStart[T any](of func(*T) *optionalTLS) block.Entry[T] {
	return block.Inner("tls", "Speak TLS from the first byte, and verify the server's certificate, which must be valid for the server's address unless this block says otherwise. It can be empty.",
		tlsTable, func(t *T) *tlsOptions { return &of(t).tlsOptions })
}

// compile returns how TLS is spoken; nil: it is not.
func (o *optionalTLS) compile(b *block.Body) *checker.TLS {
	if _, given := b.Block("tls"); given {
		o.on = true
	}
	if !o.on {
		return nil
	}
	return new(o.tlsOptions.compile())
}

// compile returns how TLS is spoken.
func (o *tlsOptions) compile() checker.TLS {
	t := checker.TLS{ServerName: o.serverName, CA: o.ca, Insecure: !o.verify, Client: o.client}
	if o.minVersion != "1.2" {
		t.MinVersion = o.minVersion
	}
	return t
}
