package director

import (
	"net/netip"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// Here the domains' values become the API's. Types with the same fields are
// converted whole, so that a field which only one of them has does not compile.
// Lists and objects are never nil, since null is neither in JSON.

func routerStatus(r *vrrp.Status) api.Router {
	return api.Router{
		Name: r.Name, Interface: r.Interface, VRID: r.VRID, Version: r.Version,
		State: api.State(r.State), Phase: string(r.Phase), Since: r.Since, Priority: r.Priority, Interval: r.Interval,
		Fault: r.Fault, Unmet: r.Unmet, Master: r.Master, MasterPriority: r.MasterPriority,
		Addresses: append([]netip.Prefix{}, r.Addresses...), Held: r.Held,
		Counters: api.RouterCounters{
			AdvertsSent: r.Counters.AdvertsSent, AdvertsReceived: r.Counters.AdvertsReceived,
			PriorityZeroSent: r.Counters.PriorityZeroSent, PriorityZeroReceived: r.Counters.PriorityZeroReceived,
			BecameMaster: r.Counters.BecameMaster, LeftMaster: r.Counters.LeftMaster,
			OtherMasters: r.Counters.OtherMasters, SendErrors: r.Counters.SendErrors,
			Stalls: r.Counters.Stalls, AddressesRestored: r.Counters.AddressesRestored,
			Discarded: counts(r.Counters.Discarded), Mismatched: counts(r.Counters.Mismatched),
		},
	}
}

// counts makes the reasons of a count plain text.
func counts(by map[vrrp.Reason]uint64) map[string]uint64 {
	all := make(map[string]uint64, len(by))
	for reason, n := range by {
		all[string(reason)] = n
	}
	return all
}

func keyStatus(k ipvsctl.ServiceKey) api.ServiceKey {
	return api.ServiceKey{Protocol: uint8(k.Protocol), Address: k.Addr, Port: k.Port, Mark: k.Mark}
}

// resultStatus returns zero for a check that has no result yet.
func resultStatus(r checker.Result) api.Result {
	if r.At.IsZero() {
		return api.Result{}
	}
	return api.Result{At: r.At, Latency: r.Latency, Outcome: api.Outcome(r.Outcome.String()), Detail: r.Detail}
}

func probesStatus(s *checker.Stats) api.Probes {
	kinds := make(map[string]api.Kind, len(s.Kinds))
	for kind, k := range s.Kinds {
		kinds[kind] = api.Kind(k)
	}
	return api.Probes{Targets: s.Targets, InFlight: s.InFlight, Waiting: s.Waiting,
		Late: s.Late, LateSeconds: s.LateSeconds, Kinds: kinds}
}

func tableStatus(s ipvsctl.Stats) api.Table {
	if s.Operations == nil {
		s.Operations = map[string]uint64{}
	}
	return api.Table(s)
}
