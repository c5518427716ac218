package checker

import "errors"

// A Channel is what a conversation in lines of text goes over.
type Channel struct {
	// TLS is spoken on the connection; nil: it is not.
	TLS *TLS `json:"tls,omitempty"`
	// StartTLS begins in plain text, and asks the server for TLS then.
	StartTLS bool `json:"starttls,omitempty"`
}

// Validate returns what is wrong with a channel; nil if it can be used.
func (c Channel) Validate() error {
	switch {
	case c.TLS != nil:
		return c.TLS.Validate()
	case c.StartTLS:
		return errors.New("STARTTLS needs options of TLS")
	}
	return nil
}
