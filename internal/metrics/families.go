package metrics

import (
	"math"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// Names follow Prometheus' conventions: base units, _total for counters,
// _timestamp_seconds for moments.

// daemonFigures are those of the daemon and its configuration.
var daemonFigures = []figure[api.Status]{
	{gauge("ready", "1 if the first table is in the kernel and every check has had a result, or the start delay is over."), func(v *api.Status) float64 { return oneIf(v.Ready) }},
	{gauge("stopping", "1 while the daemon is stopping and hands over."), func(v *api.Status) float64 { return oneIf(v.Stopping) }},
	{gauge("standby", "1 while an operator keeps this director from being Master."), func(v *api.Status) float64 { return oneIf(v.Standby != nil) }},
	{gauge("config_last_reload_successful", "1 if the configuration that was read last is valid and running."), func(v *api.Status) float64 { return oneIf(v.Reload.OK) }},
	{gauge("config_last_reload_timestamp_seconds", "When a configuration was last read."), func(v *api.Status) float64 { return moment(v.Reload.Last) }},
	{gauge("config_last_reload_success_timestamp_seconds", "When the running configuration was applied."), func(v *api.Status) float64 { return moment(v.Reload.Applied) }},
	{gauge("keeper_up", "1 if the process that sends the adverts is running; missing if no virtual router is configured."), func(v *api.Status) float64 { return onlyIf(len(v.Routers) > 0, oneIf(v.Keeper.PID != 0)) }},
	{counter("keeper_restarts_total", "Attempts to start the keeper again."), func(v *api.Status) float64 { return float64(v.Keeper.Restarts) }},
	{counter("keeper_events_dropped_total", "Events of the keeper that were lost because the director was too slow."), func(v *api.Status) float64 { return float64(v.Keeper.EventsDropped) }},
	{counter("keeper_packets_unclaimed_total", "VRRP packets for virtual routers that are not configured here."), func(v *api.Status) float64 { return float64(v.Keeper.Unclaimed) }},
	{gauge("watchdog_fed", "1 if the watchdog is fed; missing if none is configured."), func(v *api.Status) float64 {
		w := v.Keeper.Watchdog
		return onlyIf(w != nil, oneIf(w != nil && w.Fed))
	}},
	{gauge("keeper_report_age_seconds", "How long ago the keeper last reported how the virtual routers are, which it does every second."), func(v *api.Status) float64 { return onlyIf(v.Keeper.Age > 0, v.Keeper.Age.Seconds()) }},
	{gauge("probe_targets", "Distinct probes that are scheduled."), func(v *api.Status) float64 { return float64(v.Probes.Targets) }},
	{gauge("probes_in_flight", "Probes that are running."), func(v *api.Status) float64 { return float64(v.Probes.InFlight) }},
	{gauge("probes_waiting", "Probes that are due and wait for a free slot."), func(v *api.Status) float64 { return float64(v.Probes.Waiting) }},
	{counter("probes_late_total", "Probes that had to wait for a free slot."), func(v *api.Status) float64 { return float64(v.Probes.Late) }},
	{counter("probes_restarted_total", "Probes that were given up, and begun again, since they had not ended three intervals after their timeout."), func(v *api.Status) float64 { return float64(v.Probes.Restarted) }},
	{gauge("probe_targets_bypassed", "Targets of TCP checks that are asked by a connection each, since lvsd's own packets are not answered."), func(v *api.Status) float64 { return float64(v.Probes.Bypassed) }},
	{counter("probe_late_seconds_total", "Total time that probes waited for a free slot."), func(v *api.Status) float64 { return v.Probes.LateSeconds }},
	{counter("ipvs_errors_total", "Operations that the kernel refused, and listings that failed."), func(v *api.Status) float64 { return float64(v.Table.Errors) }},
	{counter("ipvs_drift_repaired_total", "Rows that somebody else had changed, and that were repaired."), func(v *api.Status) float64 { return float64(v.Table.Drift) }},
	{gauge("ipvs_foreign_services", "Services in the kernel's table that are not lvsd's."), func(v *api.Status) float64 { return float64(v.Table.Foreign) }},
	{gauge("ipvs_operations_pending", "Operations that are still to be done."), func(v *api.Status) float64 { return float64(v.Table.Pending) }},
	{gauge("rules_kept", "1 if the rules of nftables that mark packets of virtual services are as they should be; missing if there are none."), func(v *api.Status) float64 { return onlyIf(v.Rules != nil, oneIf(v.Rules != nil && v.Rules.Kept)) }},
	{counter("rules_failures_total", "Transactions that nftables refused, and listings that failed."), func(v *api.Status) float64 { return float64(rules(v).Failures) }},
	{counter("rules_repaired_total", "How often somebody else had changed the rules of nftables, and they were made anew."), func(v *api.Status) float64 { return float64(rules(v).Repairs) }},
	{gauge("ipvs_audit_timestamp_seconds", "When the whole table was last compared with the kernel's."), func(v *api.Status) float64 { return moment(v.Table.Audited) }},
}

// routerFigures are those of each virtual router.
var routerFigures = []figure[api.Router]{
	{gauge("router_state_since_timestamp_seconds", "When the virtual router entered its state."), func(v *api.Router) float64 { return moment(v.Since) }},
	{gauge("router_priority", "The virtual router's effective priority."), func(v *api.Router) float64 { return float64(v.Priority) }},
	{gauge("router_rivals", "Addresses of a Master that somebody else has too, as adverts that are refused, ARP or neighbour discovery tell; 10 at most."), func(v *api.Router) float64 { return float64(len(v.Rivals)) }},
	{gauge("router_stands_aside", "1 while a Backup stands aside for a Master whose adverts it refuses."), func(v *api.Router) float64 { return oneIf(v.Aside != nil) }},
	{gauge("router_addresses", "Addresses of the virtual router, including those that are not advertised."), func(v *api.Router) float64 { return float64(len(v.Addresses)) }},
	{gauge("router_addresses_held", "Addresses of the virtual router that are on this director."), func(v *api.Router) float64 { return float64(v.Held) }},
	{gauge("router_paths", "Routes and rules that move with the virtual router's addresses."), func(v *api.Router) float64 { return float64(len(v.Paths)) }},
	{gauge("router_paths_held", "Routes and rules of the virtual router that are on this director."), func(v *api.Router) float64 { return float64(v.PathsHeld) }},
	{counter("router_adverts_sent_total", "Adverts sent."), func(v *api.Router) float64 { return float64(v.Counters.AdvertsSent) }},
	{counter("router_adverts_received_total", "Adverts received and accepted."), func(v *api.Router) float64 { return float64(v.Counters.AdvertsReceived) }},
	{counter("router_priority_zero_sent_total", "Adverts of priority 0 sent: this Master is leaving."), func(v *api.Router) float64 { return float64(v.Counters.PriorityZeroSent) }},
	{counter("router_priority_zero_received_total", "Adverts of priority 0 received: the Master is leaving."), func(v *api.Router) float64 { return float64(v.Counters.PriorityZeroReceived) }},
	{counter("router_other_masters_total", "Adverts received from another Master while this director stayed Master: both held the addresses."), func(v *api.Router) float64 { return float64(v.Counters.OtherMasters) }},
	{counter("router_send_errors_total", "Adverts that the kernel refused to send."), func(v *api.Router) float64 { return float64(v.Counters.SendErrors) }},
	{counter("router_stalls_total", "Wake-ups that came so late that the timers could not be trusted."), func(v *api.Router) float64 { return float64(v.Counters.Stalls) }},
	{counter("router_adverts_late_total", "Times that half of the time after which this director takes over has passed without an advert of the Master."), func(v *api.Router) float64 { return float64(v.Counters.AdvertsLate) }},
	{counter("router_addresses_restored_total", "Addresses put back after somebody else had removed them."), func(v *api.Router) float64 { return float64(v.Counters.AddressesRestored) }},
	{counter("router_paths_restored_total", "Routes and rules put back after somebody else had removed them."), func(v *api.Router) float64 { return float64(v.Counters.PathsRestored) }},
	{counter("router_addresses_removed_total", "Addresses removed after somebody else had added them while the virtual router did not hold them."), func(v *api.Router) float64 { return float64(v.Counters.AddressesRemoved) }},
}

// hookFigures are those of each hook of a virtual router, which is known by its place
// in the configuration.
var hookFigures = []figure[api.Hook]{
	{counter("hook_runs_total", "How often the hook was run, or could not be run; hook counts those of the virtual router, or of the virtual service."), func(v *api.Hook) float64 { return float64(v.Runs) }},
	{counter("hook_failures_total", "How often that went wrong."), func(v *api.Hook) float64 { return float64(v.Failures) }},
	{gauge("hook_last_successful", "1 if the last run of the hook succeeded; missing before the first one."), func(v *api.Hook) float64 { return onlyIf(v.Runs > 0, oneIf(v.Last.OK)) }},
	{gauge("hook_last_timestamp_seconds", "When that run began."), func(v *api.Hook) float64 { return onlyIf(v.Runs > 0, moment(v.Last.At)) }},
	{gauge("hook_last_duration_seconds", "How long that run took."), func(v *api.Hook) float64 { return onlyIf(v.Runs > 0, v.Last.Took.Seconds()) }},
}

// streamFigures are those of each stream.
var streamFigures = []figure[api.Stream]{
	{gauge("stream_running", "1 if the program of the stream runs."), func(v *api.Stream) float64 { return oneIf(v.Running) }},
	{counter("stream_starts_total", "How often it was started."), func(v *api.Stream) float64 { return float64(v.Starts) }},
	{counter("stream_lines_total", "Lines that were handed over to it."), func(v *api.Stream) float64 { return float64(v.Lines) }},
	{counter("stream_lines_skipped_total", "Lines that were left out, because it did not read."), func(v *api.Stream) float64 { return float64(v.Skipped) }},
}

// serviceFigures are those of each virtual service.
var serviceFigures = []figure[api.Service]{
	{gauge("service_in_kernel", "1 if the virtual service is in the kernel's table; missing while it is withheld."), func(v *api.Service) float64 { return onlyIf(v.InKernel || v.Supply != api.Withheld, oneIf(v.InKernel)) }},
	{gauge("service_served", "1 if a real server accepts the service's connections, 0 if none does; missing while it is undecided or withheld."), func(v *api.Service) float64 {
		return onlyIf(v.Supply == api.Served || v.Supply == api.Unserved, oneIf(v.Supply == api.Served))
	}},
	{gauge("service_below_minimum", "1 while fewer real servers take connections than the service's min_healthy."), func(v *api.Service) float64 { return oneIf(v.BelowMinimum) }},
	{gauge("service_fallback_active", "1 while a fallback serves; missing if none is configured."), func(v *api.Service) float64 {
		return onlyIf(v.HasFallback(), oneIf(v.FallbackServes()))
	}},
	{counter("service_suspicions_total", "How often a real server was checked at once because it left clients unanswered (suspicion)."), func(v *api.Service) float64 { return float64(v.Suspicions) }},
	{gauge("service_tier", "The tier whose real servers serve; missing if there is one only, or none has enough of them."), func(v *api.Service) float64 {
		return onlyIf(v.Tier > 0, float64(v.Tier))
	}},
	{gauge("service_certificate_end_timestamp_seconds", "When the first of the real servers' certificates ends, rounded down to a day; missing if checks have seen none."), func(v *api.Service) float64 { return moment(v.CertificateEnds()) }},
	{gauge("service_oldest_result_timestamp_seconds", "When the oldest of the newest results of the real servers' checks came; missing before the first."), func(v *api.Service) float64 { return moment(v.OldestResult()) }},
	{counter("service_connections_total", "Connections since the virtual service was added to the table."), func(v *api.Service) float64 { return onlyIf(v.InKernel, float64(v.Traffic.Connections)) }},
	{counter("service_packets_in_total", "Packets from clients to the virtual service."), func(v *api.Service) float64 { return onlyIf(v.InKernel, float64(v.Traffic.PacketsIn)) }},
	{counter("service_packets_out_total", "Packets from the virtual service to clients, if they pass through the director."), func(v *api.Service) float64 { return onlyIf(v.InKernel, float64(v.Traffic.PacketsOut)) }},
	{counter("service_bytes_in_total", "Bytes from clients to the virtual service."), func(v *api.Service) float64 { return onlyIf(v.InKernel, float64(v.Traffic.BytesIn)) }},
	{counter("service_bytes_out_total", "Bytes from the virtual service to clients, if they pass through the director."), func(v *api.Service) float64 { return onlyIf(v.InKernel, float64(v.Traffic.BytesOut)) }},
}

// serverFigures are those of each real server, by option and only eight, because a
// director may have ten thousand servers. What merely explains a failure (latency,
// last result) is in the status instead.
var serverFigures = []figure[api.Server]{
	{gauge("real_server_up", "1 if the real server is up or not checked, 0 if down; missing while unknown."), func(v *api.Server) float64 { return onlyIf(v.Health != api.Unknown, oneIf(v.Health != api.Down)) }},
	{gauge("real_server_weight", "The configured weight."), func(v *api.Server) float64 { return float64(v.Weight) }},
	{gauge("real_server_kernel_weight", "The weight in the kernel's table; missing if the server is not in it."), func(v *api.Server) float64 { return onlyIf(v.InKernel, float64(v.KernelWeight)) }},
	{gauge("real_server_connections_active", "Established connections."), func(v *api.Server) float64 { return onlyIf(v.InKernel, float64(v.Counters.Active)) }},
	{gauge("real_server_connections_inactive", "Connections in any other state."), func(v *api.Server) float64 { return onlyIf(v.InKernel, float64(v.Counters.Inactive)) }},
	{counter("real_server_connections_total", "Connections since the real server was added to the table."), func(v *api.Server) float64 { return onlyIf(v.InKernel, float64(v.Counters.Connections)) }},
	{counter("real_server_bytes_in_total", "Bytes from clients to the real server."), func(v *api.Server) float64 { return onlyIf(v.InKernel, float64(v.Counters.BytesIn)) }},
	{counter("real_server_bytes_out_total", "Bytes from the real server to clients, if they pass through the director."), func(v *api.Server) float64 { return onlyIf(v.InKernel, float64(v.Counters.BytesOut)) }},
}

// Those whose values have labels of their own.
var (
	directorUp         = gauge("director_up", "1 if the director's loop answered this scrape; otherwise its metrics are missing.")
	buildInfo          = gauge("build_info", "Always 1; the versions of lvsd and of Go as labels.")
	findings           = gauge("findings", "Things that are wrong now, by severity; lvsd status lists them.")
	configInfo         = gauge("config_info", "Always 1; the digest of the running configuration, equal on directors that run the same one, and the node.")
	configReloads      = counter("config_reloads_total", "Configurations read since the start, including the first.")
	routerInfo         = gauge("router_info", "Always 1; the labels identify the virtual router on its network.")
	routerState        = gauge("router_state", "1 for the state that the virtual router is in, 0 for the others.")
	routerTransitions  = counter("router_transitions_total", "How often the virtual router became Master, and stopped being Master.")
	routerConditionMet = gauge("router_condition_met", "1 while a condition that the virtual router tracks is met, 0 while it is not; missing while that cannot be told.")
	routerPeerAge      = gauge("router_peer_age_seconds", "How long ago the virtual router heard another director, of the eight that it heard last; one that is Backup sends nothing.")
	routerAdvertGap    = histogram("router_advert_gap_intervals", "Times between two adverts of the Master that is followed, in its advert intervals: 1 is as it should be, and 2 means that one was late or lost.")
	routerAdvertLate   = histogram("router_advert_lateness_seconds", "How late this Master has sent its regular adverts.")
	routerDiscarded    = counter("router_packets_discarded_total", "Packets received but not accepted, by reason.")
	routerMismatched   = counter("router_adverts_mismatched_total", "Adverts accepted although they disagree with the configuration, by what differs.")
	groupState         = gauge("sync_group_state", "1 for the state that the virtual routers of the sync group are in, 0 for the others; Split while only some of them are Master.")
	fencingRuns        = counter("fencing_runs_total", "How often a hook with before = true was run, by outcome; called_off means that it was ended because a Master was heard, or the virtual router stood back.")
	resourceRuns       = counter("resource_runs_total", "How often the resource was started or stopped, successfully or not.")
	resourceFailures   = counter("resource_failures_total", "How often the resource could not be started or stopped.")
	resourceRunning    = gauge("resource_running", "1 if the resource of the virtual router or sync group runs, 0 if it does not; missing while that is changing or not known.")
	resourceFailed     = gauge("resource_failed", "1 if the resource could not be started or stopped the last time.")
	serviceInfo        = gauge("service_info", "Always 1; the virtual service's address and protocol, or its firewall mark, and its scheduler.")
	serviceServers     = gauge("service_real_servers", "Real servers of the virtual service, by health.")
	serviceTransitions = counter("service_real_server_transitions_total", "How often real servers of the virtual service have changed between up and down.")
	serviceProbe       = histogram("service_probe_duration_seconds", "How long probes of the virtual service's real servers took, unless they could not be run.")
	serviceFailures    = counter("service_probe_failures_total", "Probes of the virtual service's real servers that did not pass, by reason; not_run means that this director could not run the probe.")
	probeDelay         = histogram("probe_start_delay_seconds", "How much later than they were due probes began.")
	probeDuration      = histogram("probe_duration_seconds", "How long probes took, by kind of check.")
	probes             = counter("probes_total", "Probes by kind of check and outcome; not_run means that this director could not run the probe.")
	tableOperations    = counter("ipvs_operations_total", "Rows written to the kernel's table, by kind of operation.")
	kernelFaults       = counter("kernel_faults_total", "Exchanges with the kernel about the table, the rules of nftables, settings and the addresses of virtual routers that failed, or were refused, by their kind as errno(3) has it; or no-answer, cut-short, no-ipvs, no-module, other.")
)

// A family is one metric: its name, what it means, and its type as Prometheus
// has it.
type family struct{ name, help, kind string }

// gauge describes a figure that goes up and down.
func gauge(name, help string) family { return family{"lvsd_" + name, help, "gauge"} }

// counter describes a figure that only grows.
func counter(name, help string) family { return family{"lvsd_" + name, help, "counter"} }

// histogram describes durations that are counted in buckets.
func histogram(name, help string) family { return family{"lvsd_" + name, help, "histogram"} }

// A figure is a family with the value that it has of a T.
type figure[T any] struct {
	family
	of func(*T) float64
}

// missing is the value of what is not known, for which nothing is sent.
var missing = math.NaN()

func onlyIf(known bool, v float64) float64 {
	if known {
		return v
	}
	return missing
}

func oneIf(set bool) float64 {
	if set {
		return 1
	}
	return 0
}

// moment is in seconds since 1970, and missing if it has not been.
func moment(t time.Time) float64 { return onlyIf(!t.IsZero(), float64(t.UnixMicro())/1e6) }

// rules are a status's, or none.
func rules(v *api.Status) api.Rules {
	if v.Rules == nil {
		return api.Rules{}
	}
	return *v.Rules
}
