package vrrp

import (
	"cmp"
	"net/netip"
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
	// MissedAdverts is how many adverts must be missed before a Master counts as gone
	// (RFC 9568 section 6.1 has 3); zero: 3.
	MissedAdverts uint8
	// Preempt lets this router take over from a Master of lower priority,
	// PreemptDelay after it first heard one.
	Preempt      bool
	PreemptDelay time.Duration
	// Addresses are the virtual addresses, all of one family, in the order in
	// which they are advertised. There may be none, where something else moves.
	Addresses []netip.Prefix
	// Extra are addresses that move with the virtual ones and are not
	// advertised, such as the gateway of a NAT cluster's servers.
	Extra []InterfaceAddress
	// Attributes are those of the addresses, advertised or not, that have any.
	Attributes map[netip.Addr]Attributes
	// Routes and Rules are those that a Master has too, and no other director.
	Routes []Route
	Rules  []Rule
	// Announce is how a Master announces the addresses.
	Announce Announcing
	// Peers are the other directors' addresses. With peers, adverts are sent to
	// each of them, and only theirs are accepted; without, they are multicast.
	Peers []netip.Addr
	// TTL is the TTL or hop limit of the adverts that are sent to Peers, and MinTTL
	// and MaxTTL bound that of theirs. Zero: 255, which no packet has that passed a
	// router.
	TTL, MinTTL, MaxTTL uint8
	// Multicast is the group that adverts are sent to without Peers; invalid: Group4
	// or Group6.
	Multicast netip.Addr
	// Source is the address that adverts are sent from. If it is invalid, that is
	// the interface's first address that is not virtual (IPv6: link-local).
	Source netip.Addr
	// Authentication is how it shows that its adverts are its own, and tells those of
	// the other directors.
	Authentication Authentication
	// Insist takes over even while another Master, whose adverts are refused for
	// their version or their authentication, has the addresses.
	Insist bool
	// Track are the conditions that concern this router, beside those that concern
	// all. None is there twice.
	Track []Track
	// IgnoreCarrier lets the router run on an interface without a carrier, where its
	// adverts cannot be heard: a cable straight to the peer, which may be off.
	IgnoreCarrier bool
	// LinkUpDelay is for how long after its interface came up, or its machine was
	// started, a Backup that has heard nobody does not become Master.
	LinkUpDelay time.Duration
	// SyncGroup is the name of the group whose routers move together; empty: none.
	SyncGroup string
	// Lease adds the addresses with a lifetime that the keeper renews, so that
	// the kernel removes them from a director whose processes are gone.
	Lease bool
	// Refuse drops what comes for the addresses that are advertised, and no virtual
	// service (RFC 9568 section 6.1, Accept_Mode is false).
	Refuse bool
	// VirtualMAC is the device of the virtual router's own MAC address, if it has one.
	VirtualMAC VirtualMAC
	// Enter is what it asks before it becomes Master in the place of one that fell silent,
	// and Leave what it asks before it leaves by plan. Those of a group are equal.
	Enter, Leave Clearance
}

// missedAdverts is the RFC's number of adverts that must be missed before a Backup
// takes over (RFC 9568 section 6.1, Active_Down_Interval).
const missedAdverts = 3

// missed is this router's number.
func (c *Config) missed() int { return int(cmp.Or(c.MissedAdverts, missedAdverts)) }

// HandOver is how long a Master that leaves waits for a successor: one that missed the
// advert of priority 0 comes after its Master_Down, which has one interval more than
// adverts that must be missed at most.
func (c *Config) HandOver() time.Duration { return time.Duration(c.missed()+1) * c.Interval }

// A VirtualMAC is a device with the MAC address of a virtual router, on its interface.
// It has the addresses of that router, but not those that are not advertised.
type VirtualMAC struct {
	// Device is its name. Empty: the addresses are on the interface itself.
	Device string
	// AdvertsFromInterface sends the adverts from the interface's own MAC address.
	AdvertsFromInterface bool
}

// MAC is the address of a virtual router of a family (RFC 9568 section 7.3).
func MAC(family int, vrid uint8) [6]byte {
	kind := byte(1)
	if family == 6 {
		kind = 2
	}
	return [6]byte{0, 0, 0x5e, 0, kind, vrid}
}

