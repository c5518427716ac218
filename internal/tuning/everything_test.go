package tuning_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

var seed = flag.Uint64("seed", 1, "begin with another random state")

// A kernelSide is the real kernel or a fake one.
type kernelSide interface {
	Look(to []netip.Addr, ipvs bool) (machine.Facts, error)
	Tune(values, before map[machine.Setting]string) (refused map[machine.Setting]error, unsaved error)
	// table and apply are of the IPVS table, and rules of the packet filter.
	table() ipvsctl.Table
	apply(ops []ipvsctl.Op) error
	rules(want ipvsctl.Ruleset) (intact bool)
	// settings are the timeouts, sync daemons and parameters of IPVS, as another program
	// than lvsd sees them.
	settings() map[machine.Setting]string
}

// A state is all that a director is to make of IPVS.
type state struct {
	table  ipvsctl.Table
	rules  ipvsctl.Ruleset
	config *config.Config // its settings
	master bool
}

// values are for each parameter of IPVS what it may be.
var values = map[string][]string{
	"expire_nodest_conn": {"0", "1"}, "expire_quiescent_template": {"0", "1"}, "conn_reuse_mode": {"0", "1", "2", "3"},
	"conntrack": {"0", "1"}, "snat_reroute": {"0", "1"}, "nat_icmp_send": {"0", "1"}, "pmtu_disc": {"0", "1"}, "schedule_icmp": {"0", "1"},
	"sloppy_tcp": {"0", "1"}, "sloppy_sctp": {"0", "1"}, "ignore_tunneled": {"0", "1"}, "cache_bypass": {"0", "1"}, "backup_only": {"0", "1"},
	"drop_entry": {"0", "1", "3"}, "drop_packet": {"0", "1", "3"}, "secure_tcp": {"0", "1", "3"}, "amemthresh": {"1", "2048", "2147483647"},
	"am_droprate": {"1", "10", "2147483647"}, "run_estimation": {"0", "1"}, "est_cpulist": {"0"}, "est_nice": {"-20", "0", "19"},
	"sync_threshold": {"0 50", "3 50", "0 0", "3 0", "2147483646 2147483647"}, "sync_refresh_period": {"0", "10", "86400"},
	"sync_retries": {"0", "3"}, "sync_persist_mode": {"0", "1"}, "sync_ports": {"1", "2", "4"}, "sync_qlen_max": {"1", "4096", "2147483647"},
	"sync_sock_size": {"0", "4096", "2147483647"}, "sync_version": {"0", "1"},
}

func oneOf[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// random is one of few states, so that two of them have much in common.
func random(r *rand.Rand) state {
	s := state{table: ipvsctl.Table{}, config: &config.Config{Digest: fmt.Sprint(r.Uint64())}, master: r.IntN(2) == 0}
	for range r.IntN(5) {
		vs := ipvsctl.VirtualService{Service: ipvsctl.Service{Scheduler: oneOf(r, "rr", "wrr"), Netmask: 32}}
		for range r.IntN(5) {
			vs.Destinations.Set(ipvsctl.DestinationKey{Addr: netip.AddrFrom4([4]byte{192, 168, 1, byte(1 + r.IntN(5))}), Port: 80},
				ipvsctl.Destination{Forward: oneOf(r, ipvsctl.NAT, ipvsctl.Direct), Weight: uint32(r.IntN(3))})
		}
		if port := uint16(r.IntN(5)); port > 0 {
			s.table[ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.AddrFrom4([4]byte{192, 0, 2, 1}), Port: port}] = vs
			continue
		}
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + len(s.rules))})
		s.rules = append(s.rules, ipvsctl.Marking{Service: fmt.Sprint("service ", len(s.rules)), Mark: uint32(1 + len(s.rules)),
			Selection: ipvsctl.Select([]ipvsctl.AddressRange{{First: addr, Last: addr}}, []ipvsctl.Protocol{ipvsctl.TCP}, []ipvsctl.PortRange{{First: 80, Last: 80 + uint16(r.IntN(2))}})})
		s.table[ipvsctl.ServiceKey{Mark: uint32(len(s.rules)), Addr: netip.IPv4Unspecified()}] = vs
	}
	ipvs := &s.config.Director.IPVS
	ipvs.Parameters = make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if r.IntN(3) == 0 {
			ipvs.Parameters[name] = oneOf(r, values[name]...)
		}
	}
	for _, t := range []*time.Duration{&ipvs.Timeouts.TCP, &ipvs.Timeouts.TCPFin, &ipvs.Timeouts.UDP} {
		*t = oneOf(r, 0, 0, time.Second, 77*time.Second, 900*time.Second, 744*time.Hour)
	}
	if r.IntN(4) > 0 {
		s.config.Routers = []vrrp.Config{{Name: "outside"}}
		s.config.Director.Sync = config.ConnectionSync{
			Router: "outside", Interface: oneOf(r, "sync0", "sync1", "sync9"), ID: oneOf(r, 0, 7, 255), Group: oneOf(r, netip.MustParseAddr("224.0.0.81"), netip.MustParseAddr("ff02::81")),
			Port: oneOf(r, 8848, 1), TTL: oneOf(r, 1, 10), MaxLength: oneOf(r, 0, 0, 1, 1000, 1472, 65507),
		}
	}
	return s
}

