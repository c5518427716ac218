package vrrp

import "fmt"

// An Action is work that a Router asks for. The actions of one call are done
// in their order; none of them may be dropped. They are Send, Hold, Release,
// Announce, Transition and Note, and no others.
type Action interface {
	fmt.Stringer
	action()
}

// Send multicasts an advert, or sends it to each peer.
type Send struct{ Advert Advert }

// Hold makes it so that the addresses of the configuration, the extra ones
// included, are on their interfaces, and none that an earlier configuration
// of this router had.
type Hold struct{}

// Release makes it so that none of this router's addresses is left.
type Release struct{}

// Announce sends gratuitous ARP or unsolicited neighbour advertisements for
// every address, after what Hold asked for is done (RFC 9568 section 6.4.2).
type Announce struct{}

// Transition tells that the state has changed.
type Transition struct {
	From, To State
	Why      string
}

// Note is for the log: something that an operator should look at. A Router
// gives at most one an hour for each kind of trouble.
type Note struct{ Text string }

func (Send) action()       {}
func (Hold) action()       {}
func (Release) action()    {}
func (Announce) action()   {}
func (Transition) action() {}
func (Note) action()       {}

// String returns the action as an operator reads it.
func (s Send) String() string {
	return fmt.Sprintf("send advert priority %d interval %s", s.Advert.Priority, s.Advert.Interval)
}

// String returns the action as an operator reads it.
func (Hold) String() string { return "hold addresses" }

// String returns the action as an operator reads it.
func (Release) String() string { return "release addresses" }

// String returns the action as an operator reads it.
func (Announce) String() string { return "announce addresses" }

// String returns the action as an operator reads it.
func (t Transition) String() string { return fmt.Sprintf("%s -> %s: %s", t.From, t.To, t.Why) }

// String returns the action as an operator reads it.
func (n Note) String() string { return "note: " + n.Text }