// Home is the interface that has the addresses that are advertised.
func (c *Config) Home() string { return cmp.Or(c.VirtualMAC.Device, c.Interface) }

// Family returns 4 or 6. Without virtual addresses it is that of the adverts.
func (c *Config) Family() int {
	a := c.Source
	switch {
	case len(c.Addresses) > 0:
		a = c.Addresses[0].Addr()
	case len(c.Peers) > 0:
		a = c.Peers[0]
	case c.Multicast.IsValid():
		a = c.Multicast
	}
	if a.Is6() {
		return 6
	}
	return 4
}

// ttl is the TTL of adverts that are sent.
func (c *Config) ttl() int {
	if len(c.Peers) == 0 {
		return TTL
	}
	return int(cmp.Or(c.TTL, TTL))
}

func (c *Config) minTTL() int { return int(cmp.Or(c.MinTTL, TTL)) }
func (c *Config) maxTTL() int { return int(cmp.Or(c.MaxTTL, TTL)) }

// group is where adverts are multicast to.
func (c *Config) group() netip.Addr {
	switch {
	case c.Multicast.IsValid():
		return c.Multicast
	case c.Family() == 6:
		return Group6
	default:
		return Group4
	}
}

// first is the first virtual address.
func (c *Config) first() netip.Addr {
	if len(c.Addresses) == 0 {
		return netip.Addr{}
	}
	return c.Addresses[0].Addr()
}

// An InterfaceAddress is an address on an interface.
type InterfaceAddress struct {
	Interface string
	Prefix    netip.Prefix
}

// Announcing is how a Master announces its addresses to the neighbours.
type Announcing struct {
	// Repeat is how often each announcement is made; zero: once.
	Repeat uint8
	// Interval is the time between two packets; zero: all are sent at once.
	Interval time.Duration
	// Refresh is the longest time without an announcement while the router is Master;
	// zero: any.
	Refresh time.Duration
	// Interfaces are further ones on which the addresses are announced.
	Interfaces []string
}

// Attributes are how an address is added, where it is not as usual.
type Attributes struct {
	// Label is its label, of IPv4 only: "eth0:web". Empty: the interface's name.
	Label string
	// Scope is where it is valid, of IPv4 only: one of RT_SCOPE_* in
	// linux/rtnetlink.h. Zero: everywhere.
	Scope uint8
	// Broadcast is the broadcast address of its network, of IPv4 only. Invalid: none.
	Broadcast netip.Addr
	// Peer is the other end of a point-to-point link, to which the kernel then has a route.
	// Such an address has no network of its own. Invalid: none.
	Peer netip.Addr
	// Preferred lets the director's own connections come from it, of IPv6 only.
	// Otherwise it is deprecated (RFC 4862 section 5.5.4).
	Preferred bool
	// NoPrefixRoute keeps the kernel from adding a route to its network.
	NoPrefixRoute bool
}

// A State is the state of a virtual router (RFC 9568 section 6.4).
type State string

// The states of a virtual router. Master is what RFC 9568 calls Active.
const (
	Initialize State = "Initialize"
	Backup     State = "Backup"
	Master     State = "Master"
)

// A Phase is what a router does within its State, in an operator's words. It
// follows from the router's parts.
type Phase string

// The phases of a router.
const (
	Waiting       Phase = "waiting"                               // in Initialize, without addresses
	Adopted       Phase = "waiting, with adopted addresses"       // of an earlier keeper; in Backup too
	Offering      Phase = "offering the addresses to a successor" // after priority 0, until one comes
	Relinquishing Phase = "relinquishing the addresses"           // within 50 ms of the successor's first advert
	Ended         Phase = "ended"                                 // for good
	Seeking       Phase = "looking for a Master"                  // in Backup, none was heard
	Following     Phase = "following"                             // in Backup
	Ready         Phase = "waiting for its group"                 // in Backup, would be Master otherwise
	StandingAside Phase = "standing aside for a Master that it does not understand"
	Delaying      Phase = "delaying preemption"             // in Backup of a worse Master
	Succeeding    Phase = "succeeding a Master that leaves" // in Backup, after priority 0
	Entering      Phase = "waiting for what is to be done before it becomes Master"
	Barred        Phase = "not becoming Master, since what is to be done before failed"
	Parting       Phase = "waiting for what is to be done before it leaves" // in Master
	Listening     Phase = "listening after a stall"                         // in Backup or Master
	Advertising   Phase = "advertising"                                     // in Master
)

