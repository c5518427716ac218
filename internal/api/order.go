package api

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A User is who has asked for something on the control socket, as the kernel says.
type User struct {
	// Name is empty if this machine has none for the UID.
	Name string `json:"name,omitempty"`
	UID  uint32 `json:"uid"`
}

// String returns the user as text: "root (uid 0)".
func (u User) String() string {
	if u.Name == "" {
		return fmt.Sprintf("uid %d", u.UID)
	}
	return fmt.Sprintf("%s (uid %d)", u.Name, u.UID)
}

// A FailoverOrder asks for a planned failover: POST /v1/failover.
type FailoverOrder struct {
	// Routers are the names of virtual routers or of sync groups; none: all of which this director is
	// Master.
	Routers []string `json:"routers,omitempty"`
	// Force lets them go even if no other director takes over.
	Force bool `json:"force,omitempty"`
}

// A StandbyOrder asks for a standby: POST /v1/standby.
type StandbyOrder struct {
	// For is how long it lasts, in nanoseconds; 0: until it is resumed.
	For time.Duration `json:"for_ns,omitempty"`
	// Force begins it even if no other director takes over.
	Force bool `json:"force,omitempty"`
}

// A ResumeOrder asks for real servers to be let in, or for what earlier orders have left to
// be ended: POST /v1/resume.
type ResumeOrder struct {
	// Servers are those that manual_resume keeps out: "web/192.168.1.4", or "web" for all of a
	// service; none: a standby and what failovers have left are ended.
	Servers []string `json:"servers,omitempty"`
}

// A Standby is that a director is not to be Master, as an operator wants.
type Standby struct {
	// By is who has ordered it, at Since; Until is when it ends by itself.
	By    User      `json:"by"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"`
}

// standbyReason begins the reason of a virtual router that stands back for a standby.
const standbyReason = "standby, ordered by "

// Reason is why a virtual router stands back.
func (s *Standby) Reason() string { return standbyReason + s.By.String() }

// IsStandby reports whether a virtual router stands back for a standby, by its reason.
func IsStandby(reason string) bool { return strings.HasPrefix(reason, standbyReason) }

// An Ordered is what became of an order.
type Ordered struct {
	// OK: it was carried out.
	OK bool `json:"ok"`
	// Routers are what became of each virtual router that it concerned.
	Routers []Move `json:"routers"`
	// Ended are the earlier orders that a resume has ended, a line each.
	Ended []string `json:"ended"`
	// Standby is the one that has begun; left out if none has.
	Standby *Standby `json:"standby,omitempty"`
	// Hooks are those that an assertion was to run again.
	Hooks []Asserted `json:"hooks,omitempty"`
	// Warnings accompany an order that was carried out, a line each.
	Warnings []string `json:"warnings"`
	// Error is why it was not carried out, or not for all routers.
	Error string `json:"error,omitempty"`
}

// A Move is what an order has done to one virtual router.
type Move struct {
	Router string `json:"router"`
	// Outcome is "accepted" (another director is Master), "not_master" (this one was
	// not), "declined" (nobody took over, and this one goes on as Master), "kept" (what
	// runs here could not be stopped, and this one goes on as Master), "let_go"
	// (nobody took over, and this one is Master no more), "interrupted" (it had to
	// stand back for another reason) or "unknown" (the keeper did not tell).
	Outcome string `json:"outcome"`
	// Reason is why it was kept.
	Reason string `json:"reason,omitempty"`
	// State is that of the router now.
	State State `json:"state"`
	// Master and MasterPriority are the router that it follows, if there is one.
	Master         netip.Addr `json:"master,omitzero"`
	MasterPriority uint8      `json:"master_priority,omitempty"`
}

// An AssertOrder asks for hooks to be run again: POST /v1/assert.
type AssertOrder struct {
	// Names are those of virtual routers or of sync groups; none: all.
	Names []string `json:"names,omitempty"`
}

// What became of a hook that was to be run again.
const (
	AssertedRun     = "run"       // HookRun has how it ended
	AssertedNot     = "overtaken" // the state has changed meanwhile
	AssertedUnknown = "running"   // it has not ended, or begun, in the time that an order waits
)

// An Asserted is a hook that was to be run again.
type Asserted struct {
	// Router or SyncGroup is whose it is.
	Router    string `json:"router,omitempty"`
	SyncGroup string `json:"sync_group,omitempty"`
	On        string `json:"on"`
	Program   string `json:"program"`
	// Outcome is AssertedRun, AssertedNot or AssertedUnknown.
	Outcome string `json:"outcome"`
	HookRun
}

// A Held tells why a virtual router does not take its role back.
type Held struct {
	// By is who has ordered the failover, at Since.
	By    User      `json:"by"`
	Since time.Time `json:"since"`
}

// Checked is what checks have found that were run once, on request: the answer of
// lvsd check.
type Checked struct {
	SchemaVersion int `json:"schema_version"`
	// Passed reports whether so many passed of each real server as must.
	Passed bool `json:"passed"`
	// Path and Node say which configuration they are of.
	Path   string      `json:"path"`
	Node   string      `json:"node"`
	Checks []Explained `json:"checks"`
}

