package director

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// findings are made here and nowhere else, the most urgent first.
type findings []api.Finding

func (all *findings) add(s api.Severity, code, subject, remedy, format string, args ...any) {
	*all = append(*all, api.Finding{Code: code, Severity: s, Subject: subject, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}

// without returns those that are not among others, whatever their figures.
func (all findings) without(others findings) findings {
	var rest findings
	for _, f := range all {
		if !slices.ContainsFunc(others, func(o api.Finding) bool { return o.Code == f.Code && o.Subject == f.Subject }) {
			rest = append(rest, f)
		}
	}
	return rest
}

// explanations are findings of which each explains those after it, if they are of
// the same virtual router: another id explains another Master, and that one explains
// who else answers for the address.
var explanations = []string{vrrp.DisputedAddress, vrrp.OtherMaster, vrrp.AddressClaimed}

// unexplained leaves out what another finding explains.
func (all findings) unexplained() findings {
	return slices.DeleteFunc(slices.Clone(all), func(f api.Finding) bool {
		place := slices.Index(explanations, f.Code)
		return place > 0 && slices.ContainsFunc(all, func(o api.Finding) bool {
			return o.Subject == f.Subject && slices.Contains(explanations[:place], o.Code)
		})
	})
}

// HTTPUnavailable is the code of the finding, and of the event, that HTTP cannot
// be served.
const HTTPUnavailable = "http-unavailable"

// NamespaceUnlocked is the code of the finding, and of the event, that a second
// daemon in the network namespace would not be kept out.
const NamespaceUnlocked = "namespace-unlocked"

// restartMatters is how long a restart of the keeper is a finding.
const restartMatters = 10 * time.Minute

// keeperSilence is how long the keeper, which reports every second, may be silent
// before that is a finding.
const keeperSilence = 3 * time.Second

// seeLog is the remedy where only the log has the reason.
const seeLog = `see "journalctl -u lvsd" for the reason`

// Findings returns what is wrong according to the rest of a status.
func Findings(s *api.Status) []api.Finding {
	all := findings{}
	if r := &s.Reload; !r.OK && !r.Last.IsZero() {
		all.add(api.Error, "reload-refused", "", `correct `+r.Path+`, check it with "lvsd validate" and reload again`,
			"RELOAD REFUSED at %s; the configuration of %s is still running (%s)", r.Last.Format(time.DateTime), r.Applied.Format(time.DateTime), r.Error)
	}
	services := api.SurveyOf(s.Services)
	all.notReady(s, services)
	if (len(s.Routers) > 0 || s.Static != nil) && s.Keeper.PID == 0 {
		all.add(api.Error, "keeper-down", "", seeLog, "the process that sends the adverts is not running "+
			"(%s to start it again), so no address is renewed and the other director may take over", text.Count(s.Keeper.Restarts, "attempt"))
	}
	if s.Standby != nil {
		all.standby(s.Standby)
	}
	all.streams(s.Streams)
	for i := range s.Routers {
		all.router(s.Time, &s.Routers[i])
	}
	for i := range s.Services {
		for j := range s.Services[i].Hooks {
			all.hook(fmt.Sprintf("virtual service %q", s.Services[i].Name), &s.Services[i].Hooks[j])
		}
	}
	all.heldBack(s.Routers)
	if k := s.Static; k != nil && k.Failure != "" {
		all.add(api.Error, "static-missing", "", "", "of the %d addresses, routes and rules that are static, %d %s missing: %s",
			len(k.Wanted), len(k.Wanted)-k.Held, text.Be(len(k.Wanted)-k.Held), k.Failure)
	}
	all.conditions(s.Routers)
	all = append(all, services.Findings()...)
	switch t := &s.Table; {
	case t.LastError == "":
	case t.Pending > 0:
		all.add(api.Error, "table-differs", "", "", "the kernel's table differs from the configuration; %s %s pending, and will be tried again: %s", text.Count(t.Pending, "operation"), text.Be(t.Pending), t.LastError)
	default:
		all.add(api.Warning, "table-failed", "", "", "the kernel's table is as configured, but an operation failed: %s", t.LastError)
	}
	if k := &s.Keeper; k.PID != 0 && k.Age > keeperSilence {
		all.add(api.Error, "keeper-silent", "", seeLog, "the process that sends the adverts has not reported for %v: "+
			"the states of the virtual routers may be out of date, and the other director may have taken over", k.Age.Round(time.Second))
	}
	if k := &s.Keeper; k.PID != 0 && k.Others > 0 {
		all.add(api.Error, "vrrp-others", "", `find it with "ss --raw --processes" and disable it, for instance "systemctl disable --now keepalived"`,
			"another daemon on this machine speaks VRRP too (on %s): both may be Master with the same addresses", text.Count(k.Others, "socket"))
	}
	if k := &s.Keeper; k.PID != 0 && !k.Restarted.IsZero() && s.Time.Sub(k.Restarted) < restartMatters {
		all.add(api.Warning, "keeper-restarted", "", seeLog, "the process that sends the adverts ended and was restarted %s ago (%s since lvsd was started), so the addresses may have moved",
			s.Time.Sub(k.Restarted).Round(time.Second), text.Count(k.Restarts, "restart"))
	}
	if k := &s.Keeper; k.PID != 0 && k.Why != "" {
		all.add(api.Warning, "keeper-limited", "", "", "the keeper is running with limitations: %s", k.Why)
	}
	if why := s.Keeper.Unpinned; why != "" {
		all.add(api.Warning, "keeper-unpinned", "", "correct keeper_processors in the director block", "the process that sends the adverts does not run on the processors that it should: %s", why)
	}
	all.probes(&s.Probes)
	if w := s.Keeper.Watchdog; w != nil && !w.Fed && w.Why != "" {
		all.add(api.Warning, "watchdog-unfed", w.Device, "", "the watchdog is not fed: %s", w.Why)
	}
	return all
}

// probes finds that TCP checks cost more than they must. Their results are right.
func (all *findings) probes(p *api.Probes) {
	switch {
	case p.Unusable != "":
		all.add(api.Warning, "checks-by-connection", "", "", "TCP checks take a connection each, which costs three times the processor time: %s", p.Unusable)
	case p.Bypassed > 0:
		all.add(api.Info, "checks-by-connection", "", "look what lets connections pass and not packets of a raw socket: IPsec, or rules of the packet filter",
			"the TCP checks of %s take a connection each, which costs three times the processor time, since packets of lvsd's own get no answer", text.Count(p.Bypassed, "target"))
	}
}

// notReady finds why the daemon is not ready, if it is not.
func (all *findings) notReady(s *api.Status, services api.Survey) {
	why := "starting"
	if n := len(services.Missing); n > 0 {
		why += fmt.Sprintf("; %d of %s %s not in the kernel's table yet", n, text.Count(services.Services, "virtual service"), text.Be(n))
	}
	if services.Unknown > 0 {
		why += fmt.Sprintf("; the state of %s is not known yet", text.Count(services.Unknown, "real server"))
	}
	if s.Table.LastError != "" {
		why += "; the kernel refused an operation: " + s.Table.LastError
	}
	if s.Stopping {
		why = "stopping and handing over to the other director"
	}
	if s.Stopping || !s.Ready {
		all.add(api.Warning, api.NotReady, "", "", "not ready: %s", why)
	}
}

// moveLasts is how long the addresses of a virtual router may be where they are not
// to be after it has changed its state: a hand-over is none.
const moveLasts = 2 * time.Second

// router finds addresses that are not where the router's state says, and why
// it is in Initialize.
func (all *findings) router(now time.Time, r *api.Router) {
	subject := fmt.Sprintf("virtual router %q", r.Name)
	switch moved := now.Sub(r.Since) >= moveLasts; {
	case r.Missing != "" && (moved || r.AddressesFailure != ""):
		all.add(api.Error, "addresses-missing", subject, "", "%s is Master but does not hold %s%s", subject, r.Missing, because(r))
	case r.Left != "" && (moved || r.AddressesFailure != ""):
		all.add(api.Error, "addresses-left", subject, "if this lasts, remove them (ip addr del)", "%s is %v but still holds %s%s", subject, r.State, r.Left, because(r))
	case r.AddressesFailure != "":
		all.add(api.Warning, "addresses-failed", subject, "", "%s: %s; this is tried again", subject, r.AddressesFailure)
	}
	if r.Overdue > 0 {
		all.add(api.Error, "master-overdue", subject, "make sure that the other director runs, and configure the same advert_interval on both",
			"%s has not heard its Master %v for %v, and still waits for it, because it has advertised an interval other than %v",
			subject, r.Master, r.Overdue.Round(100*time.Millisecond), r.Interval)
	}
	if r.Unsent != "" {
		all.add(api.Error, vrrp.AdvertsUnsent, subject, "if it is \"operation not permitted\", let VRRP (IP protocol 112) out through this director's own firewall",
			"%s is Master, but cannot send its adverts, so the other director becomes Master as well: %s", subject, r.Unsent)
	}
	if r.Unheard != "" {
		all.add(api.Warning, "unheard", subject, "make sure that the other director is off: if it is not, it is Master as well",
			"%s runs although %s: no director hears another one", subject, r.Unheard)
	}
	if a := r.Aside; a != nil {
		all.add(api.Warning, vrrp.StandsAside, subject, remedies[vrrp.Reason(a.Reason)]+"; to take over all the same, set insist = true",
			"%s does not become Master: %v advertises %v, and %s, but its adverts are refused (%s)",
			subject, a.Master, a.Address, evidence(r), a.Reason)
	} else if r.Unasked != "" {
		all.add(api.Warning, vrrp.NeighboursUnasked, subject, "this is tried again; if it lasts, look at this machine's limits on sockets and memory",
			"%s cannot ask the neighbours who else has its addresses: %s", subject, r.Unasked)
	}
	if r.Barred != "" {
		all.add(api.Error, "barred", subject, "make sure that the other director is off, and mend what failed; it is tried again, and as soon as another Master is heard this ends",
			"%s does not become Master, so nobody may have its addresses: %s", subject, r.Barred)
	}
	if r.Dispute != "" {
		all.add(api.Error, vrrp.DisputedAddress, subject, "configure the same id on both directors", "%s: %s", subject, r.Dispute)
	}
	for i := range r.Hooks {
		all.hook(subject, &r.Hooks[i])
	}
	all.resources(subject, r.Resources)
	if r.State == api.Initialize && r.Fault != "" && !inStandby(r) {
		all.add(api.Error, "router-stands-back", subject, "", "%s cannot be Master: %s", subject, r.Fault)
	}
}

// heldBack finds virtual routers that do not preempt since a failover: one finding for all
// of a group, which moves together.
func (all *findings) heldBack(routers []api.Router) {
	told := make(map[string]bool)
	for i := range routers {
		r := &routers[i]
		subject := fmt.Sprintf("virtual router %q", r.Name)
		if r.SyncGroup != "" {
			subject = fmt.Sprintf("sync group %q", r.SyncGroup)
		}
		if r.HeldBack == nil || told[subject] {
			continue
		}
		told[subject] = true
		all.add(api.Info, "holds-back", subject, "to let it preempt again, run lvsd resume",
			"%s leaves its role to the other director while that one is Master and its priority does not fall, since a failover was ordered by %v at %s", subject, r.HeldBack.By, r.HeldBack.Since.Format(time.DateTime))
	}
}

// conditions finds conditions that are not met and cost routers some of their
// priority, or of which that cannot be told: one finding for each condition. A router
// that stands back for one says so itself.
func (all *findings) conditions(routers []api.Router) {
	var order []string
	costs, reasons := map[string][]string{}, map[string]string{}
	for i := range routers {
		for _, c := range routers[i].Conditions {
			if c.Met || c.Hard {
				continue
			}
			if costs[c.Name] == nil {
				order = append(order, c.Name)
				reasons[c.Name] = c.Reason
			}
			cost := fmt.Sprintf("virtual router %q has %d less of priority", routers[i].Name, max(c.Weight, -c.Weight))
			if c.Counts {
				cost = fmt.Sprintf("virtual router %q has its priority as if the number were 0", routers[i].Name)
			}
			costs[c.Name] = append(costs[c.Name], cost)
		}
	}
	for _, name := range order {
		all.add(api.Warning, "condition-unmet", name, "", "%s is not met (%s): %s", name, reasons[name], text.Few(costs[name]))
	}
}

// hook finds that a hook did not do what it should when it was run last, or could not
// be run now.
func (all *findings) hook(of string, h *api.Hook) {
	subject := fmt.Sprintf("hook %q of %s", h.On, of)
	if h.Unusable != "" {
		all.add(api.Warning, "hook-unusable", subject, "", "the %s cannot be run: %s", subject, h.Unusable)
		return
	}
	if last := &h.Last; !last.At.IsZero() && !last.OK {
		all.add(api.Warning, "hook-failed", subject, `see "journalctl -u lvsd" for what it has written`,
			"the %s failed when it was told %q: %s: %s", subject, last.State, h.Program, last.Result)
	}
}

// streams finds programs that are to stay and do not run, or do not read.
func (all *findings) streams(streams []api.Stream) {
	for i := range streams {
		s := &streams[i]
		subject := fmt.Sprintf("stream %q", s.Name)
		switch {
		case s.Failure != "" && !s.Running:
			all.add(api.Warning, "stream-down", subject, `see "journalctl -u lvsd" for what it has written`,
				"the program of %s does not run (it is started again after a pause of up to a minute): %s: %s", subject, s.Program, s.Failure)
		case s.Behind:
			all.add(api.Warning, "stream-behind", subject, "have it read its standard input at all times, and do what takes long beside",
				"the program of %s, %s, does not read, so lines are left out until it does (%s so far)", subject, s.Program, text.Count(s.Skipped, "line"))
		}
	}
}

// resources finds those that could not be started or stopped.
func (all *findings) resources(of string, resources []api.Resource) {
	for i := range resources {
		r := &resources[i]
		subject := fmt.Sprintf("resource %q %q of %s", r.Kind, r.Name, of)
		switch {
		case r.Failure == "":
		case r.State == api.ResourceStuck || r.State == api.ResourceStopping:
			all.add(api.Error, "resource-stuck", subject, "stop it by hand, and see to it that no other director uses what it uses meanwhile",
				"the %s could not be stopped, and may still be in use here (it is tried again every 30 s): %s", subject, r.Failure)
		default:
			all.add(api.Error, "resource-failed", subject, "see to the reason, and then run \"lvsd resume\"",
				"the %s could not be started, so this director is not Master: %s", subject, r.Failure)
		}
	}
}

// standby finds that this director does not take part.
func (all *findings) standby(s *api.Standby) {
	until := ""
	if !s.Until.IsZero() {
		until = " until " + s.Until.Format(time.DateTime)
	}
	all.add(api.Warning, "standby", "", "when this director may be Master again, run lvsd resume",
		"standby, ordered by %v at %s: this director does not become Master%s, not even if the other one fails", s.By, s.Since.Format(time.DateTime), until)
}

// inStandby reports whether it is for a standby that a router stands back, of which
// there is a finding already.
func inStandby(r *api.Router) bool {
	return slices.ContainsFunc(r.Conditions, func(c api.Condition) bool { return c.Name == operatorCondition && c.Reason == r.Fault })
}

// evidence is why a Backup believes that a Master whose adverts it refuses has the
// addresses.
func evidence(r *api.Router) string {
	if r.Unasked != "" {
		return "the neighbours cannot be asked who has it (" + r.Unasked + ")"
	}
	return cmp.Or(r.Aside.MAC, "somebody") + " answers for it"
}

// because is why the addresses are not where they are to be.
func because(r *api.Router) string {
	if r.AddressesFailure == "" {
		return ""
	}
	return " (" + r.AddressesFailure + ")"
}

// adverts finds that the directors do not understand each other, by what the
// virtual routers have counted within the last minute.
func (all *findings) adverts(counted map[string]vrrp.Counters, routers []*vrrp.Status) {
	for i := range routers {
		r := routers[i]
		c := counted[r.Name]
		subject := fmt.Sprintf("virtual router %q", r.Name)
		for _, reason := range frequent(c.Discarded) {
			severity := api.Warning
			if reason == vrrp.ReasonHMACStale && r.State == vrrp.Master {
				severity = api.Error // The clocks have come apart since it was set up.
			}
			all.add(severity, "adverts-refused", subject+" "+string(reason), remedy(r, reason),
				"%s refused %s in the last minute (%s%s%s)%s", subject, text.Count(c.Discarded[reason], "advert"), reason, sender(r, reason), clocks(r, reason), twoMasters(r, reason))
		}
		for _, reason := range frequent(c.Mismatched) {
			if reason == vrrp.ReasonPriority {
				all.add(api.Warning, "same-priority", subject, remedies[reason],
					"%s: the director at %v has priority %d too, so which of them is Master is left to chance", subject, r.Senders[reason], r.Priority)
				continue
			}
			all.add(api.Warning, "adverts-disagree", subject+" "+string(reason), remedies[reason],
				"%s received %s in the last minute that did not agree with its configuration (%s%s%s)", subject, text.Count(c.Mismatched[reason], "advert"), reason, sender(r, reason), clocks(r, reason))
		}
		if c.OtherMasters > 0 {
			all.add(api.Error, vrrp.OtherMaster, subject, "make sure that the other director receives this one's adverts (check what its firewall lets in, what this one's lets out, and the switch) and has the same id",
				"%s was Master and received %s of another Master%s in the last minute: both held the addresses", subject, text.Count(c.OtherMasters, "advert"), heardLast(r))
		}
		if c.AdvertsLate > 0 && r.State == vrrp.Backup { // As Master, it has taken over from a dead one.
			all.add(api.Warning, vrrp.AdvertsLate, subject, "find out whether that director is overloaded, and whether packets are lost between the two",
				"%s: half of the time after which this director takes over has passed without an advert of its Master%s: %s in the last minute",
				subject, heardLast(r), text.Count(c.AdvertsLate, "time"))
		}
		if c.AddressesRestored > 0 {
			all.add(api.Warning, vrrp.AddressesRestored, subject, "find out what does that (a network manager that applies its configuration, a script): clients are without the address meanwhile",
				"%s is Master, and somebody else removed its addresses: %s in the last minute; they were put back", subject, text.Count(c.AddressesRestored, "removal"))
		}
		if c.PathsRestored > 0 {
			all.add(api.Warning, "paths-restored", subject, "find out what does that (a routing daemon, a network manager, an interface that goes down and up)",
				"%s is Master, and somebody else removed its routes or rules: %s in the last minute; they were put back", subject, text.Count(c.PathsRestored, "removal"))
		}
		if c.AddressesRemoved > 0 {
			all.add(api.Warning, vrrp.AddressesRemoved, subject, "take its addresses out of the configuration of whatever adds them (systemd-networkd, ifupdown, cloud-init, keepalived): only lvsd may add them",
				"%s, not being Master, removed addresses that somebody else had added: %s in the last minute", subject, text.Count(c.AddressesRemoved, "removal"))
		}
	}
}

// forwarding finds services that need a machine which forwards packets, where
// this one does not: one finding for each family.
func (all *findings) forwarding(services []config.Service, m machine.Facts) {
	for _, family := range []struct {
		forwards, six bool
		sysctl        string
	}{
		{m.Forward4, false, "net.ipv4.ip_forward"},
		{m.Forward6, true, "net.ipv6.conf.all.forwarding"},
	} {
		i := slices.IndexFunc(services, func(s config.Service) bool {
			return slices.ContainsFunc(s.Servers, func(srv config.Server) bool {
				return srv.Destination.Forward == ipvsctl.NAT && srv.Key.Addr.Is6() == family.six
			})
		})
		if i >= 0 && !family.forwards {
			all.add(api.Error, "forwarding-off", family.sysctl, fmt.Sprintf("set %s=1 (sysctl -w, and in /etc/sysctl.d)", family.sysctl),
				"virtual service %q uses NAT, but this director does not forward packets, so the replies do not reach the clients", services[i].Name)
		}
	}
}

// notRunPatience is how long a check may be impossible to run, for a reason of
// this director's own, before that is a finding.
const notRunPatience = 10 * time.Second

// checks finds checks that this director cannot run: one finding for all, since
// they usually have one reason.
func (all *findings) checks(now time.Time, h *Healths) {
	stuck, example := 0, ""
	i := 0
	for w := range eachCheck(h.services) {
		c := &h.checks[i]
		i++
		since := c.NotRunSince()
		if since.IsZero() || now.Sub(since) < notRunPatience {
			continue
		}
		if stuck++; stuck == 1 {
			s := &h.services[w.service]
			example = fmt.Sprintf("%s/%s: %s", s.Name, s.Servers[w.server].Name, c.Last().Detail)
		}
	}
	if stuck > 0 {
		all.add(api.Warning, "checks-not-run", "", "", "%s cannot be run because of a problem on this director, so the servers keep their last state (%s)", text.Count(stuck, "check"), example)
	}
}

// watches finds conditions that this director cannot watch.
func (all *findings) watches(now time.Time, w *watch) {
	for i, checks := range w.checks {
		stuck := slices.IndexFunc(checks, func(c watched) bool {
			since := c.NotRunSince()
			return !since.IsZero() && now.Sub(since) >= notRunPatience
		})
		if stuck < 0 {
			continue
		}
		stays := "it keeps its last state"
		if checks[stuck].State() == checker.Unknown {
			stays = "it counts as met"
		}
		name := w.conditions[i].Name
		all.add(api.Warning, "condition-unknown", name, "", "%s cannot be watched, so %s: %s", name, stays, found(w.conditions[i].Checks[stuck].Target, checks[stuck].Last().Detail))
	}
}
