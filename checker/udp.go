package checker

import "errors"

// UDP is a probe that passes unless the server's host says that nobody listens, or
// where the server answers as expected.
type UDP struct {
	// Send is the datagram that is sent; empty: one without data.
	Send []byte `json:"send,omitempty"`
	// Reply: the server must answer.
	Reply bool `json:"reply,omitempty"`
	// Expect is what it must answer, if it must.
	Expect Expect `json:"expect,omitzero"`
}

// Kind returns "udp".
func (UDP) Kind() string { return "udp" }

// Validate returns what is wrong with the options of a UDP probe; nil if they can be used.
func (o UDP) Validate() error {
	if !o.Reply && !o.Expect.Empty() {
		return errors.New("what is expected must be an answer")
	}
	return errors.Join(ValidateSend(o.Send), o.Expect.Validate())
}
