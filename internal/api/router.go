package api

import (
	"net/netip"
	"time"
)

// A State is the state of a virtual router (RFC 9568 section 6.4).
type State string

// The states of a virtual router. Master is what RFC 9568 calls Active.
const (
	Initialize State = "Initialize"
	Backup     State = "Backup"
	Master     State = "Master"
)

// Split is the state of a sync group of which a director is Master in part.
const Split State = "Split"

// A SyncGroup is virtual routers that move together.
type SyncGroup struct {
	Name string `json:"name"`
	// State is that of all its routers; where they differ, Split if one is Master, and
	// Initialize otherwise.
	State   State    `json:"state"`
	Routers []string `json:"routers"`
	// Hooks are the programs that are run when the state changes.
	Hooks []Hook `json:"hooks"`
	// Resources are what runs while it is Master, in the order in which they are started.
	Resources []Resource `json:"resources"`
	// Split is for how long it has been split, if that is longer than it takes to come
	// together (Master_Down); else zero.
	Split     time.Duration `json:"split_ns,omitempty"`
	SplitText Duration      `json:"split,omitzero"`
}

// A Router is one virtual router.
type Router struct {
	Name      string `json:"name"`
	Interface string `json:"interface"`
	VRID      uint8  `json:"vrid"`
	Version   uint8  `json:"version"`
	// SyncGroup is the name of the group that it moves with; empty if none.
	SyncGroup string `json:"sync_group,omitempty"`
	State     State  `json:"state"`
	// Phase is what the router does in that state.
	Phase string `json:"phase,omitempty"`
	// Since is when State was entered.
	Since time.Time `json:"since,omitzero"`
	// Priority is the effective one, and Configured the one in the configuration,
	// which conditions have changed.
	Priority   uint8         `json:"priority"`
	Configured uint8         `json:"configured_priority"`
	Interval   time.Duration `json:"interval_ns"`
	// MissedAdverts is how many adverts must be missed before a Master counts as gone.
	MissedAdverts uint8 `json:"missed_adverts"`
	// IntervalText is Interval as people write it, as OverdueText is Overdue.
	IntervalText Duration `json:"interval"`
	// Fault is why the router is in Initialize, in an operator's words:
	// "interface eth1 is down". It is empty in the other states.
	Fault string `json:"fault,omitempty"`
	// Barred is why the router does not become Master, although no Master is heard: what
	// was to be done before failed. Empty: it did not.
	Barred string `json:"barred,omitempty"`
	// Unmet are the reasons of all conditions that are not met.
	Unmet []string `json:"unmet,omitempty"`
	// Conditions are all that the router tracks, and those others that are not met.
	Conditions []Condition `json:"conditions"`
	// HeldBack is the failover for whose sake a Backup does not preempt; left out if
	// there was none, or if it would not preempt anyway.
	HeldBack *Held `json:"held_back,omitempty"`
	// Master and MasterPriority are the router that this one follows, which
	// may be itself; empty and zero if none has been heard.
	Master         netip.Addr `json:"master"`
	MasterPriority uint8      `json:"master_priority"`
	// Overdue is for how long a Backup has not heard the Master that it follows,
	// where that is longer than it would wait by its own interval; else zero.
	Overdue     time.Duration `json:"overdue_ns,omitempty"`
	OverdueText Duration      `json:"overdue,omitzero"`
	// Authentication is how adverts are authenticated; left out if they are not.
	Authentication *Authentication `json:"authentication,omitempty"`
	// SignedAgo is how long before it came the last signed advert was signed, by the
	// clocks of both directors; below zero if the other one is ahead. Unless the advert
	// was accepted, anybody may have sent it.
	SignedAgo     time.Duration `json:"signed_ago_ns,omitempty"`
	SignedAgoText Duration      `json:"signed_ago,omitzero"`
	// Peers are the other directors that have been heard, the last one first, and at
	// most eight. A director that is Backup sends nothing.
	Peers []Peer `json:"peers"`
	// Senders are those of the last packet of each reason in Counters.Discarded and
	// Counters.Mismatched.
	Senders map[string]netip.Addr `json:"senders,omitempty"`
	// Rivals are others who have a Master's addresses too, as far as it knows; at most
	// ten.
	Rivals []Rival `json:"rivals"`
	// Unsent is why a Master could not send its last advert; empty if it could.
	Unsent string `json:"unsent,omitempty"`
	// Unheard is why nobody can hear the router's adverts, although it runs: its interface
	// has no carrier, and that is to be ignored. Empty if somebody can.
	Unheard string `json:"unheard,omitempty"`
	// Unasked is why the router cannot ask its neighbours who else has its addresses;
	// empty if it can, or has no need to.
	Unasked string `json:"unasked,omitempty"`
	// Aside is the Master for which a Backup stands aside although it refuses its
	// adverts; left out if there is none.
	Aside *Aside `json:"aside,omitempty"`
	// Dispute tells of another director that advertises one of the addresses with
	// another virtual router id, while it does.
	Dispute string `json:"dispute,omitempty"`
	// Addresses are the virtual addresses, including those that are not
	// advertised; Held is how many of them are on this director.
	Addresses []netip.Prefix `json:"addresses"`
	Held      int            `json:"held"`
	// Missing are the addresses that a Master does not have, and Left those that a
	// router still has which neither is Master nor hands over, as text:
	// "10.13.0.200/24 on eth0".
	Missing string `json:"missing,omitempty"`
	Left    string `json:"left,omitempty"`
	// Paths are the routes and rules that move with the addresses, as text; PathsHeld is
	// how many of them are on this director. Missing has the others of a Master, too.
	Paths     []string `json:"paths"`
	PathsHeld int      `json:"paths_held"`
	// Hooks are the programs that are run when its state changes.
	Hooks []Hook `json:"hooks"`
	// Resources are what runs while it is Master, in the order in which they are started.
	Resources []Resource `json:"resources"`
	// AddressesFailure is why they could not be added, removed or announced.
	AddressesFailure string         `json:"addresses_failure,omitempty"`
	Counters         RouterCounters `json:"counters"`
	// AdvertGaps are the times between two adverts of the Master that is followed, in
	// its intervals, and AdvertLateness is how late a Master sent its regular adverts,
	// in seconds; both since the keeper started.
	AdvertGaps     Histogram `json:"advert_gaps"`
	AdvertLateness Histogram `json:"advert_lateness"`
	// Transitions are the last changes of State since lvsd was started, the newest
	// first, and at most ten.
	Transitions []Transition `json:"transitions"`
}

