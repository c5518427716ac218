package vrrp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// An Action is work that a Router asks for. The actions of one call are done
// in their order; none of them may be dropped. They are Send, Hold, Announce,
// Ask and Event, and no others.
type Action interface {
	fmt.Stringer
	action()
}

// Send multicasts an advert, or sends it to each peer. Encode makes a packet of it.
type Send struct {
	Advert   Advert
	Sequence Sequence // that it is signed with; 0: it is not signed
}

// Hold makes it so that this router's Holdings are there, and none that it had
// before. A router that holds nothing any more releases what it had.
type Hold struct{ Holdings Holdings }

// Announce sends gratuitous ARP or unsolicited neighbour advertisements for
// every address, after what Hold asked for is done (RFC 9568 section 6.4.2).
type Announce struct{}

// Ask asks the neighbours on an interface who has an address: by an ARP probe (RFC
// 5227 section 1.1), or a neighbour solicitation as of duplicate address detection
// (RFC 4862 section 5.4.2). Whoever has it answers with a Claim.
type Ask struct {
	Interface string
	Address   netip.Addr
}

func (Send) action()     {}
func (Hold) action()     {}
func (Announce) action() {}
func (Ask) action()      {}
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

// String returns the action as an operator reads it.
func (a Ask) String() string { return fmt.Sprintf("ask who has %s on %s", a.Address, a.Interface) }

// An Event is something that happened to a virtual router, as a value: whoever
// gets it may log it, keep it, or act upon it.
type Event struct {
	At time.Time `json:"at"`
	// Code names the kind of event. It is the same in every release.
	Code string `json:"code"`
	// Level is Warn where something did not work that should have, or is
	// otherwise for an operator to look at; else it is Info.
	Level slog.Level `json:"level"`
	// Router is the router's name; empty where it is about none.
	Router string `json:"router,omitempty"`
	// From and To differ where the state has changed; Text is the reason then.
	From State  `json:"from"`
	To   State  `json:"to"`
	Text string `json:"text"`
	// Priority is the effective one after PriorityChanged; else zero.
	Priority uint8 `json:"priority,omitempty"`
}

// The codes of events.
const (
	BecameMaster    = "became-master"
	BecameBackup    = "became-backup"
	StoodBack       = "stood-back"       // to Initialize, for a reason that is a fault
	StoppedRouter   = "stopped"          // to Initialize, for good
	CannotStart     = "cannot-start"     // why it stays in Initialize
	Startable       = "startable"        // that is over
	PriorityChanged = "priority-changed" // by conditions
	TakenOver       = "taken-over"       // how a hand-over ended
	NotTakenOver    = "not-taken-over"
	Asks            = "asks-director"         // and waits for the answer
	AsksNoMore      = "asks-director-no-more" // as the answer does not matter any more
	Refused         = "director-refused"      // or did not answer

	Stalled           = "stalled"
	AdvertsLate       = "adverts-late" // half of Master_Down has passed without one
	StandsAside       = "stands-aside" // for a Master that is not understood, and the end of it
	OtherMaster       = "other-master"
	DisputedAddress   = "disputed-address"
	AddressClaimed    = "address-claimed"    // by ARP or neighbour discovery
	AddressUnclaimed  = "address-unclaimed"  // that is over
	NeighboursUnasked = "neighbours-unasked" // who has the addresses
	NeighboursAsked   = "neighbours-asked-again"
	PacketDiscarded   = "packet-discarded"
	AdvertDiffers     = "advert-differs"
	AdvertsUnsent     = "adverts-unsent"
	AdvertsSent       = "adverts-sent-again"

	AddressesFailed   = "addresses-failed"
	AddressesMended   = "addresses-mended" // that is over
	AddressesAdopted  = "addresses-adopted"
	AddressesRestored = "addresses-restored"
	AddressesRemoved  = "addresses-removed"
	HardwareChanged   = "hardware-changed"
)

// Changed reports whether the event is a change of the state.
func (e Event) Changed() bool { return e.From != e.To }

// String returns the event as an operator reads it.
func (e Event) String() string {
	if e.Changed() {
		return fmt.Sprintf("%s -> %s: %s", e.From, e.To, e.Text)
	}
	return "note: " + e.Text
}
