package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/doctor"
	facts "github.com/lvsd/lvsd/internal/doctor/host"
	"github.com/lvsd/lvsd/internal/realserver"
	"github.com/lvsd/lvsd/internal/realserver/host"
	"github.com/lvsd/lvsd/internal/state"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

// Doctor examines this machine by the directors' configuration: as a director, as a real
// server, or both. With fix it mends what can be mended, and taken back. The state directory of
// the options is that of lvsd realserver.
func Doctor(ctx context.Context, o Options, director, fix bool) (*api.Checkup, error) {
	r, err := readRealServer(ctx, o, newReader())
	if err != nil {
		return nil, err
	}
	c, err := caseOf(ctx, o, r, director)
	if err != nil {
		return nil, err
	}
	done := make([][]string, len(doctor.Examinations))
	if fix && mendAll(ctx, o, r, c, done) {
		if c, err = caseOf(ctx, o, r, director); err != nil {
			return nil, err
		}
	}
	a := &api.Checkup{SchemaVersion: api.SchemaVersion, Path: o.Config, Node: r.Config.Node, OK: true, Roles: rolesOf(c)}
	for i := range doctor.Examinations {
		e := &doctor.Examinations[i]
		result := e.Look(c)
		a.OK = a.OK && result.Judgement != api.Wrong
		a.Examinations = append(a.Examinations, e.Tell(result, done[i]))
	}
	return a, nil
}

// mendAll mends what each examination finds, notes what was done for it, and reports whether
// anything was.
func mendAll(ctx context.Context, o Options, r *realserver.Cluster, c *doctor.Case, done [][]string) (some bool) {
	for i := range doctor.Examinations {
		result := doctor.Examinations[i].Look(c)
		for _, f := range result.Fixes() {
			said, err := mend(ctx, o, r, f)
			if err != nil {
				said = fmt.Sprintf("%s: failed: %v", said, err)
			}
			done[i], some = append(done[i], said), true
		}
	}
	return some
}

// mend makes one change, and returns what it is.
func mend(ctx context.Context, o Options, c *realserver.Cluster, f doctor.Fix) (said string, err error) {
	switch {
	case f.Module != "":
		return f.String(), facts.Load(ctx, f.Module)
	case f.RealServer:
		a, err := realServerPass(o, c)
		if err == nil && a.Error != "" {
			err = errors.New(a.Error)
		}
		return f.String(), err
	}
	was := f.Setting.Value()
	return fmt.Sprintf("%s (it was %s; until the next boot)", f, was), f.Setting.Set(f.Value)
}

// caseOf gathers what is known of this machine.
func caseOf(ctx context.Context, o Options, r *realserver.Cluster, director bool) (*doctor.Case, error) {
	f, err := facts.Look(ctx, r.Config)
	if err != nil {
		return nil, err
	}
	c := &doctor.Case{Facts: f, Config: r.Config}
	if err := capable(); err != nil {
		f.Incapable = err.Error()
	}
	if f.Role, f.Left, err = realServerLook(o, r); err != nil {
		f.Unread = err.Error()
	}
	c.RealServer = len(f.Role.Services) > 0
	if st, err := control.Dial(o.Socket).Status(ctx); err != nil {
		f.Silent = err.Error()
	} else {
		f.Daemon, f.Routers, c.Director = st.Findings, make(map[string]api.Router), true
		for i := range st.Routers {
			f.Routers[st.Routers[i].Name] = st.Routers[i]
		}
	}
	c.Director = c.Director || director || r.Director || !c.RealServer
	heard(r.Config, f)
	asked(c)
	return c, nil
}

// asked asks the real servers by NAT whether they answer by way of this director.
func asked(c *doctor.Case) {
	questions := c.Questions()
	if !c.Director || len(questions) == 0 {
		return
	}
	var err error
	if c.Answers, err = facts.Ask(questions, answerWait); err != nil {
		c.Unasked = "the real servers cannot be asked: " + err.Error()
	}
}

func rolesOf(c *doctor.Case) []string {
	roles := []string{}
	if c.Director {
		roles = append(roles, "director")
	}
	if c.RealServer {
		roles = append(roles, "real server")
	}
	return roles
}

// realServerLook is what lvsd realserver check finds.
func realServerLook(o Options, c *realserver.Cluster) (realserver.Role, []realserver.Change, error) {
	store, err := state.Peek(o.StateDir)
	if err != nil {
		return realserver.Role{}, nil, err
	}
	defer store.Close()
	role, result := realserver.Check(host.Host{}, before{store}, c)
	return role, result.Left, result.Err
}

// answerWait is how long answers for an address are waited for.
const answerWait = 600 * time.Millisecond

// heard asks who has the virtual addresses, and those of directors that are silent, all at once.
func heard(c *config.Config, f *doctor.Facts) {
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, 256)
	for i := range c.Routers {
		v := &c.Routers[i]
		for _, a := range asking(v, f.Routers[v.Name]) {
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				if macs, err := link.WhoHas(v.Interface, a, answerWait); err == nil {
					mu.Lock()
					defer mu.Unlock()
					f.Heard[a] = macs
				}
			})
		}
	}
	all.Wait()
}

// asking are the addresses whose owners are asked for, of a virtual router as the daemon sees it.
func asking(v *vrrp.Config, seen api.Router) (all []netip.Addr) {
	for _, p := range v.Addresses {
		all = append(all, p.Addr())
	}
	for _, p := range seen.Peers {
		if p.Age >= doctor.Silence(seen) {
			all = append(all, p.Address)
		}
	}
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return !a.Is4() })
}