// A Transition is a change of a virtual router's state.
type Transition struct {
	At   time.Time `json:"at"`
	From State     `json:"from"`
	To   State     `json:"to"`
	// Why is the reason, in an operator's words.
	Why string `json:"why"`
}

// A Histogram counts values by bounds, which are always the same.
type Histogram struct {
	// Buckets counts the values up to each of the Bounds, from the one before, and
	// last those above all.
	Bounds  []float64 `json:"bounds"`
	Buckets []uint64  `json:"buckets"`
	Sum     float64   `json:"sum"`
	Max     float64   `json:"max"`
}

// A Condition is a condition as one virtual router sees it.
type Condition struct {
	Name string `json:"name"`
	// Met is whether the router has what it asks for; where that is reversed, that
	// the condition does not hold.
	Met bool `json:"met"`
	// Unknown conditions count as met.
	Unknown bool `json:"unknown,omitempty"`
	// Hard: the router is not Master while it is not met.
	Hard bool `json:"hard,omitempty"`
	// Weight is what the priority can change by, or by as many times as the condition
	// counts, and Effect what it changes by now.
	Weight int  `json:"weight,omitempty"`
	Counts bool `json:"counts,omitempty"`
	Effect int  `json:"effect,omitempty"`
	// Reason is what is wrong while it is not met, or why it is unknown.
	Reason string `json:"reason,omitempty"`
}

// An Authentication is how the adverts of a virtual router are authenticated.
type Authentication struct {
	// Mode is "enforce", "permissive" or "receive-only" where there are keys, or
	// "password".
	Mode string `json:"mode"`
	// Signer is the id of the key that this director signs its adverts with; 0 if it
	// does not.
	Signer uint8 `json:"signer,omitempty"`
	// Keys are the ids of the keys that are accepted.
	Keys []uint16 `json:"keys,omitempty"`
}

