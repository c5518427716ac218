package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Case is a machine and a configuration that it is examined by.
type Case struct {
	*Facts
	Config *config.Config
	// Director and RealServer are what it is in the configuration.
	Director, RealServer bool
}

// A Result is how an examination ended.
type Result struct {
	Judgement api.Judgement
	Why       string // it is not known, or not needed
	Wrongs    []Wrong
}

// A Wrong is something that is wrong.
type Wrong struct {
	Severity api.Severity
	Subject  string
	Text     string
	Remedy   string
	Fixes    []Fix // none: nobody but the administrator can mend it
}

// A Fix is a change that mends something, and can be taken back.
type Fix struct {
	// Setting is given Value; or the Module is loaded; or, by RealServer, what "lvsd
	// realserver up" does is done.
	Setting    machine.Setting
	Value      string
	Module     string
	RealServer bool
}

// String says what is done.
func (f Fix) String() string {
	switch {
	case f.RealServer:
		return "lvsd realserver up"
	case f.Module != "":
		return "modprobe " + f.Module
	}
	return fmt.Sprintf("sysctl -w %s=%s", f.Setting, f.Value)
}

// wrong adds something that is wrong, which clients notice.
func (r *Result) wrong(subject, remedy string, fixes []Fix, format string, args ...any) {
	r.Wrongs = append(r.Wrongs, Wrong{api.Error, subject, fmt.Sprintf(format, args...), remedy, fixes})
}

// risk adds something that is wrong, and noticed one day.
func (r *Result) risk(subject, remedy string, fixes []Fix, format string, args ...any) {
	r.Wrongs = append(r.Wrongs, Wrong{api.Warning, subject, fmt.Sprintf(format, args...), remedy, fixes})
}

// judged is the result, by whether anything is wrong.
func (r Result) judged() Result {
	r.Judgement = api.Fine
	if len(r.Wrongs) > 0 {
		r.Judgement = api.Wrong
	}
	return r
}

// Fixes are the changes that mend it, each once.
func (r *Result) Fixes() (all []Fix) {
	for _, w := range r.Wrongs {
		for _, f := range w.Fixes {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

func needless(why string) Result { return Result{Judgement: api.NotNeeded, Why: why} }
func unknown(why string) Result  { return Result{Judgement: api.NotKnown, Why: why} }

// persist says how a parameter is kept through a boot.
func persist(s machine.Setting, value string) string {
	return fmt.Sprintf("set %s=%s (sysctl -w, and in /etc/sysctl.d)", s, value)
}

// serving is a real server of a service.
type serving struct {
	service *config.Service
	server  netip.Addr
	port    uint16
	ipvsctl.Destination
}

// servings are all real servers of all services, without those that are this machine.
func (c *Case) servings() (all []serving) {
	for i := range c.Config.Services {
		s := &c.Config.Services[i]
		for j := range s.Servers {
			if k := s.Servers[j].Key; !c.Ways[k.Addr].Local {
				all = append(all, serving{s, k.Addr, k.Port, s.Servers[j].Destination})
			}
		}
	}
	return all
}

// mostAddresses are how many addresses of a service are looked for.
const mostAddresses = 256

// routerOf returns the virtual router that has an address of a service; nil: none has.
func (c *Case) routerOf(s *config.Service) *vrrp.Config {
	all := s.Addresses(mostAddresses)
	for i := range c.Config.Routers {
		if slices.ContainsFunc(c.Config.Routers[i].Addresses, func(p netip.Prefix) bool { return slices.Contains(all, p.Addr()) }) {
			return &c.Config.Routers[i]
		}
	}
	return nil
}

// interfaces are those that carry the clients' and the servers' packets.
func (c *Case) interfaces() map[string]bool {
	all := make(map[string]bool)
	for i := range c.Config.Routers {
		all[c.Config.Routers[i].Interface] = true
	}
	for _, s := range c.servings() {
		if name := c.Ways[s.server].Interface; name != "" {
			all[name] = true
		}
	}
	return all
}
