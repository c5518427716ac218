package director

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// An aspect is what an option, or a block, makes of a T. Of lists and blocks only the
// name is told.
type aspect[T any] struct {
	option string
	of     func(*T) any
}

// These are what a reload may change, by their names in the configuration.
var (
	directorAspects = []aspect[config.Director]{
		{"start_delay", func(d *config.Director) any { return d.StartDelay }},
		{"probes_in_flight", func(d *config.Director) any { return d.ProbesInFlight }},
		{"probes_per_second", func(d *config.Director) any { return d.ProbesPerSecond }},
		{"isolation", func(d *config.Director) any { return d.Isolation }},
		{"certificate_days", func(d *config.Director) any { return d.CertificateDays }},
		{"exclusive_table", func(d *config.Director) any { return d.ExclusiveTable }},
		{"marks", func(d *config.Director) any { return d.Marks.String() }},
		{"keep_table", func(d *config.Director) any { return d.KeepTable }},
		{"log_level", func(d *config.Director) any { return d.LogLevel }},
		{"http.listen", func(d *config.Director) any { return d.HTTP.Listen }},
		{"http.server_metrics", func(d *config.Director) any { return d.HTTP.ServerMetrics }},
		{"keeper_processors", func(d *config.Director) any { return string(d.KeeperProcessors) }},
		{"watchdog.device", func(d *config.Director) any { return d.Watchdog.Device }},
		{"watchdog.timeout", func(d *config.Director) any { return d.Watchdog.Timeout }},
		{"ipvs.tcp_timeout", func(d *config.Director) any { return d.IPVS.Timeouts.TCP }},
		{"ipvs.tcp_fin_timeout", func(d *config.Director) any { return d.IPVS.Timeouts.TCPFin }},
		{"ipvs.udp_timeout", func(d *config.Director) any { return d.IPVS.Timeouts.UDP }},
		{"connection_sync.router", func(d *config.Director) any { return d.Sync.Router }},
		{"connection_sync.interface", func(d *config.Director) any { return d.Sync.Interface }},
		{"connection_sync.id", func(d *config.Director) any { return d.Sync.ID }},
		{"connection_sync.group", func(d *config.Director) any { return d.Sync.Group }},
		{"connection_sync.port", func(d *config.Director) any { return d.Sync.Port }},
		{"connection_sync.ttl", func(d *config.Director) any { return d.Sync.TTL }},
		{"connection_sync.max_length", func(d *config.Director) any { return d.Sync.MaxLength }},
		{"connection_sync.refresh", func(d *config.Director) any { return d.Sync.Refresh }},
		{"connection_sync.rate", func(d *config.Director) any { return d.Sync.Rate }},
		{"ipvs", func(d *config.Director) any { return d.IPVS.Parameters }},
	}
	routerAspects = []aspect[vrrp.Config]{
		{"interface", func(c *vrrp.Config) any { return c.Interface }},
		{"id", func(c *vrrp.Config) any { return c.VRID }},
		{"version", func(c *vrrp.Config) any { return c.Version }},
		{"priority", func(c *vrrp.Config) any { return c.Priority }},
		{"advert_interval", func(c *vrrp.Config) any { return c.Interval }},
		{"missed_adverts", func(c *vrrp.Config) any { return c.MissedAdverts }},
		{"preempt", func(c *vrrp.Config) any { return c.Preempt }},
		{"preempt_delay", func(c *vrrp.Config) any { return c.PreemptDelay }},
		{"addresses", func(c *vrrp.Config) any { return c.Addresses }},
		{"extra_address", func(c *vrrp.Config) any { return c.Extra }},
		{"address", func(c *vrrp.Config) any { return c.Attributes }},
		{"route", func(c *vrrp.Config) any { return c.Routes }},
		{"rule", func(c *vrrp.Config) any { return c.Rules }},
		{"announce", func(c *vrrp.Config) any { return c.Announce }},
		{"peers", func(c *vrrp.Config) any { return c.Peers }},
		{"ttl", func(c *vrrp.Config) any { return c.TTL }},
		{"min_ttl", func(c *vrrp.Config) any { return c.MinTTL }},
		{"max_ttl", func(c *vrrp.Config) any { return c.MaxTTL }},
		{"multicast_group", func(c *vrrp.Config) any { return c.Multicast }},
		{"source", func(c *vrrp.Config) any { return c.Source }},
		{"track", func(c *vrrp.Config) any { return c.Track }},
		{"authentication", func(c *vrrp.Config) any { return c.Authentication }},
		{"carrier", func(c *vrrp.Config) any { return map[bool]string{false: "track", true: "ignore"}[c.IgnoreCarrier] }},
		{"link_up_delay", func(c *vrrp.Config) any { return c.LinkUpDelay }},
		{"sync_group", func(c *vrrp.Config) any { return c.SyncGroup }},
		{"accept", func(c *vrrp.Config) any { return !c.Refuse }},
		{"virtual_mac", func(c *vrrp.Config) any { return c.VirtualMAC }},
		{"insist", func(c *vrrp.Config) any { return c.Insist }},
		{"lease", func(c *vrrp.Config) any { return c.Lease }},
	}
	staticAspects = []aspect[vrrp.Holdings]{
		{"address", func(h *vrrp.Holdings) any { return []any{h.Addresses, h.Attributes} }},
		{"route", func(h *vrrp.Holdings) any { return h.Routes }},
		{"rule", func(h *vrrp.Holdings) any { return h.Rules }},
	}
	conditionAspects = []aspect[config.Condition]{
		{"probes", func(c *config.Condition) any { return c.Checks }},
		{"initial", func(c *config.Condition) any { return c.Initial }},
		{"minimum", func(c *config.Condition) any { return []any{c.Minimum, c.Percent} }},
	}
	serviceAspects = []aspect[config.Service]{
		{"address", func(s *config.Service) any { return s.Address() }},
		{"marked", func(s *config.Service) any { return s.Marked() }},
		{"source_nat", func(s *config.Service) any { return s.SourceNAT.String() }},
		{"scheduler", func(s *config.Service) any { return s.Service.Scheduler }},
		{"scheduler_flags", func(s *config.Service) any { return s.Service.Flags &^ (ipvsctl.Persistent | ipvsctl.OnePacket) }},
		{"one_packet", func(s *config.Service) any { return s.Service.Flags&ipvsctl.OnePacket != 0 }},
		{"persistence", func(s *config.Service) any {
			v := s.Service
			return []any{v.Flags & ipvsctl.Persistent, v.Timeout, v.Netmask, v.Engine}
		}},
		{"panic_threshold", func(s *config.Service) any { return fmt.Sprint(s.Policed().PanicPercent, "%") }},
		{"panic_for", func(s *config.Service) any { return s.Policed().PanicFor }},
		{"min_healthy", func(s *config.Service) any { return s.Policed().MinHealthy.String() }},
		{"recover_healthy", func(s *config.Service) any { return s.Policed().RecoverHealthy.String() }},
		{"up_after", func(s *config.Service) any { return s.Policed().UpAfter }},
		{"drain_timeout", func(s *config.Service) any { return s.DrainTimeout }},
		{"suspicion", func(s *config.Service) any { return s.Policed().Suspicion }},
		{"ha_suspend", func(s *config.Service) any { return s.Policed().HASuspend }},
		{"manual_resume", func(s *config.Service) any { return s.Policed().ManualResume }},
		{"slow_start", func(s *config.Service) any { return s.Policed().SlowStart }},
		{"on", func(s *config.Service) any { return s.Hooks }},
		{"fallback", func(s *config.Service) any { return s.Fallback }},
	}
	serverAspects = []aspect[config.Server]{
		{"address", func(s *config.Server) any { return s.Key }},
		{"port", func(s *config.Server) any { return map[bool]string{false: "the client's", true: "its own"}[s.OwnPort] }},
		{"weight", func(s *config.Server) any { return s.Destination.Weight }},
		{"tier", func(s *config.Server) any { return s.TierOf() }},
		{"upper_threshold", func(s *config.Server) any { return s.Destination.Upper }},
		{"lower_threshold", func(s *config.Server) any { return s.Destination.Lower }},
		{"forward", func(s *config.Server) any { return s.Destination.Forward }},
		{"tunnel", func(s *config.Server) any {
			d := s.Destination
			return []any{d.TunnelType, d.TunnelPort, d.TunnelFlags}
		}},
		{"initial", func(s *config.Server) any { return map[bool]string{false: "check", true: "up"}[s.InitialUp] }},
		{"on_failure", func(s *config.Server) any { return []any{s.DrainOnFailure, s.DrainFor} }},
		{"checks", func(s *config.Server) any { return []any{s.Checks, s.Rule} }},
	}
)