// A Peer is another director as a virtual router has heard it last.
type Peer struct {
	Address  netip.Addr `json:"address"`
	Priority uint8      `json:"priority"`
	// Refused is why its advert was refused, if for its version or authentication;
	// empty if it was accepted.
	Refused string `json:"refused,omitempty"`
	// Key is the id of the key that its advert was signed with; 0 if with none.
	Key uint8 `json:"key,omitempty"`
	// Age is how long ago that was.
	Age     time.Duration `json:"age_ns"`
	AgeText Duration      `json:"age"`
}

// A Rival has an address of a Master too.
type Rival struct {
	Address netip.Addr `json:"address"`
	// MAC is whose ARP packet or neighbour advertisement has told so; empty if that
	// was not said, or if an advert has told it.
	MAC string `json:"mac,omitempty"`
	// Master is whose adverts have told so, and Refused why they are refused.
	Master  netip.Addr `json:"master,omitzero"`
	Refused string     `json:"refused,omitempty"`
	// Age is how long ago that was.
	Age     time.Duration `json:"age_ns"`
	AgeText Duration      `json:"age"`
}

// An Aside is a Master whose adverts a virtual router refuses, and for which it
// stands aside all the same.
type Aside struct {
	Master netip.Addr `json:"master"`
	// Reason is why its adverts are refused: "version", "authentication", "password"
	// or, unless only signed ones are accepted, one that begins with "hmac_".
	Reason string `json:"reason"`
	// Address is the virtual address that it advertises, and MAC who answers for it.
	Address netip.Addr `json:"address"`
	MAC     string     `json:"mac"`
}

// RouterCounters are what a virtual router has counted since the keeper started.
type RouterCounters struct {
	AdvertsSent          uint64 `json:"adverts_sent"`
	AdvertsReceived      uint64 `json:"adverts_received"`
	PriorityZeroSent     uint64 `json:"priority_zero_sent"`
	PriorityZeroReceived uint64 `json:"priority_zero_received"`
	BecameMaster         uint64 `json:"became_master"`
	LeftMaster           uint64 `json:"left_master"`
	// OtherMasters counts adverts of another Master that this router, itself
	// Master, did not yield to: both had the addresses.
	OtherMasters uint64 `json:"other_masters"`
	// SendErrors counts adverts that the kernel refused to send.
	SendErrors uint64 `json:"send_errors"`
	// Stalls counts wake-ups that came too late to act on the timers.
	Stalls uint64 `json:"stalls"`
	// AdvertsLate counts how often half of the time after which this director takes
	// over has passed without an advert of the Master that it follows.
	AdvertsLate uint64 `json:"adverts_late"`
	// AddressesRestored counts addresses put back after somebody else had
	// removed them.
	AddressesRestored uint64 `json:"addresses_restored"`
	// PathsRestored counts routes and rules put back after somebody else had removed
	// them.
	PathsRestored uint64 `json:"paths_restored"`
	// AddressesRemoved counts addresses removed after somebody else had added
	// them while this router did not hold them.
	AddressesRemoved uint64 `json:"addresses_removed"`
	// Faults counts exchanges with the kernel about addresses, routes and rules that failed,
	// or were refused, by kind, as those of the table.
	Faults map[string]uint64 `json:"faults,omitempty"`
	// Discarded counts packets that were not accepted, by reason.
	Discarded map[string]uint64 `json:"discarded,omitempty"`
	// Mismatched counts adverts that were accepted although they disagree with
	// the router's configuration, by what they disagree in.
	Mismatched map[string]uint64 `json:"mismatched,omitempty"`
}

// A Hook is a program that is run when a virtual router has come into a state.
type Hook struct {
	// On is the state: "master", "backup", "fault", "stop" or "any"; of a virtual service
	// "up", "down", "quorum_lost" or "quorum_reached".
	On string `json:"on"`
	// Server is the real server whose own it is, of a virtual service's hooks.
	Server string `json:"server,omitempty"`
	// Program is its path, and User whom it runs as, if not lvsd's own user.
	Program string `json:"program"`
	User    string `json:"user,omitempty"`
	Running bool   `json:"running"`
	// Before: the addresses are not taken over until it has ended.
	Before bool `json:"before,omitempty"`
	// Runs counts how often it was run to the end, or could not be run, and Failures
	// how often that went wrong, both since lvsd was started.
	Runs     uint64 `json:"runs"`
	Failures uint64 `json:"failures"`
	// CalledOff counts how often it was ended because a Master was heard, or the virtual
	// router stood back, of Before only.
	CalledOff uint64 `json:"called_off,omitempty"`
	// Last is the last one that was not; left out before the first one.
	Last HookRun `json:"last,omitzero"`
	// Unusable is why it could not be run at the moment; left out where it could.
	Unusable string `json:"unusable,omitempty"`
}

