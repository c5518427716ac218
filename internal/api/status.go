// Package api has the values that the daemon sends to programs: version 1 of
// the JSON on the control socket, which "lvsd status -o json" prints.
//
// They are separate from the values that the daemon works with, so that either
// can change without the other. Programs of users read them: fields may be
// added, but none may change its name or its meaning within version 1.
//
// Lists and objects are never null. Moments are RFC 3339 text, by the daemon's clock
// as it is set when it answers, so that the difference to Time is right also where the
// clock was set meanwhile; they are left out while they have not been. Durations are
// integers, in nanoseconds where the name ends in _ns, and the same name without that
// has them as text.
package api

import (
	"net/netip"
	"slices"
	"time"
)

// SchemaVersion is the version of the JSON, of everything that lvsd prints in it.
const SchemaVersion = 1

// A Status is everything that the daemon knows about itself at one moment: the
// answer to GET /v1/status.
type Status struct {
	// SchemaVersion is that of this package.
	SchemaVersion int `json:"schema_version"`
	// Time is when the answer was made, by the daemon's clock.
	Time    time.Time `json:"time,omitzero"`
	Version string    `json:"version"`
	Node    string    `json:"node"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started,omitzero"`
	// Ready reports whether the first table is in the kernel and every check
	// has had a result, or the start delay is over.
	Ready bool `json:"ready"`
	// Stopping reports whether the daemon was told to stop and is handing over.
	Stopping bool `json:"stopping"`
	// Standby is why this director is not to be Master, as an operator wants; left out
	// if none does.
	Trial   *Trial   `json:"trial,omitempty"`
	Standby *Standby `json:"standby,omitempty"`
	// Findings are what an operator should look at, the most urgent first.
	Findings []Finding `json:"findings"`
	Reload   Reload    `json:"reload"`
	Keeper   Keeper    `json:"keeper"`
	Routers  []Router  `json:"routers"`
	// Static is what this director has always, without a virtual router; left out if
	// nothing is configured.
	Static *Static `json:"static,omitempty"`
	// SyncGroups are the groups of virtual routers that move together.
	SyncGroups []SyncGroup `json:"sync_groups"`
	// Streams are the programs that stay, and read what happens to virtual routers.
	Streams  []Stream  `json:"streams"`
	Services []Service `json:"services"`
	// Foreign are services in the kernel's table that are not lvsd's, sorted:
	// "tcp 10.13.0.201:25 wlc". At most 100 are listed; Table.Foreign counts
	// them all.
	Foreign []string `json:"foreign"`
	Probes  Probes   `json:"probes"`
	Table   Table    `json:"table"`
	// Rules are those of nftables that give packets firewall marks; left out where no
	// virtual service needs any.
	Rules *Rules `json:"rules,omitempty"`
	// SettingFaults are parameters of the kernel, timeouts and sync daemons of IPVS that could
	// not be set, and looks at the machine that failed, by their kind, as the table's.
	SettingFaults map[string]uint64 `json:"setting_faults,omitempty"`
	// ServerMetrics is whether metrics are to have series of each real server. It
	// is no state, so the JSON has it not.
	ServerMetrics bool `json:"-"`
}

// A Duration is a duration as text: "1.2ms".
type Duration time.Duration

// MarshalText writes it as package time does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what MarshalText has written.
func (d *Duration) UnmarshalText(b []byte) error {
	read, err := time.ParseDuration(string(b))
	*d = Duration(read)
	return err
}

// A Severity is how urgent a finding is.
type Severity string

// The severities of findings.
const (
	Info    Severity = "info"    // nothing to do
	Warning Severity = "warning" // something should be looked at; clients are served
	Error   Severity = "error"   // something failed, or clients are not served
)

// NotReady is the code of the finding that tells why the daemon is not ready.
const NotReady = "not-ready"

