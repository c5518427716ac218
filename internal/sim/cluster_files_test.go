package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

const (
	// servers is how many real servers there are.
	servers = 6
	// probeInterval is the interval of every check.
	probeInterval = time.Second
	startDelay    = 4 * time.Second
	// directPort is the port of the service by direct routing. Where a director
	// is among its servers, it is withheld on that one while it is Backup.
	directPort = 81
)

var (
	virtual = netip.MustParseAddr("10.0.0.100")
	// errMistake is what is wrong with files that are not valid.
	errMistake = errors.New("web.hcl:3: a mistake")
)

// serverAddr returns the address of a real server by its number; the last two
// are the directors themselves.
func serverAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 168, 0, byte(1 + i)}) }

// files are what the configuration says at one moment, the same for both
// directors but for the priority.
type files struct {
	isolation bool
	rng       *rand.Rand
	version   int
	mistake   bool
	services  []config.Service
	priority  [2]uint8
	preempt   bool
	tracked   []config.Condition
}

func newFiles(rng *rand.Rand) files {
	f := files{rng: rng, priority: [2]uint8{150, 100}, preempt: rng.IntN(4) > 0}
	for range 1 + rng.IntN(3) {
		f.addService()
	}
	f.tracked = f.conditions()
	return f
}

// edit changes the text: to another valid one, or by a mistake.
func (f *files) edit() string {
	f.version++
	f.mistake = f.rng.IntN(4) == 0
	if f.mistake {
		return "a mistake"
	}
	f.services = slices.Clone(f.services)
	defer func() { f.tracked = f.conditions() }()
	switch what := f.rng.IntN(8); {
	case what == 0:
		f.priority[f.rng.IntN(2)] = uint8(50 + f.rng.IntN(200))
		return "another priority"
	case what == 1 || len(f.services) == 0:
		f.addService()
		return "one more service"
	case what == 2:
		i := f.rng.IntN(len(f.services))
		f.services = slices.Delete(f.services, i, i+1)
		return "a service less"
	default:
		s := &f.services[f.rng.IntN(len(f.services))]
		s.Servers = slices.Clone(s.Servers)
		return f.editService(s)
	}
}

func (f *files) editService(s *config.Service) string {
	if len(s.Servers) == 0 || f.rng.IntN(4) == 0 {
		f.addServer(s)
		return "one more server"
	}
	i := f.rng.IntN(len(s.Servers))
	switch f.rng.IntN(4) {
	case 0:
		s.Servers = slices.Delete(s.Servers, i, i+1)
		return "a server less"
	case 1:
		s.Servers[i].Checks = f.checks(s.Servers[i].Key)
		return "other checks"
	case 2:
		s.Fallback = nil
		return "no fallback"
	default:
		s.Servers[i].Destination.Weight = uint32(f.rng.IntN(5))
		return "another weight"
	}
}

// addService adds a service, by NAT or by direct routing.
func (f *files) addService() {
	port := uint16(80 + f.rng.IntN(4))
	forward := ipvsctl.NAT
	if port == directPort {
		forward = ipvsctl.Direct
	}
	key := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: virtual, Port: port}
	if slices.ContainsFunc(f.services, func(s config.Service) bool { return s.Key == key }) {
		return
	}
	s := config.Service{
		Name: fmt.Sprintf("service-%d", port), Key: key, Source: "web.hcl:1",
		Service: ipvsctl.Service{Scheduler: []string{"wrr", "wlc"}[f.rng.IntN(2)], Netmask: 32},
	}
	if f.rng.IntN(2) == 0 {
		s.Fallback = &config.Fallback{
			Key:         ipvsctl.DestinationKey{Addr: netip.AddrFrom4([4]byte{192, 168, 0, 200}), Port: port},
			Destination: ipvsctl.Destination{Forward: forward, Weight: 1},
		}
	}
	for range f.rng.IntN(4) {
		f.addServer(&s)
	}
	f.services = append(f.services, s)
}

func (f *files) addServer(s *config.Service) {
	number := f.rng.IntN(servers)
	forward := ipvsctl.NAT
	if s.Key.Port == directPort {
		forward = ipvsctl.Direct
	}
	key := ipvsctl.DestinationKey{Addr: serverAddr(number), Port: s.Key.Port}
	if slices.ContainsFunc(s.Servers, func(c config.Server) bool { return c.Key == key }) {
		return
	}
	s.Servers = append(s.Servers, config.Server{
		Name: fmt.Sprintf("server-%d", number), Key: key, InitialUp: f.rng.IntN(8) == 0,
		Destination: ipvsctl.Destination{Forward: forward, Weight: uint32(f.rng.IntN(4))},
		Checks:      f.checks(key),
	})
}

// checks are none, one, or one of the port and one of the host.
func (f *files) checks(key ipvsctl.DestinationKey) []config.Check {
	port := config.Check{Target: checker.Target{Spec: checker.SpecOf(checker.TCP{}), Addr: key.Addr, Port: key.Port, Interval: probeInterval, Timeout: time.Second}}
	host := config.Check{Target: checker.Target{Spec: checker.SpecOf(checker.Ping{}), Addr: key.Addr, Interval: probeInterval, Timeout: time.Second}}
	all := [][]config.Check{{}, {port}, {port}, {port, host}}[f.rng.IntN(4)]
	for i := range all {
		all[i].Rise, all[i].Fall = uint16(1+f.rng.IntN(3)), uint16(1+f.rng.IntN(3))
	}
	return all
}

// config is what the files say for one director.
func (f *files) config(node int) *config.Config {
	return &config.Config{
		Node: fmt.Sprintf("lvs%d", node+1), Digest: fmt.Sprintf("v%d", f.version), Services: f.services, Conditions: f.tracked,
		Director: config.Director{StartDelay: startDelay, KeepTable: true, Isolation: f.isolation},
		Routers: []vrrp.Config{{
			Name: "outside", Interface: "eth0", VRID: 51, Version: 3, Interval: time.Second, Priority: f.priority[node], Preempt: f.preempt,
			Addresses: []netip.Prefix{netip.PrefixFrom(virtual, 24)},
		}},
	}
}

// load reads the files, as compared with those that a director runs.
func (f *files) load(node int, running *config.Config) director.Loaded {
	switch c := f.config(node); {
	case f.mistake:
		return director.Loaded{Err: errMistake}
	case c.Digest == running.Digest:
		return director.Loaded{}
	default:
		return director.Loaded{Config: c}
	}
}
