package checker

import "fmt"

// GRPC is a probe that passes when a server reports by the protocol grpc.health.v1 that
// it is serving.
type GRPC struct {
	// Service is the one of the server's services that is asked for; empty: the server as
	// a whole.
	Service string `json:"service,omitempty"`
	// Host is whom the request is for (:authority); empty: the address and port.
	Host string `json:"host,omitempty"`
	// TLS is spoken on the connection; nil: it is not.
	TLS *TLS `json:"tls,omitempty"`
}

// Kind returns "grpc".
func (GRPC) Kind() string { return "grpc" }

// MaxService bounds the name of a service, in bytes.
const MaxService = 1024

// Validate returns what is wrong with the options of a gRPC probe; nil if they can be
// used.
func (o GRPC) Validate() error {
	if len(o.Service) > MaxService || !isText(o.Service) {
		return fmt.Errorf("service %.40q must be text without control characters, of up to %d bytes", o.Service, MaxService)
	}
	if o.TLS != nil {
		if err := o.TLS.Validate(); err != nil {
			return err
		}
	}
	return HTTP{Host: o.Host}.Validate()
}
