package vrrp

import "fmt"

// An Action is work that a Router asks for. The actions of one call are done
// in their order; none of them may be dropped. They are Send, Hold, Announce
// and Event, and no others.
type Action interface {
	fmt.Stringer
	action()
}

// Send multicasts an advert, or sends it to each peer.
type Send struct{ Advert Advert }

// Hold makes it so that this router's Holdings are there, and none that it had
// before. A router that holds nothing any more releases what it had.
type Hold struct{ Holdings Holdings }

// Announce sends gratuitous ARP or unsolicited neighbour advertisements for
// every address, after what Hold asked for is done (RFC 9568 section 6.4.2).
type Announce struct{}

func (Send) action()     {}
func (Hold) action()     {}
func (Announce) action() {}
func (Event) action()    {}

// String returns the action as an operator reads it.
func (s Send) String() string {
	return fmt.Sprintf("send advert priority %d interval %s", s.Advert.Priority, s.Advert.Interval)
}

// String returns the action as an operator reads it.
func (h Hold) String() string {
	if h.Holdings.empty() {
		return "release addresses"
	}
	return "hold addresses"
}

// String returns the action as an operator reads it.
func (Announce) String() string { return "announce addresses" }
