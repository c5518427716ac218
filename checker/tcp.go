package checker

import (
	"errors"
	"fmt"
)

// TCP is a probe that passes when a connection is established, and what is said on it
// is as expected.
type TCP struct {
	// Connected finishes the handshake, which else the server's kernel answers alone.
	Connected bool `json:"connected,omitempty"`
	// TLS is spoken on the connection; nil: it is not.
	TLS *TLS `json:"tls,omitempty"`
	// Send is what is sent at first, and Quit what is sent in the end.
	Send []byte `json:"send,omitempty"`
	Quit []byte `json:"quit,omitempty"`
	// Expect is what the server must say.
	Expect Expect `json:"expect,omitzero"`
}

// Kind returns "tcp".
func (TCP) Kind() string { return "tcp" }

// HalfOpen reports whether the probe asks only whether the server's kernel would
// establish a connection.
func (o TCP) HalfOpen() bool {
	return !o.Connected && o.TLS == nil && len(o.Send) == 0 && len(o.Quit) == 0 && o.Expect.Empty()
}

// MaxSend bounds what a probe sends, in bytes. It fits into one datagram of UDP.
const MaxSend = 8 << 10

// ValidateSend returns what is wrong with something that is to be sent.
func ValidateSend(text []byte) error {
	if len(text) > MaxSend {
		return fmt.Errorf("it has %d bytes, and the limit is %d", len(text), MaxSend)
	}
	return nil
}

// Validate returns what is wrong with the options of a TCP probe; nil if they can be
// used.
func (o TCP) Validate() error {
	if o.TLS != nil {
		if err := o.TLS.Validate(); err != nil {
			return err
		}
	}
	return errors.Join(ValidateSend(o.Send), ValidateSend(o.Quit), o.Expect.Validate())
}