// settings are those that a state asks for, of a kernel that has these.
func (s state) settings(t *testing.T, before map[machine.Setting]string) map[machine.Setting]string {
	t.Helper()
	all := maps.Clone(before)
	ipvs := s.config.Director.IPVS
	for name, value := range ipvs.Parameters {
		if _, exists := all[machine.IPVS(name)]; exists {
			all[machine.IPVS(name)] = value
		}
	}
	for setting, d := range map[machine.Setting]time.Duration{machine.TimeoutTCP: ipvs.Timeouts.TCP, machine.TimeoutTCPFin: ipvs.Timeouts.TCPFin, machine.TimeoutUDP: ipvs.Timeouts.UDP} {
		if d > 0 {
			all[setting] = strconv.Itoa(int(d.Seconds()))
		}
	}
	d := s.config.Director.Sync
	if d.Router == "" {
		return all
	}
	header, mtu, least := 20+8, 1500, 1
	if d.Group.Is6() {
		header = 40 + 8
	}
	if !s.master {
		least = 1024
		mtu = map[string]int{"sync0": 1500, "sync1": 1500, "sync9": 9000}[d.Interface]
	}
	if s.master && d.Interface == "sync1" {
		mtu = 1400
	}
	length := mtu - header
	if d.MaxLength > 0 {
		length = min(max(least, d.MaxLength), 65535-header)
	}
	text := fmt.Sprintf("%s id=%d group=%s port=%d ttl=%d length=%d", d.Interface, d.ID, d.Group, d.Port, d.TTL, length)
	all[machine.SyncMaster], all[machine.SyncBackup] = "", text
	if s.master {
		all[machine.SyncMaster], all[machine.SyncBackup] = text, ""
	}
	return all
}

// A run is a director's core before a kernel.
type run struct {
	*testing.T
	kernel   kernelSide
	core     *director.Core
	now      time.Time
	loaded   *config.Config // what the next reading finds
	last     map[machine.Setting]string
	tuned    [][]machine.Setting // what was set since then, each time
	failures int                 // of looks, and settings that were refused
	restore  map[machine.Setting]string
	kept     map[machine.Setting]string
}

func begin(t *testing.T, k kernelSide) *run {
	r := &run{T: t, kernel: k, now: time.Date(2026, 11, 28, 15, 0, 0, 0, time.UTC)}
	core, effects := director.Begin(r.now, "/etc/lvsd", director.Loaded{Config: &config.Config{Digest: "first"}}, machine.Facts{})
	r.core = core
	r.do(effects)
	return r
}