// A Finding is something that is wrong now.
type Finding struct {
	// Code identifies the kind of finding, for programs: "reload-refused".
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Subject is what it is about, such as `virtual router "outside"`; empty:
	// the daemon.
	Subject string `json:"subject,omitempty"`
	// Text is what is wrong, and Remedy what to do about it, if that is known.
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// A Reload describes the configuration that runs, and how the last attempt to
// load one ended.
type Reload struct {
	// Path is what was given as --config.
	Path string `json:"path"`
	// Digest identifies the configuration that runs, and Applied is when it
	// was applied.
	Digest  string    `json:"digest"`
	Applied time.Time `json:"applied,omitzero"`
	// Last is when a configuration was last read, OK whether it was valid, and
	// Error the first mistake if it was not.
	Last  time.Time `json:"last,omitzero"`
	OK    bool      `json:"ok"`
	Error string    `json:"error,omitempty"`
	// Succeeded and Failed count the attempts since the start, including the
	// first configuration.
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
}

// A Reloaded is how a reload that was asked for has ended.
type Reloaded struct {
	// OK: the configuration was valid, and runs now.
	OK bool `json:"ok"`
	// Changes are what is different from the one before, a line each, as far as
	// they are not too many.
	Changes []string `json:"changes"`
	// Warnings accompany a configuration that is valid, a line each.
	Warnings []string `json:"warnings"`
	// Error tells why the one before still runs. Diagnosis has all mistakes with
	// their source, for people; it is empty where the files could not be read.
	Error     string `json:"error,omitempty"`
	Diagnosis string `json:"diagnosis,omitempty"`
}

// A Static is the addresses, routes and rules that a director has always, without a
// virtual router.
type Static struct {
	// Wanted are those that are configured: "10.13.0.15/24 on eth1".
	Wanted []string `json:"wanted"`
	Held   int      `json:"held"` // how many of them are there
	// Missing are the others, and Failure is why they are.
	Missing string `json:"missing,omitempty"`
	Failure string `json:"failure,omitempty"`
	// Restored counts those that somebody else had removed.
	Restored uint64 `json:"restored"`
}

// A Supply tells whether a virtual service is served.
type Supply string

// The supplies of a virtual service.
const (
	Served Supply = "served" // a real server takes its connections
	// Undecided: none does, but the first results of some are awaited.
	Undecided Supply = "undecided"
	Unserved  Supply = "unserved" // none does: the fallback serves, or clients are refused
	// Withheld: it is left out of the table on purpose while another director
	// is Master, because this one is among its servers.
	Withheld Supply = "withheld"
)

// Explain returns the reason why a service is unserved in an operator's words.
func Explain(reason string) string {
	switch reason {
	case "no_server":
		return "no real server is configured"
	case "full":
		return "every real server that is up has reached its upper_threshold"
	case "down":
		return "no real server is up"
	case "drained":
		return "every real server that is not down has weight 0"
	case "manual_resume":
		return "every real server that is not down has failed before, and is kept out until lvsd resume"
	case "min_healthy":
		return "fewer real servers take connections than min_healthy"
	case "no_result":
		return "no check of a real server has had a result yet"
	default:
		return reason
	}
}

// A Service is one virtual service.
type Service struct {
	Name string `json:"name"`
	// Address is Key as people write it: "tcp 10.13.0.200:80".
	Address   string     `json:"address"`
	Key       ServiceKey `json:"key"`
	Scheduler string     `json:"scheduler"`
	// More are the keys of further virtual services of the kernel that it is, with the same
	// servers.
	More []ServiceKey `json:"more,omitempty"`
	// Packets are those to which lvsd's own rules give the firewall mark, and SourceNAT is
	// what their source becomes: "masquerade", or an address; left out where there are none.
	Packets   string `json:"packets,omitempty"`
	Mark      uint32 `json:"mark,omitempty"`
	SourceNAT string `json:"source_nat,omitempty"`
	// InKernel reports whether the service, with all of More, was in the IPVS table when that was
	// last read.
	InKernel bool `json:"in_kernel"`
	// Supply tells whether it is served. Reason is why it is unserved:
	// "no_server", "full", "drained", "manual_resume", "down", "no_result" or "min_healthy".
	Supply Supply `json:"supply"`
	Reason string `json:"reason,omitempty"`
	// BelowMinimum: fewer of its servers take connections than its min_healthy.
	BelowMinimum bool `json:"below_minimum,omitempty"`
	// Idle: it has had no packet for a minute or the shortest idle_interval, so checks with an idle_interval follow that.
	Idle bool `json:"idle,omitempty"`
	// Suspended: its checks do not run, since this director is not Master, and what they have
	// found last is kept (ha_suspend).
	Suspended bool `json:"suspended,omitempty"`
	// Suspicions counts how often one of its real servers was checked at once since it left
	// clients unanswered (suspicion).
	Suspicions uint64 `json:"suspicions,omitempty"`
	// Tier is the one whose servers serve; left out where there is one only, or none has
	// enough.
	Tier    int      `json:"tier,omitempty"`
	Servers []Server `json:"servers"`
	// Transitions counts how often its real servers have changed between up and
	// down since the daemon started.
	Transitions Transitions `json:"transitions"`
	// Probes counts the results of its real servers' checks since the daemon started.
	Probes ServiceProbes `json:"probes"`
	// Hooks are the programs that are run when its state or that of a server changes.
	Hooks []Hook `json:"hooks,omitempty"`
	// Traffic is the service's own, which outlives its real servers.
	Traffic Traffic `json:"traffic"`
	// Fallback is the destination of last resort; nil if none is configured.
	// It is in the kernel exactly while no server takes connections. One that serves
	// while they are full stays in it with weight 0.
	Fallback *Server `json:"fallback,omitempty"`
	// Fallbacks are there in its place where they are checked or several. They stay in the
	// kernel with weight 0.
	Fallbacks []Server `json:"fallbacks,omitempty"`
}

// HasFallback reports whether a fallback is configured.
func (s *Service) HasFallback() bool { return s.Fallback != nil || len(s.Fallbacks) > 0 }

// FallbackServes reports whether a fallback takes the service's connections.
func (s *Service) FallbackServes() bool {
	serves := func(f Server) bool { return f.InKernel && f.KernelWeight > 0 }
	return s.Fallback != nil && serves(*s.Fallback) || slices.ContainsFunc(s.Fallbacks, serves)
}

// CertificateEnds returns when the first of its real servers' certificates ends; zero:
// no check has seen any.
func (s *Service) CertificateEnds() (first time.Time) {
	for i := range s.Servers {
		for _, c := range s.Servers[i].Checks {
			if end := c.Last.CertificateEnds; !end.IsZero() && (first.IsZero() || end.Before(first)) {
				first = end
			}
		}
	}
	return first
}

// OldestResult returns when the oldest of the newest results of its real servers' checks came;
// zero: there is none.
func (s *Service) OldestResult() (oldest time.Time) {
	for i := range s.Servers {
		for _, c := range s.Servers[i].Checks {
			if at := c.Last.At; !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
				oldest = at
			}
		}
	}
	return oldest
}

