package checker

import (
	"errors"
	"fmt"
)

// TLS says how a probe speaks TLS. Empty fields stand for the defaults.
type TLS struct {
	// ServerName is the name that the server's certificate must carry, and
	// the one sent by SNI; empty: the host that the probe asks for, else the address.
	ServerName string `json:"server_name,omitempty"`
	// Insecure accepts any certificate.
	Insecure bool `json:"insecure,omitempty"`
	// CA names a file of certificates (PEM) to trust in place of the
	// system's; empty: the system's.
	CA string `json:"ca,omitempty"`
	// MinVersion is the oldest version that the server may choose, one of TLSVersions;
	// empty: "1.2".
	MinVersion string `json:"min_version,omitempty"`
	// Client is the certificate that the probe shows where the server asks for one.
	Client Client `json:"client,omitzero"`
}

// A Client is a certificate of a client, by the files of it and of its private key (PEM).
// The zero Client is none.
type Client struct {
	Certificate string `json:"certificate,omitempty"` // empty: it is in the key's file
	Key         string `json:"key"`
}

// String returns where it is, in messages.
func (c Client) String() string {
	if c.Certificate == "" {
		return c.Key
	}
	return c.Certificate + " with the key in " + c.Key
}

// TLSVersions are the versions of TLS, with their numbers in its packets.
var TLSVersions = map[string]uint16{"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}

// Validate returns what is wrong with the options of TLS; nil if they can be used.
func (o TLS) Validate() error {
	if !isWord(o.ServerName) {
		return fmt.Errorf("server name %q must be a host name", o.ServerName)
	}
	if o.MinVersion != "" && TLSVersions[o.MinVersion] == 0 {
		return fmt.Errorf("version %q of TLS must be 1.0, 1.1, 1.2 or 1.3", o.MinVersion)
	}
	if o.Client.Certificate != "" && o.Client.Key == "" {
		return errors.New("a certificate of a client needs its private key")
	}
	return nil
}

// Handshake is a probe that passes when TLS is negotiated, with a certificate as it
// should be.
type Handshake struct{ TLS }

// Kind returns "tls".
func (Handshake) Kind() string { return "tls" }
