package director

import (
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// pairOfWebs is a service with two servers that are up, and keeps the connections of one
// that is removed for so long.
func pairOfWebs(t *testing.T, drain time.Duration) (s *story, without *config.Config) {
	web := checked()
	web.DrainTimeout = drain
	other := web.Servers[0]
	other.Name, other.Key = "web2", ipvsctl.DestinationKey{Addr: web2, Port: 80}
	other.InitialUp, web.Servers[0].InitialUp = true, true
	with := web
	with.Servers = []config.Server{web.Servers[0], other}
	s = tellOf(t, &config.Config{Services: []config.Service{with}})
	s.lines = nil
	return s, &config.Config{Services: []config.Service{web}}
}

// connections tells how many the second server has, a second after what was told before. It
// is told again at whatever happens meanwhile.
func (s *story) connections(n uint32) {
	s.Helper()
	s.wait(time.Second)
	key := s.core.config.Services[0].Key
	for range 5 {
		s.handle(Counted{key: {{Key: ipvsctl.DestinationKey{Addr: web2, Port: 80}, Value: ipvsctl.Counters{Active: n}}}})
	}
	if s.lines = slices.DeleteFunc(s.lines, func(line string) bool { return line == "look" }); len(s.lines) == 0 {
		s.lines = nil
	}
}

// reads makes another configuration the one that runs.
func (s *story) reads(c *config.Config) {
	s.Helper()
	s.lines = nil
	s.core.configure(s.now, Loaded{Config: c})
	s.write(s.core.act(s.now))
	s.lines = slices.DeleteFunc(s.lines, func(line string) bool { return line[:5] != "table" })
}

func drains(s *story) bool {
	return slices.ContainsFunc(s.core.Status(s.now, Edges{}).Findings, func(f api.Finding) bool { return f.Code == "drains" })
}

const (
	withBoth = "table: 192.168.1.4:80=3 192.168.1.5:80=0"
	withOne  = "table: 192.168.1.4:80=3"
)

func TestARemovedServerKeepsItsConnections(t *testing.T) {
	s, without := pairOfWebs(t, time.Minute)
	s.reads(without)
	s.want("it is taken out of the file", withBoth)
	s.handle(nodest("0"))
	if !drains(s) {
		t.Error("the status does not say so")
	}
	s.lines = nil
	for _, n := range []uint32{2, 0, 0, 1, 0, 0} {
		s.connections(n)
	}
	s.want("it has some now and then")
	s.connections(0)
	s.want("it has none for three seconds", withOne)
}

func TestDrainingHasAnEnd(t *testing.T) {
	s, without := pairOfWebs(t, time.Minute)
	s.reads(without)
	s.lines = nil
	s.wait(58 * time.Second)
	s.connections(1)
	s.want("before its end")
	s.wait(2 * time.Second)
	s.want("then", withOne)
}

func TestWhoIsBackDoesNotDrain(t *testing.T) {
	s, without := pairOfWebs(t, time.Minute)
	with := s.core.config
	s.reads(without)
	s.reads(with)
	s.want("it is back", "table: 192.168.1.4:80=3 192.168.1.5:80=3")
	if s.core.draining != nil {
		t.Errorf("%v drain", s.core.draining)
	}
}

func TestWhatDoesNotDrain(t *testing.T) {
	s, without := pairOfWebs(t, 0)
	s.reads(without)
	s.want("without drain_timeout, it is removed at once", withOne)
	s, without = pairOfWebs(t, time.Minute)
	without.Services[0].Service.Flags |= ipvsctl.OnePacket
	s.reads(without)
	s.want("packets that are scheduled one by one are no connections", withOne)
}
