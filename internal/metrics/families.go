package metrics

// The metrics. Names follow Prometheus' conventions: base units, _total for
// counters, _timestamp_seconds for moments. A real server has only eight series,
// because a director may have ten thousand servers: what merely explains a
// failure (latency, last result) is in the status instead.
var (
	directorUp = gauge("director_up", "1 if the director's loop answered this scrape; otherwise its metrics are missing.")
	buildInfo  = gauge("build_info", "Always 1; the versions of lvsd and of Go as labels.")
	ready      = gauge("ready", "1 if the first table is in the kernel and every check has had a result, or the start delay is over.")
	stopping   = gauge("stopping", "1 while the daemon is stopping and hands over.")
	findings   = gauge("findings", "Things that are wrong now, by severity; lvsd status lists them.")

	configInfo       = gauge("config_info", "Always 1; the digest of the running configuration, equal on directors that run the same one, and the node.")
	configSuccessful = gauge("config_last_reload_successful", "1 if the configuration that was read last is valid and running.")
	configRead       = gauge("config_last_reload_timestamp_seconds", "When a configuration was last read.")
	configApplied    = gauge("config_last_reload_success_timestamp_seconds", "When the running configuration was applied.")
	configReloads    = counter("config_reloads_total", "Configurations read since the start, including the first.")

	keeperUp        = gauge("keeper_up", "1 if the process that sends the adverts is running; missing if no virtual router is configured.")
	keeperRestarts  = counter("keeper_restarts_total", "How often the keeper had to be restarted.")
	keeperDropped   = counter("keeper_events_dropped_total", "Events of the keeper that were lost because the director was too slow.")
	keeperUnclaimed = counter("keeper_packets_unclaimed_total", "VRRP packets for virtual routers that are not configured here.")

	routerInfo         = gauge("router_info", "Always 1; the labels identify the virtual router on its network.")
	routerState        = gauge("router_state", "1 for the state that the virtual router is in, 0 for the others.")
	routerSince        = gauge("router_state_since_timestamp_seconds", "When the virtual router entered its state.")
	routerPriority     = gauge("router_priority", "The virtual router's effective priority.")
	routerAddresses    = gauge("router_addresses", "Addresses of the virtual router, including those that are not advertised.")
	routerHeld         = gauge("router_addresses_held", "Addresses of the virtual router that are on this director.")
	routerTransitions  = counter("router_transitions_total", "How often the virtual router became Master, and stopped being Master.")
	routerSent         = counter("router_adverts_sent_total", "Adverts sent.")
	routerReceived     = counter("router_adverts_received_total", "Adverts received and accepted.")
	routerZeroSent     = counter("router_priority_zero_sent_total", "Adverts of priority 0 sent: this Master is leaving.")
	routerZeroReceived = counter("router_priority_zero_received_total", "Adverts of priority 0 received: the Master is leaving.")
	routerDiscarded    = counter("router_packets_discarded_total", "Packets received but not accepted, by reason.")
	routerMismatched   = counter("router_adverts_mismatched_total", "Adverts accepted although they disagree with the configuration, by what differs.")
	routerOtherMasters = counter("router_other_masters_total", "Adverts received from another Master while this director stayed Master: both held the addresses.")
	routerSendErrors   = counter("router_send_errors_total", "Adverts that the kernel refused to send.")
	routerStalls       = counter("router_stalls_total", "Wake-ups that came so late that the timers could not be trusted.")
	routerRestored     = counter("router_addresses_restored_total", "Addresses put back after somebody else had removed them.")

	serviceInfo     = gauge("service_info", "Always 1; the virtual service's address and scheduler.")
	serviceInKernel = gauge("service_in_kernel", "1 if the virtual service is in the kernel's table; missing while it is withheld.")
	serviceServed   = gauge("service_served", "1 if a real server accepts the service's connections, 0 if none does; missing while it is undecided or withheld.")
	serviceServers  = gauge("service_real_servers", "Real servers of the virtual service, by health.")
	serviceFallback = gauge("service_fallback_active", "1 while the fallback serves; missing if none is configured.")

	serverUp       = gauge("real_server_up", "1 if the real server is up or not checked, 0 if down; missing while unknown.")
	serverWeight   = gauge("real_server_weight", "The configured weight.")
	serverKernel   = gauge("real_server_kernel_weight", "The weight in the kernel's table; missing if the server is not in it.")
	serverActive   = gauge("real_server_connections_active", "Established connections.")
	serverInactive = gauge("real_server_connections_inactive", "Connections in any other state.")
	serverConns    = counter("real_server_connections_total", "Connections since the real server was added to the table.")
	serverReceived = counter("real_server_bytes_in_total", "Bytes from clients to the real server.")
	serverSent     = counter("real_server_bytes_out_total", "Bytes from the real server to clients, if they pass through the director.")

	probeDuration    = histogram("probe_duration_seconds", "How long probes took, by kind of check.")
	probes           = counter("probes_total", "Probes by kind of check and outcome; not_run means that this director could not run the probe.")
	probeTargets     = gauge("probe_targets", "Distinct probes that are scheduled.")
	probesInFlight   = gauge("probes_in_flight", "Probes that are running.")
	probesWaiting    = gauge("probes_waiting", "Probes that are due and wait for a free slot.")
	probesLate       = counter("probes_late_total", "Probes that had to wait for a free slot.")
	probeLateSeconds = counter("probe_late_seconds_total", "Total time that probes waited for a free slot.")

	tableOperations = counter("ipvs_operations_total", "Rows written to the kernel's table, by kind of operation.")
	tableErrors     = counter("ipvs_errors_total", "Operations that the kernel refused, and listings that failed.")
	tableDrift      = counter("ipvs_drift_repaired_total", "Rows that somebody else had changed, and that were repaired.")
	tableForeign    = gauge("ipvs_foreign_services", "Services in the kernel's table that are not lvsd's.")
	tablePending    = gauge("ipvs_operations_pending", "Operations that are still to be done.")
	tableAudited    = gauge("ipvs_audit_timestamp_seconds", "When the whole table was last compared with the kernel's.")
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
