package daemon

import (
	"context"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A source answers from the director what the control socket is asked.
type source struct{ *director.Director }

// Status converts the director's state to the API's.
func (s source) Status(ctx context.Context) (*api.Status, error) {
	st, err := s.Director.Status(ctx)
	if err != nil {
		return nil, err
	}
	return status(time.Now(), st), nil
}

// status converts the daemon's state to the API's. Types that have the same
// fields are converted whole, so that a field which only one of them has does
// not compile.
func status(now time.Time, st *director.Status) *api.Status {
	return &api.Status{
		Time: now, Version: st.Version, Node: st.Node, PID: st.PID, Started: st.Started,
		Ready: st.Ready, Stopping: st.Stopping,
		Findings: convert(st.Findings, finding),
		Reload:   api.Reload(st.Reload),
		Keeper:   api.Keeper(st.Keeper),
		Routers:  convert(st.Routers, router),
		Services: convert(st.Services, service),
		Foreign:  list(st.Foreign),
		Probes:   probes(&st.Probes),
		Table:    table(st.Table),
	}
}

// convert converts every element of a list. The result is never nil.
func convert[From, To any](all []From, one func(*From) To) []To {
	converted := make([]To, len(all))
	for i := range all {
		converted[i] = one(&all[i])
	}
	return converted
}

// list returns a list that is not nil, since null is not a list in JSON.
func list[T any](all []T) []T { return append([]T{}, all...) }

func finding(f *event.Finding) api.Finding {
	return api.Finding{Code: f.Code, Severity: api.Severity(f.Severity.String()), Subject: f.Subject, Text: f.Text, Remedy: f.Remedy}
}

func router(r *vrrp.Status) api.Router {
	return api.Router{
		Name: r.Name, Interface: r.Interface, VRID: r.VRID, Version: r.Version,
		State: api.State(r.State.String()), Since: r.Since, Priority: r.Priority, Interval: r.Interval,
		Fault: r.Fault, Master: r.Master, MasterPriority: r.MasterPriority,
		Addresses: list(r.Addresses), Held: r.Held,
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

func service(s *director.ServiceStatus) api.Service {
	converted := api.Service{
		Name: s.Name, Address: s.Address, Scheduler: s.Scheduler, InKernel: s.InKernel,
		Key:    api.ServiceKey{Protocol: uint8(s.Key.Protocol), Address: s.Key.Addr, Port: s.Key.Port, Mark: s.Key.Mark},
		Supply: api.Supply(s.Supply), Reason: string(s.Reason),
		Servers: convert(s.Servers, server),
	}
	if s.Fallback != nil {
		fallback := server(s.Fallback)
		converted.Fallback = &fallback
	}
	return converted
}

func server(s *director.ServerStatus) api.Server {
	return api.Server{
		Name: s.Name, Address: s.Address, Forward: s.Forward, Health: api.Health(s.Health), Since: s.Since,
		Checks: convert(s.Checks, check),
		Weight: s.Weight, KernelWeight: s.KernelWeight, InKernel: s.InKernel,
		Counters: api.Counters(s.Counters),
	}
}

func check(c *director.CheckStatus) api.Check {
	converted := api.Check{Kind: c.Kind, Up: c.Up}
	if r := c.Last; !r.At.IsZero() {
		converted.Last = api.Result{At: r.At, Latency: r.Latency, Outcome: api.Outcome(r.Outcome.String()), Detail: r.Detail}
	}
	return converted
}

func probes(s *checker.Stats) api.Probes {
	kinds := make(map[string]api.Kind, len(s.Kinds))
	for kind, k := range s.Kinds {
		k.Buckets = list(k.Buckets)
		kinds[kind] = api.Kind(k)
	}
	return api.Probes{Targets: s.Targets, InFlight: s.InFlight, Waiting: s.Waiting,
		Late: s.Late, LateSeconds: s.LateSeconds, Kinds: kinds}
}

func table(s ipvsctl.Stats) api.Table {
	if s.Operations == nil {
		s.Operations = map[string]uint64{}
	}
	return api.Table(s)
}