// A ResourceState is what is known of a resource.
type ResourceState string

// The states of a resource.
const (
	ResourceUnknown  ResourceState = "unknown" // it was not looked at since the start
	ResourceStopped  ResourceState = "stopped"
	ResourceStarting ResourceState = "starting"
	ResourceRunning  ResourceState = "running"
	ResourceStopping ResourceState = "stopping"
	ResourceStuck    ResourceState = "stuck" // it could not be stopped
)

// A Resource is something that a Master runs besides its addresses.
type Resource struct {
	Kind  string        `json:"kind"` // "systemd"
	Name  string        `json:"name"` // "apache2.service"
	State ResourceState `json:"state"`
	// Since is when it was started or stopped; left out if that is not known.
	Since time.Time `json:"since,omitzero"`
	// Runs counts how often it was started or stopped, and Failures how often that went
	// wrong, both since lvsd was started.
	Runs     uint64 `json:"runs"`
	Failures uint64 `json:"failures"`
	// Failure is why it could not be started or stopped the last time.
	Failure string `json:"failure,omitempty"`
}

// A HookRun is one run of a hook.
type HookRun struct {
	At time.Time `json:"at,omitzero"` // when it began
	// State is what it was told.
	State string `json:"state"`
	// Server is the real server that this was about, of a virtual service's hooks.
	Server string `json:"server,omitempty"`
	// Asserted is why it was run although the state had not changed: by its "interval" or
	// an "order"; left out where the state had.
	Asserted string        `json:"asserted,omitempty"`
	Took     time.Duration `json:"took_ns"`
	TookText Duration      `json:"took"`
	OK       bool          `json:"ok"`
	// Result tells how it ended: "exited with status 1".
	Result string `json:"result"`
}

// A Keeper describes the process that sends and receives the adverts.
type Keeper struct {
	// PID is zero if neither a virtual router nor a static block is configured, and while the keeper is
	// being restarted. Restarts counts the attempts at that.
	PID int `json:"pid"`
	// Restarts counts the attempts to start it again, of which the last one was at
	// Restarted.
	Restarts      uint64    `json:"restarts"`
	Restarted     time.Time `json:"restarted,omitzero"`
	EventsDropped uint64    `json:"events_dropped"`
	// Realtime reports whether it runs under SCHED_RR, and Locked whether its
	// memory is never paged out. Why is what the kernel refused if either is
	// not so.
	Realtime bool   `json:"realtime"`
	Locked   bool   `json:"locked"`
	Why      string `json:"why,omitempty"`
	// Unclaimed counts packets for virtual routers that are not configured here,
	// of which some hundred a second are looked at.
	Unclaimed uint64 `json:"unclaimed"`
	// Others counts the VRRP sockets of other daemons in this network namespace.
	Others int `json:"others"`
	// Age is how long ago it last reported how the virtual routers are, which it
	// does every second; left out if it has not yet.
	Age     time.Duration `json:"age_ns,omitempty"`
	AgeText Duration      `json:"age,omitzero"`
	// Watchdog is the one that it is to feed; left out if none is configured.
	Watchdog *Watchdog `json:"watchdog,omitempty"`
	// Processors are those on which it runs, left out if none are configured; Unpinned is
	// why these are not the ones that are.
	Processors []int  `json:"processors,omitempty"`
	Unpinned   string `json:"unpinned,omitempty"`
	// Static is how what is kept without a virtual router stands, which the JSON has
	// elsewhere; nil: the keeper has not reported it.
	Static *Static `json:"-"`
	// Transitions are those of each virtual router, which the JSON has there.
	Transitions map[string][]Transition `json:"-"`
}

// A Watchdog is a device of the kernel that resets the machine when it is not fed.
type Watchdog struct {
	Device string `json:"device"`
	// Timeout is the device's, which may have rounded the one that is configured.
	Timeout     time.Duration `json:"timeout_ns"`
	TimeoutText Duration      `json:"timeout"`
	Fed         bool          `json:"fed"`
	// Why is what is in the way of feeding it.
	Why string `json:"why,omitempty"`
}