// ServiceProbes counts the probes of one service's real servers. One that services share
// counts in each.
type ServiceProbes struct {
	// Latency is how long those took that could be run, in seconds.
	Latency Histogram `json:"latency"`
	// Reasons counts those that did not pass: "refused", "timeout", "unreachable", "reset",
	// "status", "answer", "tls", "dns", "auth", and "not_run" for those that this director could not run.
	Reasons map[string]uint64 `json:"reasons"`
}

// Transitions are changes of the health of real servers. The first result of a
// server is none.
type Transitions struct {
	ToUp   uint64 `json:"to_up"`
	ToDown uint64 `json:"to_down"`
}

// A ServiceKey identifies a virtual service: by protocol, address and port, or
// by firewall mark and family.
type ServiceKey struct {
	// Protocol is an IP protocol number; 0 if Mark is set.
	Protocol uint8 `json:"protocol"`
	// ProtocolName is "tcp", "udp" or "sctp"; empty if Mark is set.
	ProtocolName string `json:"protocol_name,omitempty"`
	// Address is the unspecified address of its family if Mark is set.
	Address netip.Addr `json:"address"`
	Port    uint16     `json:"port,omitempty"`
	Mark    uint32     `json:"mark,omitempty"`
}

// A Health is the health of a real server.
type Health string

