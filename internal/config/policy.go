package config

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/block"
)

// policyOptions are the options of a service about what follows from the state of its
// servers.
func policyOptions[T any](of func(*T) *Policy) []block.Entry[T] {
	return []block.Entry[T]{
		block.Text("panic_threshold", "When more than this share of the servers falls silent (no answer, unreachable) at once, take the network between for the likelier fault, and hold them in the table for panic_for. After that, their checks decide, and the fallback serves. A server that refuses, or answers something wrong, is removed as always. One detection time counts as at once: as long as it takes to find one that hangs.",
			uint8(0), readPercent, func(t *T) *uint8 { return &of(t).PanicPercent }).Within("\"1%\" to \"99%\"").Unless("none"),
		block.Duration("panic_for", "For how long servers are held in by panic_threshold, at most.",
			0, time.Second, time.Hour, func(t *T) *time.Duration { return &of(t).PanicFor }).Unless("30s"),
		block.Text("min_healthy", "The real servers that must take connections for the service to be worth it: a number (2), a share of those that have a weight (\"50%\"), or a sum of weights (\"weight 10\"). With fewer, the fallback serves in their place, and they keep the connections that they have; without a fallback, they serve on. A track of kind \"service\" without a minimum of its own follows it.",
			Quantity{}, readQuantity, func(t *T) *Quantity { return &of(t).MinHealthy }).Within("a number, \"1%\" to \"100%\", or \"weight 1\" on").Unless("none"),
		block.Text("recover_healthy", "With fewer than min_healthy once, these must take connections before the servers serve again.",
			Quantity{}, readQuantity, func(t *T) *Quantity { return &of(t).RecoverHealthy }).Within("a number, \"1%\" to \"100%\", or \"weight 1\" on").Unless("min_healthy"),
		block.Flag("ha_suspend", "Run the checks of the service only while this director is Master of the virtual router with its address (with firewall_mark: of any), to spare servers the checks of a Backup. What they have found last is kept meanwhile, and the table with it. At a start, they run until each has had a result. A director that becomes Master begins all of them at once; until their results, what was kept counts, so a server that has failed meanwhile gets connections for as long as it takes to find that. No condition can be about such a service, since a Backup does not know how its servers are.",
			false, func(t *T) *bool { return &of(t).HASuspend }),
		block.Flag("suspicion", "Look at the kernel's counters each second for servers that leave clients unanswered, and check these at once, and a few times more at fast_interval (without one, a quarter of the interval). With NAT: packets go in and none come out. With direct routing and tunnelling, whose answers the director does not see: TCP connections come and none gets beyond its first packets. That alone decides nothing, but a server that hangs is found before its next probe would be due.",
			false, func(t *T) *bool { return &of(t).Suspicion }),
		block.Flag("manual_resume", "Keep a server out that has failed, also when its checks pass again and over a restart of lvsd, until an operator lets it in: lvsd resume SERVICE/SERVER. For servers that need to be looked at first, such as databases. One that panic_threshold or isolation holds in does not count as failed.",
			false, func(t *T) *bool { return &of(t).ManualResume }),
		block.Duration("up_after", "For how long a server that was down must pass its checks before it gets connections, beside rise.",
			0, 0, 24*time.Hour, func(t *T) *time.Duration { return &of(t).UpAfter }),
		block.Duration("slow_start", "How long a server that was down takes to its full weight, so that it is not flooded while its caches are empty. The weight rises in as many steps of equal length as it is, at most 10; with a weight of 1, there is nothing to raise. The scheduler mh builds its whole table again at each step, so it is refused there.",
			0, 0, 24*time.Hour, func(t *T) *time.Duration { return &of(t).SlowStart }),
	}
}