// An Ending is how a router, or all routers of a Session, are to end.
type Ending uint8

const (
	// Running is not ending at all.
	Running Ending = iota
	// Stopped hands over, and releases the addresses even where nobody takes
	// over.
	Stopped
	// Abandoned hands over because the director is gone. Where nobody takes
	// over, the addresses stay for the next start to adopt.
	Abandoned
)

// A Status is the present state of one virtual router.
type Status struct {
	Name      string `json:"name"`
	Interface string `json:"interface"`
	VRID      uint8  `json:"vrid"`
	Version   uint8  `json:"version"`
	State     State  `json:"state"`
	// Phase is what the router does in that state.
	Phase Phase `json:"phase,omitempty"`
	// SyncGroup is the group whose routers move together; empty: none. Split is for how
	// long only some of them have been Master, if that is longer than Master_Down.
	SyncGroup string        `json:"sync_group,omitempty"`
	Split     time.Duration `json:"split_ns,omitempty"`
	// Since is when State was entered, and Age for how long it has been so: JSON has
	// no monotonic clock.
	Since time.Time     `json:"since,omitzero"`
	Age   time.Duration `json:"age_ns,omitempty"`
	// Priority is the effective one, and Configured the one in the configuration,
	// which conditions have changed.
	Priority   uint8         `json:"priority"`
	Configured uint8         `json:"configured_priority"`
	Interval   time.Duration `json:"interval_ns"`
	// MissedAdverts is how many adverts must be missed before a Master counts as gone.
	MissedAdverts uint8 `json:"missed_adverts"`
	// Question is what the router waits for an answer to; zero: nothing.
	Question Question `json:"question,omitzero"`
	// Barred is why the router does not become Master, although no Master is heard: what
	// was to be done before failed. Empty: it did not.
	Barred string `json:"barred,omitempty"`
	// Fault is why the router is in Initialize, in an operator's words:
	// "interface eth1 is down". Empty in the other states.
	Fault string `json:"fault,omitempty"`
	// Unmet are the reasons of all conditions that are not met.
	Unmet []string `json:"unmet,omitempty"`
	// Conditions are all that the router tracks, and those others that are not met.
	Conditions []Judged `json:"conditions,omitempty"`
	// Master and MasterPriority are of the Master that the router follows, or its
	// own; invalid while none was heard.
	Master         netip.Addr `json:"master"`
	MasterPriority uint8      `json:"master_priority"`
	// Overdue is for how long a Backup has not heard the Master that it follows,
	// where that is longer than it would wait by its own interval; else zero.
	Overdue time.Duration `json:"overdue_ns,omitempty"`
	// Authentication is by what adverts are told; nil: by nothing.
	Authentication *AuthenticationStatus `json:"authentication,omitempty"`
	// SignedAgo is how long before it came the last advert was signed that told so, by the
	// clocks of both directors in whole seconds; below zero: after it came. Unless it was
	// accepted, anybody may have sent it.
	SignedAgo time.Duration `json:"signed_ago_ns,omitempty"`
	// Peers are the other directors that were heard, the last one first, and at most
	// eight. One that is Backup is silent.
	Peers []Peer `json:"peers,omitempty"`
	// Senders are those of the last packet of each reason in Counters.Discarded and
	// Counters.Mismatched. Nothing in such a packet can be relied upon.
	Senders map[Reason]netip.Addr `json:"senders,omitempty"`
	// Rivals are others who have a Master's addresses too, as far as it knows; at
	// most ten.
	Rivals []Rival `json:"rivals,omitempty"`
	// Unsent is why a Master could not send its last advert; empty: it could.
	Unsent string `json:"unsent,omitempty"`
	// Unheard is why nobody can hear the router's adverts, although it runs: its interface
	// has no carrier, and that is to be ignored. Empty: somebody can.
	Unheard string `json:"unheard,omitempty"`
	// Unasked is why the router cannot ask its neighbours who else has its addresses;
	// empty: it can, or it has no need to.
	Unasked string `json:"unasked,omitempty"`
	// Aside is the Master for which a Backup stands aside although it refuses its
	// adverts; nil: there is none.
	Aside *Aside `json:"aside,omitempty"`
	// Dispute tells of another director that advertises one of the addresses with
	// another virtual router id, while it does.
	Dispute string `json:"dispute,omitempty"`
	// Addresses are the virtual addresses and the extra ones; Held is how
	// many of them are on this director. Unless it is Master, they count with any
	// prefix length, and its own address does not.
	Addresses []netip.Prefix `json:"addresses"`
	Held      int            `json:"held"`
	// Missing are the addresses that a Master does not have, and Left those that a
	// router still has which neither is Master nor hands over, as text:
	// "10.13.0.200/24 on eth0".
	Missing string `json:"missing,omitempty"`
	Left    string `json:"left,omitempty"`
	// Paths are the routes and rules of the router, as text, and PathsHeld is how many
	// of them a Master has. Missing names those that it has not, as well.
	Paths     []string `json:"paths,omitempty"`
	PathsHeld int      `json:"paths_held,omitempty"`
	// AddressesFailure is why they could not be added, removed or announced.
	AddressesFailure string `json:"addresses_failure,omitempty"`
	// Offered is what became of the last Offer; zero: there was none.
	Offered  Offered  `json:"offered,omitzero"`
	Counters Counters `json:"counters"`
	// AdvertGaps are by GapBounds, and AdvertLateness by LatenessBounds; since the keeper started.
	AdvertGaps     Histogram `json:"advert_gaps,omitzero"`
	AdvertLateness Histogram `json:"advert_lateness,omitzero"`
}