// The healths of a real server.
const (
	Up        Health = "up"
	Down      Health = "down"
	Unknown   Health = "unknown"   // the results so far do not tell
	Unchecked Health = "unchecked" // no check is configured
)

// A Server is one real server of one virtual service.
type Server struct {
	Name    string `json:"name"`
	Address string `json:"address"` // "192.168.1.4:80"
	Forward string `json:"forward"` // "nat", "direct" or "tunnel"
	Health  Health `json:"health"`
	// Drained: its weight is 0, so it takes no new connections, whatever its health.
	Drained bool `json:"drained,omitempty"`
	// Full: it is up, and the kernel sends it no new connections, since it has
	// reached its upper_threshold.
	Full bool `json:"full,omitempty"`
	// DecidedBy is what has decided whether and how it is in the table, where that
	// was not its health; left out otherwise.
	DecidedBy Decider `json:"decided_by,omitempty"`
	// Tier is the server's, as configured; left out where the service has one only.
	Tier int `json:"tier,omitempty"`
	// KeptOut: it has failed, and stays out until an operator lets it in, also when its
	// checks pass again.
	KeptOut bool `json:"kept_out,omitempty"`
	// Since is when Health last changed.
	Since  time.Time `json:"since,omitzero"`
	Checks []Check   `json:"checks"`
	// Weight is the configured weight, and KernelWeight the one in the IPVS
	// table when that was last read; InKernel reports whether the server was
	// in it at all.
	Weight       uint32 `json:"weight"`
	KernelWeight uint32 `json:"kernel_weight"`
	InKernel     bool   `json:"in_kernel"`
	// Counters are the kernel's, as last read.
	Counters Counters `json:"counters"`
}

// A Decider is what decides about a real server beside its health, or in place of it.
type Decider string

// What decides, in its order of precedence.
const (
	// ByMaintenance: a check demands that it is out of the table.
	ByMaintenance Decider = "maint"
	// ByManualResume: it has failed, and stays out until an operator lets it in.
	ByManualResume Decider = "manual_resume"
	// ByPanic: it fell silent together with many others of its service, and is held in
	// the table for some time.
	ByPanic Decider = "panic"
	// ByIsolation: it fell silent as all others, so this director is cut off.
	ByIsolation Decider = "isolation"
	// ByOnFailure: it is down, and keeps its row, with weight 0.
	ByOnFailure Decider = "on_failure"
	// ByUpAfter: it is up, and stays out until it has been for long enough.
	ByUpAfter Decider = "up_after"
	// ByTier: it is up, and servers of another tier serve.
	ByTier Decider = "tier"
	// BySlowStart: it is up, and its weight is on its way to the configured one.
	BySlowStart Decider = "slow_start"
	// ByDrain: a check demands that it gets no new connections.
	ByDrain Decider = "drain"
	// ByChecks: its checks say what weight it has.
	ByChecks Decider = "checks"
)

// A Check is one check of one real server.
type Check struct {
	Kind string `json:"kind"`
	// Asked is where it asks, if that is another address than the server's.
	Asked string `json:"asked,omitempty"`
	// Group is which other checks it belongs to, where not all must pass: "any", "any/all",
	// "2 of 3", "any#2" for the second one; empty: it must pass.
	Group string `json:"group,omitempty"`
	// Up is the verdict of the results so far, by rise and fall.
	Up bool `json:"up"`
	// Last is the last result; zero before the first, and left out in JSON.
	Last Result `json:"last,omitzero"`
}

// An Outcome is what became of one probe.
type Outcome string