// readQuantity reads a number of servers, a share of them, or a sum of weights.
func readQuantity(b *block.Body, s string, at block.Place) (q Quantity, ok bool) {
	digits, most := s, uint64(maxServers)
	if rest, percent := strings.CutSuffix(s, "%"); percent {
		digits, q.Measure, most = rest, Percent, 100
	} else if rest, weight := strings.CutPrefix(s, "weight "); weight {
		digits, q.Measure, most = rest, Weight, math.MaxInt32
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n < 1 || n > most {
		b.Mistake(at, "Invalid quantity", "%q is no number of real servers: write a number from 1, such as 2, a share of them from \"1%%\" to \"100%%\", or a sum of weights, such as \"weight 10\".", s)
		return Quantity{}, false
	}
	q.N = uint32(n)
	return q, true
}

// defaultPanicFor is how long servers are held in where nothing is said.
const defaultPanicFor = 30 * time.Second

// readPercent reads a share that is not the whole.
func readPercent(b *block.Body, s string, at block.Place) (uint8, bool) {
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.ParseUint(digits, 10, 8)
	if err != nil || !percent || n < 1 || n > 99 {
		b.Mistake(at, "Invalid share", "%q is not a share of the servers: write \"1%%\" to \"99%%\".", s)
		return 0, false
	}
	return uint8(n), true
}

// compile checks what the options say together; nil: nothing.
func (p Policy) compile(b *block.Body, s *Service) *Policy {
	p.checkHealthy(b)
	p.checkSlowStart(b, s)
	if p.HASuspend {
		address := ""
		if s.Key.Mark == 0 {
			address = s.Key.Addr.String()
		}
		b.Claim(suspendedService, s.Name, address, b.At("ha_suspend"))
	}
	switch {
	case p.PanicPercent == 0 && !b.Refused("panic_threshold"):
		b.Unused("panic_for has no effect without panic_threshold: set that, or remove panic_for.", "panic_for")
		p.PanicFor = 0
	case p.PanicFor == 0:
		p.PanicFor = defaultPanicFor
	}
	if p == (Policy{}) {
		return nil
	}
	return &p
}

// checkHealthy checks what is said of the servers that must take connections.
func (p *Policy) checkHealthy(b *block.Body) {
	switch {
	case p.MinHealthy.N == 0 && !b.Refused("min_healthy"):
		b.Unused("recover_healthy has no effect without min_healthy: set that, or remove recover_healthy.", "recover_healthy")
		p.RecoverHealthy = Quantity{}
	case p.RecoverHealthy.N == 0 || p.MinHealthy.N == 0:
	case p.RecoverHealthy.Measure != p.MinHealthy.Measure:
		b.Mistake(b.At("recover_healthy"), "Different measures", "min_healthy is %q and recover_healthy %q: write both as numbers, as shares, or as sums of weights.", p.MinHealthy, p.RecoverHealthy)
	case p.RecoverHealthy.N < p.MinHealthy.N:
		b.Mistake(b.At("recover_healthy"), "Quantities reversed", "recover_healthy %q must not be less than min_healthy %q.", p.RecoverHealthy, p.MinHealthy)
	}
}

// unweighted are the schedulers that look at a weight only to see whether it
// is zero.
var unweighted = []string{"rr", "lc", "dh"}

// checkSlowStart checks whether there is anything that can rise slowly.
func (p *Policy) checkSlowStart(b *block.Body, s *Service) {
	switch {
	case p.SlowStart == 0:
	case s.Service.Scheduler == "mh":
		b.Mistake(b.At("slow_start"), "Slow start with mh", "The scheduler mh builds its whole table again when a weight changes, which moves clients between all servers: remove slow_start, or use another scheduler.")
	case slices.Contains(unweighted, s.Service.Scheduler):
		b.Doubt(b.At("slow_start"), "Option without effect", "The scheduler %s treats every weight above 0 alike.", s.Service.Scheduler)
	case len(s.Servers) > 0 && !slices.ContainsFunc(s.Servers, func(srv Server) bool { return srv.Destination.Weight > 1 }):
		b.Doubt(b.At("slow_start"), "Option without effect", "Every server has a weight of 1, which cannot rise slowly: give them greater weights, such as 10 each.")
	}
}
