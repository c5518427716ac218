package checker

import "fmt"

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
}

// Validate returns what is wrong with the options of TLS; nil if they can be used.
func (o TLS) Validate() error {
	if !isWord(o.ServerName) {
		return fmt.Errorf("server name %q must be a host name", o.ServerName)
	}
	return nil
}