// The outcomes of a probe.
const (
	Passed Outcome = "passed"
	Failed Outcome = "failed"
	// NotRun: it could not be run, for a reason of this director's own.
	NotRun Outcome = "not_run"
)

// A Result is what one probe found.
type Result struct {
	// At is when the probe ended, and Latency how long it took.
	At          time.Time     `json:"at"`
	Latency     time.Duration `json:"latency_ns"`
	LatencyText Duration      `json:"latency"`
	Outcome     Outcome       `json:"outcome"`
	// Reason is the kind of failure, as ServiceProbes counts them; empty if the probe passed.
	Reason string `json:"reason,omitempty"`
	// Detail is what happened, in an operator's words: "connection refused".
	// It is left out if the probe passed, unless an agent did not answer, so that everything
	// is as it said before.
	Detail string `json:"detail,omitempty"`
	// Advice is what the check says of the server's weight: "50%" of the configured one,
	// "weight 3" in place of it, "drain", "maint"; left out where it says nothing.
	Advice string `json:"advice,omitempty"`
	// CertificateEnds is when the server's certificate ends that a check has seen last,
	// rounded down to a day in UTC; left out where there was none.
	CertificateEnds time.Time `json:"certificate_ends,omitzero"`
}

// Traffic is what the kernel has counted for one virtual service since it was added
// to the table, as last read.
type Traffic struct {
	Connections uint64 `json:"connections"`
	PacketsIn   uint64 `json:"packets_in"`
	PacketsOut  uint64 `json:"packets_out"`
	BytesIn     uint64 `json:"bytes_in"`
	BytesOut    uint64 `json:"bytes_out"`
}

// Counters are the kernel's figures for one real server.
type Counters struct {
	Active      uint32 `json:"active"`      // established connections
	Inactive    uint32 `json:"inactive"`    // connections in any other state
	Persistent  uint32 `json:"persistent"`  // persistence templates
	Connections uint64 `json:"connections"` // since the server was added
	PacketsIn   uint64 `json:"packets_in"`
	PacketsOut  uint64 `json:"packets_out"`
	BytesIn     uint64 `json:"bytes_in"`
	BytesOut    uint64 `json:"bytes_out"`
}

// Probes are what the checker has counted since it started.
type Probes struct {
	// Targets is how many distinct probes there are, InFlight how many run now,
	// and Waiting how many are due and wait for a place.
	Targets  int `json:"targets"`
	InFlight int `json:"in_flight"`
	Waiting  int `json:"waiting"`
	// Restarted is how many probes were given up since they had not ended three intervals after
	// their timeout, and Lost how many of these still have not.
	Restarted uint64 `json:"restarted"`
	Lost      int    `json:"lost"`
	// Late is how many probes had to wait for a place, and LateSeconds how long
	// in all.
	Late        uint64  `json:"late"`
	LateSeconds float64 `json:"late_seconds"`
	// Delays counts by how much later than they were due probes began: up to 1, 2.5, 5,
	// 10, 20, 50, 100, 250, 500 ms and 1 s, each from the bound before, and last those
	// above. DelaySeconds is the sum.
	Delays       []uint64 `json:"delays"`
	DelaySeconds float64  `json:"delay_seconds"`
	// Bypassed is how many targets of TCP checks are asked by a connection each, since
	// packets of lvsd's own do not reach them or are not answered, and Unusable why all
	// are; empty: they are not.
	Bypassed int    `json:"bypassed"`
	Unusable string `json:"unusable,omitempty"`
	// Kinds has the results by kind of check.
	Kinds map[string]Kind `json:"kinds"`
}

// A Kind counts the results of one kind of check.
type Kind struct {
	Passed uint64 `json:"passed"`
	Failed uint64 `json:"failed"`
	NotRun uint64 `json:"not_run"`
	// Seconds is the sum of all latencies. Buckets counts the latencies up to
	// 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500 ms, 1, 2.5, 5, 10 s, each from
	// the bound before, and last those above.
	Seconds float64  `json:"seconds"`
	Buckets []uint64 `json:"buckets"`
}
