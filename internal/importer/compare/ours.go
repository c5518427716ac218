package compare

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// Ours is what lvsd makes of a configuration: the table that the director plans when all real
// servers are up and it is Master of all virtual routers.
func Ours(c *config.Config) (out importer.Outline) {
	well := director.World{
		Standing: func(int, int) director.Standing { return director.Standing{State: checker.Up} },
		Master:   func(string) bool { return true },
		Own:      func(netip.Addr) bool { return false },
	}
	p := director.Plan(time.Time{}, c, well)
	for i := range c.Services {
		service(&out, &c.Services[i], p.Table)
	}
	for i := range c.Routers {
		router(&out, &c.Routers[i])
	}
	for _, a := range c.Static.Addresses {
		out.Address(importer.Place{}, a.Prefix, a.Interface, 0)
	}
	return out
}

// service adds the rows of the table, and the checks, of a virtual service.
func service(out *importer.Outline, s *config.Service, table ipvsctl.Table) {
	none, name := importer.Place{}, ""
	if s.Marked() {
		name = s.Address() // The mark is one of lvsd's own.
	}
	for _, key := range s.Keys() {
		vs, there := table[key]
		if !there {
			continue
		}
		out.Service(none, name, key, vs.Service)
		for _, d := range vs.Destinations {
			out.Server(none, name, key, d.Key, d.Value)
		}
		if f := s.Fallback; f != nil {
			out.Fallback(none, name, key, at(s, key, f.Key, f.OwnPort), f.Destination)
		}
		for i := s.Real(); i < len(s.Servers); i++ {
			f := &s.Servers[i]
			out.Fallback(none, name, key, at(s, key, f.Key, f.OwnPort), f.Destination)
		}
	}
	for i := range s.Real() {
		r := &s.Servers[i]
		var all []importer.Probe
		for j := range r.Checks {
			p := probe(&r.Checks[j], r.Key)
			p.Service, p.Server = s.Address(), importer.ServerName(r.Key.Addr, r.Key.Port, s.Key.Port)
			all = append(all, p)
		}
		out.Checks(all)
	}
}

// at is a server in one of a service's virtual services of the kernel: at that one's port, if
// it has none of its own.
func at(s *config.Service, key ipvsctl.ServiceKey, d ipvsctl.DestinationKey, own bool) ipvsctl.DestinationKey {
	if d.Port == s.Key.Port && !own {
		d.Port = key.Port
	}
	return d
}

// router adds a virtual router with its addresses.
func router(out *importer.Outline, r *vrrp.Config) {
	none := importer.Place{}
	value := fmt.Sprintf("priority %d, VRRP %d", r.Priority, r.Version)
	if !r.Preempt {
		value += ", does not preempt"
	}
	out.Router(none, int(r.VRID), r.Family() == 6, r.Interface, value, r.Interval)
	for _, a := range r.Holdings().Addresses {
		on := a.Interface
		if on == r.Home() {
			on = r.Interface // The name of a device with a virtual MAC says nothing.
		}
		out.Address(none, a.Prefix, on, int(r.VRID))
	}
}

// probe is a check of a real server.
func probe(c *config.Check, of ipvsctl.DestinationKey) importer.Probe {
	t := &c.Target
	fast := t.Interval
	if t.Pace.Fast > 0 {
		fast = t.Pace.Fast.Duration()
	}
	again := time.Duration(max(c.Fall, 1) - 1)
	p := importer.Probe{Kind: t.Spec.Kind(), Asked: t.Asked(), Every: t.Interval, Refused: again * fast, Silent: t.Timeout + again*max(fast, t.Timeout)}
	switch p.Kind {
	case "http", "https":
		var h checker.HTTP
		_ = t.Spec.Decode(&h) // The configuration has written it.
		p.Detail("path", h.Path)
		p.Detail("host", h.Host)
		p.Detail("status", h.Status.String())
		p.Detail("md5", strings.TrimPrefix(string(h.Digest), "md5:"))
		p.Detail("body", body(&h))
	case "udp":
		var u checker.UDP
		_ = t.Spec.Decode(&u)
		if !u.Reply {
			p.Silent = 0
		}
	case "dns":
		d := checker.DNS{Type: "SOA"}
		_ = t.Spec.Decode(&d)
		p.Detail("name", d.Name)
		p.Detail("type", d.Type)
	case "exec":
		var e checker.Exec
		_ = t.Spec.Decode(&e)
		p.Detail("runs", strings.Join(started(e.Run, of), " "))
	}
	return p
}

// passed is how a program that importers write has a shell pass what the environment says.
const passed = `exec "$0" "$@" `

// started are a program's words as it is started for a server.
func started(run []string, of ipvsctl.DestinationKey) []string {
	if len(run) < 4 || run[0] != "/bin/sh" || !strings.HasPrefix(run[2], passed) {
		return run
	}
	more := strings.NewReplacer(`"$LVSD_SERVER_ADDRESS"`, of.Addr.String(), `"$LVSD_SERVER_PORT"`, strconv.Itoa(int(of.Port))).Replace(run[2][len(passed):])
	return append(slices.Clone(run[3:]), more)
}

// body says what the body of an answer must be.
func body(h *checker.HTTP) string {
	switch {
	case h.Body != "" || len(h.Text) > 0:
		return "matches"
	case h.Not != "":
		return "does not match"
	}
	return ""
}