// An AuthenticationStatus is what is configured of an Authentication, without any
// secret.
type AuthenticationStatus struct {
	// Mode is an AuthMode, or "password".
	Mode string `json:"mode"`
	// Signer is the id of the key that our adverts are signed with; 0: they are not.
	Signer uint8 `json:"signer,omitempty"`
	// Keys are the ids of those that are accepted.
	Keys []uint16 `json:"keys,omitempty"`
}

// A Peer is another director as a router has heard it last.
type Peer struct {
	Address  netip.Addr `json:"address"`
	Priority uint8      `json:"priority"`
	// Refused is why its advert was refused, if for its version or authentication.
	Refused Reason `json:"refused,omitempty"`
	// Key is the id of the key that has signed its advert; 0: none has, or that is not
	// proved.
	Key uint8         `json:"key,omitempty"`
	Age time.Duration `json:"age_ns"` // how long ago
}

// A Rival has an address of a Master too.
type Rival struct {
	Address netip.Addr `json:"address"`
	// MAC is who has told so by ARP or neighbour discovery.
	MAC string `json:"mac,omitempty"`
	// Master is who has told so by adverts, which were Refused; invalid: nobody.
	Master  netip.Addr    `json:"master"`
	Refused Reason        `json:"refused,omitempty"`
	Age     time.Duration `json:"age_ns"` // how long ago
}

// An Aside is a Master that a router does not understand, and for which it stands
// aside.
type Aside struct {
	Master netip.Addr `json:"master"`
	// Reason is why its adverts are refused: for their version or authentication.
	Reason Reason `json:"reason"`
	// Address is the virtual address that it advertises, and MAC who answers for it.
	Address netip.Addr `json:"address"`
	MAC     string     `json:"mac"`
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
	// AdvertsLate is how often the Master that is followed has let half of Master_Down
	// pass without an advert.
	AdvertsLate uint64 `json:"adverts_late"`
	// AddressesRestored are addresses that somebody else had removed.
	AddressesRestored uint64 `json:"addresses_restored"`
	// PathsRestored are routes and rules that somebody else had removed.
	PathsRestored uint64 `json:"paths_restored"`
	// AddressesRemoved are addresses that somebody else had added while this
	// router did not hold them.
	AddressesRemoved uint64 `json:"addresses_removed"`
	// Faults are exchanges with the kernel about what the router holds that failed, or were
	// refused, by kind: "ENOBUFS".
	Faults map[string]uint64 `json:"faults,omitempty"`
	// Discarded are packets that were not accepted, by reason. Where there was none, a
	// reason is left out, here and in Mismatched: Reasons names all.
	Discarded map[Reason]uint64 `json:"discarded,omitempty"`
	// Mismatched are adverts that were accepted although they disagree with
	// this router's configuration, by how they do.
	Mismatched map[Reason]uint64 `json:"mismatched,omitempty"`
}