// do does what the core asks for, as far as it concerns settings.
func (r *run) do(effects []director.Effect) {
	r.Helper()
	for _, e := range effects {
		switch e := e.(type) {
		case director.Tune:
			r.tuned = append(r.tuned, slices.Sorted(maps.Keys(e.Values)))
			refused, unsaved := r.kernel.Tune(e.Values, e.Before)
			r.failures += len(refused)
			r.tell(director.Tuned{Tune: e, Refused: refused, Unsaved: unsaved})
		case director.Read:
			r.tell(director.ReadingEnded{Number: e.Number, Loaded: director.Loaded{Config: r.loaded}})
		case director.HandOver:
			r.restore, r.kept = e.Restore, e.Kept
		}
	}
}

func (r *run) tell(in director.Input) {
	r.Helper()
	r.now = r.now.Add(time.Millisecond)
	r.do(r.core.Handle(r.now, in))
}

// look looks at the machine.
func (r *run) look() {
	r.Helper()
	facts, err := r.kernel.Look(nil, true)
	if err != nil {
		r.failures++
	}
	r.tell(director.MachineSeen{Facts: facts, Err: err})
}

// want has the kernel made as a state asks, once.
func (r *run) want(s state) (ops []ipvsctl.Op) {
	r.Helper()
	role := vrrp.Backup
	if s.master {
		role = vrrp.Master
	}
	r.tell(director.RoutersSeen{{Name: "outside", State: role}})
	r.last, r.loaded, r.tuned = r.kernel.settings(), s.config, nil
	r.tell(director.Reload{})
	r.look()
	ops = ipvsctl.Diff(r.kernel.table(), s.table, func(ipvsctl.ServiceKey) bool { return true })
	if err := r.kernel.apply(ops); err != nil {
		r.Error(err)
	}
	return ops
}

// finish stops the director.
func (r *run) finish() {
	r.Helper()
	r.tell(director.Stop{})
	if refused, err := r.kernel.Tune(r.restore, r.kept); err != nil || len(refused) > 0 {
		r.Errorf("at the end: refused %v, error %v", refused, err)
	}
}

var addrs = cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmpopts.EquateEmpty()}

// replace replaces all that a director makes of IPVS: for any two states the second comes
// to be, of what is in both nothing is written, and a second pass has nothing to do. At the
// end the kernel has what it had before.
func replace(t *testing.T, k kernelSide, seed uint64, states int) {
	t.Helper()
	r, before := rand.New(rand.NewPCG(seed, 1)), k.settings()
	run := begin(t, k)
	for n := range states {
		s := random(r)
		ops := run.want(s)
		if !k.rules(s.rules) {
			t.Errorf("state %d: the rules are not as they were made", n)
		}
		want := s.settings(t, before)
		if diff := cmp.Diff(want, k.settings()); diff != "" {
			t.Errorf("state %d: the settings (-want +got)\n%s", n, diff)
		}
		if diff := cmp.Diff(s.table, k.table(), addrs); diff != "" {
			t.Errorf("state %d: the table (-want +got)\n%s\nafter %v", n, diff, ops)
		}
		seen := make(map[machine.Setting]int)
		for _, all := range run.tuned {
			for _, setting := range all {
				if seen[setting]++; run.last[setting] == want[setting] || seen[setting] > 1 {
					t.Errorf("state %d: %s was set %d times; it was %q, and should be %q", n, setting, seen[setting], run.last[setting], want[setting])
				}
			}
		}
		if again := run.want(s); len(again) > 0 || len(run.tuned) > 0 {
			t.Errorf("state %d: a second time there is still %v %v", n, again, run.tuned)
		}
	}
	run.finish()
	k.rules(nil)
	if diff := cmp.Diff(before, k.settings()); diff != "" {
		t.Errorf("the settings at the end (-want +got)\n%s", diff)
	}
	if t.Failed() {
		t.Fatalf("seed %d", seed)
	}
}

// notes keeps what parameters were in memory.
type notes map[string]string

func (n *notes) Settings() (map[string]string, error)        { return *n, nil }
func (n *notes) SaveSettings(before map[string]string) error { *n = before; return nil }