// differing names the options in which two values differ: "weight 3 -> 5", "peers".
func differing[T any](all []aspect[T], before, after *T) []string {
	var names []string
	for _, a := range all {
		was, is := a.of(before), a.of(after)
		if reflect.DeepEqual(was, is) {
			continue
		}
		if parameters, ok := is.(map[string]string); ok {
			names = append(names, differingIn(a.option, was.(map[string]string), parameters)...)
			continue
		}
		if from, to := brief(was), brief(is); from != "" {
			names = append(names, fmt.Sprintf("%s %s -> %s", a.option, from, to))
		} else {
			names = append(names, a.option)
		}
	}
	return names
}

// differingIn names what differs in two maps of an option: "ipvs.est_nice unset -> 5".
func differingIn(option string, before, after map[string]string) (names []string) {
	all := maps.Clone(before)
	if all == nil {
		all = after
	} else {
		maps.Copy(all, after)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if was, is := before[key], after[key]; was != is {
			names = append(names, fmt.Sprintf("%s.%s %s -> %s", option, key, brief(was), brief(is)))
		}
	}
	return names
}

// brief is a value as text if it is neither a list nor a block, else empty.
func brief(v any) string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return "unset"
		}
		return v
	case netip.Addr:
		if !v.IsValid() {
			return "unset"
		}
		return v.String()
	case bool, int, uint8, uint32, time.Duration, ipvsctl.Forward, ipvsctl.ServiceKey, ipvsctl.DestinationKey:
		return fmt.Sprint(v)
	default:
		return ""
	}
}