// Explained is one check of one real server, and what it saw.
type Explained struct {
	Service string `json:"service"`
	Server  string `json:"server"`
	// Address is the real server's, and Asked where the check asks: an address, or an
	// address and a port.
	Address string `json:"address"`
	Asked   string `json:"asked,omitempty"`
	Kind    string `json:"kind"`
	// Group is that of a Check.
	Group string `json:"group,omitempty"`
	// Wants is what is asked and wanted, as the options of the kind in JSON.
	Wants       string        `json:"wants"`
	Timeout     time.Duration `json:"timeout_ns"`
	TimeoutText Duration      `json:"timeout"`
	Steps       []Step        `json:"steps"`
	Last        Result        `json:"last"`
}

// A Step is something that a check saw.
type Step struct {
	// At is since its begin.
	At     time.Duration `json:"at_ns"`
	AtText Duration      `json:"at"`
	// Step is "connecting", "connected", "tls", "certificate", "sent", "received" or "closed".
	Step string `json:"step"`
	Text string `json:"text"`
}

// A PlanOrder asks what a reload would change: POST /v1/plan.
type PlanOrder struct {
	// Files are the configuration that is planned, in the order in which they are read;
	// none: the daemon's own files, as they are now.
	Files []File `json:"files,omitempty"`
}

// A Configuration is one that was accepted, as the daemon keeps it.
type Configuration struct {
	// Number counts them; the newest has the greatest.
	Number   uint64    `json:"number"`
	Accepted time.Time `json:"accepted"`
	Digest   string    `json:"digest"`
	// Files are in the order in which they are read.
	Files []KeptFile `json:"files"`
}

// A KeptFile is a file of a configuration that is kept.
type KeptFile struct {
	Path string `json:"path"`
	// Mode are the permission bits, and UID and GID the owners, as they were.
	Mode uint32 `json:"mode"`
	UID  uint32 `json:"uid"`
	GID  uint32 `json:"gid"`
	// Size is that of its text, in bytes; Text is left out of a list.
	Size int    `json:"size"`
	Text string `json:"text,omitempty"`
}

// A File is one file of a configuration.
type File struct {
	// Name is the path by which messages call it.
	Name string `json:"name"`
	Text string `json:"text"`
}

// An Action is what happens to a thing.
type Action string

// The actions.
const (
	Add    Action = "add"
	Change Action = "change"
	Remove Action = "remove"
)

// A Plan is what a reload would change: the answer of POST /v1/plan.
type Plan struct {
	SchemaVersion int `json:"schema_version"`
	// OK: the configuration is valid. Otherwise Error and Diagnosis tell why a reload would
	// refuse it, as those of a Reloaded.
	OK        bool   `json:"ok"`
	Error     string `json:"error,omitempty"`
	Diagnosis string `json:"diagnosis,omitempty"`
	// Path is the daemon's configuration, and Node the director's name.
	Path string `json:"path"`
	Node string `json:"node"`
	// Differences: something would change.
	Differences bool `json:"differences"`
	// Changes are what differs in what the configurations say: of each block what is
	// removed comes first, and what is in a block follows it.
	Changes []Difference `json:"changes"`
	// Table are the rows of the kernel's IPVS table that would be written at once, in the
	// order of the writes, and Later those that follow once real servers without a result
	// have passed their checks.
	Table []RowChange `json:"table"`
	Later []RowChange `json:"table_later"`
	// Established and Connections are how many connections would be cut: those of the rows
	// that go away, by the kernel's counters; Connections counts all of their states.
	Established uint64 `json:"established_cut"`
	Connections uint64 `json:"connections_cut"`
	// Warnings accompany a configuration that is valid, a line each.
	Warnings []string `json:"warnings"`
}

// A Difference is one thing that two configurations do not say alike.
type Difference struct {
	Action Action `json:"action"`
	// Kind is "director", "static", "virtual_router", "sync_group", "virtual_service",
	// "condition", "stream" or "setting"; of what is in one of these "address", "route",
	// "rule", "packet_rule", "hook", "resource", "real_server" or "check".
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	// In is what it is in: "virtual_router outside", "real_server web/compute-0-0".
	In string `json:"in,omitempty"`
	// What are the options that differ, or what is added or removed.
	What []string `json:"what"`
	// Now: an address, a route or a rule comes or goes at once, since this director is
	// Master of its virtual router, or has none for it.
	Now bool `json:"now,omitempty"`
}

// A RowChange is a row of the kernel's IPVS table that is written.
type RowChange struct {
	Action Action `json:"action"`
	// Service and Server are names in the configuration; Service is empty where none has it,
	// and Server where the row is the virtual service's.
	Service string `json:"service,omitempty"`
	Server  string `json:"server,omitempty"`
	// Address is the row's own, and ServiceAddress that of its service.
	Address        string `json:"address"`
	ServiceAddress string `json:"service_address"`
	// Weight is the effective one, Was the one before, and Configured that of the
	// configuration; of a real server.
	Weight     uint32 `json:"weight"`
	Was        uint32 `json:"weight_before"`
	Configured uint32 `json:"weight_configured"`
	// Reason is why it is not the configured one, or why the row goes away.
	Reason string `json:"reason,omitempty"`
	// Established and Connections are those that the row has; they are cut with it.
	Established uint32 `json:"established,omitempty"`
	Connections uint32 `json:"connections,omitempty"`
	// Command is the write as arguments of ipvsadm; empty where the row goes with its
	// service.
	Command string `json:"ipvsadm,omitempty"`
}

