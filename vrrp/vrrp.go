package vrrp

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A Config is one virtual router as configured on this director.
type Config struct {
	// Name is the router's name in the configuration; it is unique.
	Name string
	// Interface is where adverts are sent and received, and where the addresses
	// are held.
	Interface string
	VRID      uint8 // 1 to 255; unique for its family on its interface
	Version   uint8 // 2 or 3
	Priority  uint8 // 1 to 254, or 255 for the addresses' owner
	// Interval is the time between adverts: a multiple of 10 ms up to
	// 40.95 s, whole seconds up to 255 s with version 2.
	Interval time.Duration
	// Preempt lets this router take over from a Master of lower priority,
	// PreemptDelay after it first heard one.
	Preempt      bool
	PreemptDelay time.Duration
	// Addresses are the virtual addresses, all of one family, in the order in
	// which they are advertised.
	Addresses []netip.Prefix
	// Extra are addresses that move with the virtual ones and are not
	// advertised, such as the gateway of a NAT cluster's servers.
	Extra []InterfaceAddress
	// Peers are the other directors' addresses. With peers, adverts are sent to
	// each of them, and only theirs are accepted; without, they are multicast.
	Peers []netip.Addr
	// Source is the address that adverts are sent from. If it is invalid, that is
	// the interface's first address that is not virtual (IPv6: link-local).
	Source netip.Addr
	// Track are the names of the conditions that concern this router, beside those
	// that concern all: "interface eth1".
	Track []string
	// Lease adds the addresses with a lifetime that the keeper renews, so that
	// the kernel removes them from a director whose processes are gone.
	Lease bool
}

// Family returns 4 or 6.
func (c *Config) Family() int {
	if len(c.Addresses) > 0 && c.Addresses[0].Addr().Is6() {
		return 6
	}
	return 4
}

// An InterfaceAddress is an address on an interface.
type InterfaceAddress struct {
	Interface string
	Prefix    netip.Prefix
}

// A State is the state of a virtual router (RFC 9568 section 6.4).
type State uint8

// The states of a virtual router. Master is what RFC 9568 calls Active.
const (
	Initialize State = iota
	Backup
	Master
)

var stateNames = [...]string{"Initialize", "Backup", "Master"}

// String returns the state's name.
func (s State) String() string { return stateNames[s] }

// MarshalText returns the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets the state by its name. Any other text is an error.
func (s *State) UnmarshalText(text []byte) error {
	i := slices.Index(stateNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is not a state of a virtual router", text)
	}
	*s = State(i)
	return nil
}

// An Advert is a VRRP advertisement (RFC 9568 section 5; RFC 3768 section 5).
type Advert struct {
	Version  uint8
	VRID     uint8
	Priority uint8 // zero: the Master is leaving
	// Interval is the sender's time between adverts.
	Interval  time.Duration
	Addresses []netip.Addr
	// Checksum is the form in which the checksum was received, or is to be sent.
	Checksum Checksum
}

// A Desired is what the director asks of the keeper, whole: the routers that
// are to run, and no others.
type Desired struct {
	Routers []Config
	// Ending, unless it is Running, is how all routers are to end; the rest of the
	// Desired is ignored then.
	Ending Ending
	// Conditions are those that the director watches. They concern every router.
	Conditions []Condition
}

// A Status is the present state of one virtual router.
type Status struct {
	Name      string `json:"name"`
	Interface string `json:"interface"`
	VRID      uint8  `json:"vrid"`
	Version   uint8  `json:"version"`
	State     State  `json:"state"`
	// Phase is what the router does in that state.
	Phase Phase `json:"phase,omitempty"`
	// Since is when State was entered.
	Since time.Time `json:"since,omitzero"`
	// Priority is the effective one: as configured, less the penalties of the
	// conditions that are not met.
	Priority uint8         `json:"priority"`
	Interval time.Duration `json:"interval_ns"`
	// Fault is why the router is in Initialize, in an operator's words:
	// "interface eth1 is down". Empty in the other states.
	Fault string `json:"fault,omitempty"`
	// Unmet are the reasons of all conditions that are not met.
	Unmet []string `json:"unmet,omitempty"`
	// Master and MasterPriority are of the Master that the router follows, or its
	// own; invalid while none was heard.
	Master         netip.Addr `json:"master"`
	MasterPriority uint8      `json:"master_priority"`
	// Addresses are the virtual addresses and the extra ones; Held is how
	// many of them are on this director.
	Addresses []netip.Prefix `json:"addresses"`
	Held      int            `json:"held"`
	Counters  Counters       `json:"counters"`
}

// Counters are what a virtual router counts, since the keeper started.
type Counters struct {
	AdvertsSent          uint64 `json:"adverts_sent"`
	AdvertsReceived      uint64 `json:"adverts_received"`
	PriorityZeroSent     uint64 `json:"priority_zero_sent"`
	PriorityZeroReceived uint64 `json:"priority_zero_received"`
	BecameMaster         uint64 `json:"became_master"`
	LeftMaster           uint64 `json:"left_master"`
	// OtherMasters are adverts of another Master that this router, as Master
	// itself, did not give way to, those for another virtual router with the same
	// addresses included: both directors had them.
	OtherMasters uint64 `json:"other_masters"`
	// SendErrors are adverts that the kernel refused.
	SendErrors uint64 `json:"send_errors"`
	// Stalls are wake-ups that came too late to act on the timers: another router
	// may have taken over, or adverts may have lain unread.
	Stalls uint64 `json:"stalls"`
	// AddressesRestored are addresses that somebody else had removed.
	AddressesRestored uint64 `json:"addresses_restored"`
	// Discarded are packets that were not accepted, by reason.
	Discarded map[Reason]uint64 `json:"discarded,omitempty"`
	// Mismatched are adverts that were accepted although they disagree with
	// this router's configuration, by how they do.
	Mismatched map[Reason]uint64 `json:"mismatched,omitempty"`
}
