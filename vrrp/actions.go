package vrrp

import (
	"fmt"
	"time"
)

// Times that the RFCs leave to the implementation.
const (
	// Overlap is how long a Master that was relieved keeps answering, so that
	// nothing is lost while its successor adds and announces the addresses.
	Overlap = 50 * time.Millisecond
	// handoverIntervals is how many of its own intervals a leaving Master
	// waits for a successor. A successor that missed the advert of priority
	// zero comes after its Master_Down, which is less than four.
	handoverIntervals = 4
	// A new Master announces its addresses again after these times: when a
	// predecessor that kept answering has let go, for hosts that asked by ARP in
	// between and heard that one; and once more for hosts and switches that
	// missed the others.
	secondAnnounce = 2 * Overlap
	thirdAnnounce  = 5 * time.Second
	// announceEvery bounds announcements that other Masters provoke.
	announceEvery = time.Second
	// answersBound is how many adverts of others are answered by one at once,
	// between two of our own. Two routers that each believe to be the better
	// one, such as after an address has changed, would go on for ever.
	answersBound = 4
	// noteEvery bounds how often a Router tells the same kind of trouble.
	noteEvery = time.Hour
)

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