// A WhatIfOrder asks what would be if real servers were down: POST /v1/whatif.
type WhatIfOrder struct {
	// Down names them: by a name or a pattern of names ("rack1-*"), "SERVICE/NAME", an
	// address, or a network ("192.168.1.0/24").
	Down []string `json:"down"`
	// Rate is for how long connections are counted, in nanoseconds; 0: they are not.
	Rate time.Duration `json:"rate_ns,omitempty"`
}

// WhatIf is what would be if real servers were down.
type WhatIf struct {
	SchemaVersion int    `json:"schema_version"`
	Error         string `json:"error,omitempty"` // why there is no answer
	// Lost: a service would be unserved that is not so now, or a server would reach its
	// upper threshold.
	Lost bool `json:"lost"`
	// Services are those that have one of these servers.
	Services []WhatIfService `json:"services"`
}

// A WhatIfService is what a virtual service would be.
type WhatIfService struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	// Supply is how it would be served, and Reason why not, as those of a Service; Was is
	// how it is.
	Supply Supply `json:"supply"`
	Was    Supply `json:"supply_now"`
	Reason string `json:"reason,omitempty"`
	// Connections are those that it has now, in any state, and Rate how many begin in a
	// second; Rate is left out where it was not counted.
	Connections uint64   `json:"connections"`
	Rate        *float64 `json:"rate,omitempty"`
	// Servers are those of the table, now or then, fallbacks included.
	Servers []WhatIfServer `json:"servers"`
}

// A WhatIfServer is what a real server would be.
type WhatIfServer struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Down    bool   `json:"down,omitempty"` // it is one of those that are supposed to be
	// Weight and Share are those then, and WasWeight and WasShare those now; a share is of
	// the service's new connections, from 0 to 1, as the scheduler gives it in the mean.
	Weight    uint32  `json:"weight"`
	WasWeight uint32  `json:"weight_now"`
	Share     float64 `json:"share"`
	WasShare  float64 `json:"share_now"`
	// Connections are those that it would have if the service had as many as now, and Rate
	// how many would begin in a second.
	Connections uint64   `json:"connections"`
	Rate        *float64 `json:"rate,omitempty"`
	// Upper is its upper threshold, in connections; 0: none. Over: it would reach it.
	Upper uint32 `json:"upper_threshold,omitempty"`
	Over  bool   `json:"over,omitempty"`
}

// An ApplyOrder asks for the configuration's files to be taken: POST /v1/apply.
type ApplyOrder struct {
	// Confirm is for how long they run unless they are confirmed, in nanoseconds; 0: for
	// good.
	Confirm time.Duration `json:"confirm_ns,omitempty"`
	// Lose is how many real servers that serve may be down before the configuration that
	// ran before runs again at once.
	Lose Lose `json:"lose,omitempty"`
}

// Lose is how many real servers a configuration on trial may lose: a number, a share of
// those that serve such as "10%", or "any", with which virtual services may be lost, too.
// Empty is none.
type Lose string

// Check returns what is wrong with it.
func (l Lose) Check() error {
	if l == "" || l.Any() {
		return nil
	}
	number, percent := strings.CutSuffix(string(l), "%")
	if n, err := strconv.ParseUint(number, 10, 31); err != nil || percent && n > 100 {
		return fmt.Errorf("%q is not how many real servers may be lost: write a number, a share such as 10%%, or any", string(l))
	}
	return nil
}

// Any reports whether it does not matter what is lost.
func (l Lose) Any() bool { return l == "any" }

// Of returns how many servers that is of so many, rounded down.
func (l Lose) Of(serving int) int {
	number, percent := strings.CutSuffix(string(l), "%")
	n, _ := strconv.Atoi(number)
	if percent {
		n = serving * n / 100
	}
	return n
}

// A ConfirmOrder asks for a configuration on trial to run for good: POST /v1/confirm.
type ConfirmOrder struct{}

// Applied is what became of an ApplyOrder or a ConfirmOrder.
type Applied struct {
	Reloaded
	// Trial is the one that has begun; left out if none has.
	Trial *Trial `json:"trial,omitempty"`
}

// A Trial is that a configuration runs until it is confirmed.
type Trial struct {
	// By is who has ordered it, at Since; Until is when the one before runs again.
	By    User      `json:"by"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Over: it was not confirmed, so the one before runs, whatever the files are.
	Over bool `json:"over,omitempty"`
	// Spare is how many real servers that served may be down before it is over at once; left
	// out: any, and virtual services, too.
	Spare *int `json:"spare,omitempty"`
	// Lost is what served before and did not any more, for which it ended at once.
	Lost string `json:"lost,omitempty"`
}
