//go:build linux

package tuning_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/netlinktest"
	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/internal/tuning"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/filter"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// realKernel is the kernel that the tests run on.
type realKernel struct {
	*tuning.Tuner
	t      *testing.T
	conn   *kernel.Conn
	filter *filter.Filter // nil: this kernel has no nftables
}

// onReal returns the kernel, with interfaces by which directors could tell each other.
func onReal(t *testing.T, dial func() (*kernel.Conn, error)) *realKernel {
	t.Helper()
	conn, err := kernel.Dial()
	if errors.Is(err, ipvsctl.ErrNoIPVS) {
		t.Skipf("run this in the lab: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for _, line := range []string{
		"ip link add sync0 type dummy", "ip link add sync1 mtu 1400 type dummy", "ip link add sync9 mtu 9000 type dummy",
		"ip addr add 192.0.2.65/27 dev sync0", "ip addr add 192.0.2.97/27 dev sync1", "ip addr add 192.0.2.129/27 dev sync9",
		"ip addr add fe80::1/64 dev sync0 nodad", "ip addr add fe80::2/64 dev sync1 nodad", "ip addr add fe80::3/64 dev sync9 nodad",
		"ip link set sync0 up", "ip link set sync1 up", "ip link set sync9 up",
	} {
		netnstest.Run(t, line)
	}
	t.Cleanup(func() {
		for _, line := range []string{"ipvsadm -C", "ip link del sync0", "ip link del sync1", "ip link del sync9"} {
			netnstest.Run(t, line)
		}
	})
	k := &realKernel{Tuner: tuning.New(&notes{}, dial), t: t, conn: conn}
	probe := exec.Command("nft", "add table inet probe; add chain inet probe c { type filter hook prerouting priority 0 ; }; delete table inet probe")
	if probe.Run() == nil { // User-mode Linux has nftables, but for no family of addresses.
		k.filter = &filter.Filter{}
	}
	return k
}

func (k *realKernel) table() ipvsctl.Table {
	k.t.Helper()
	all, err := k.conn.List(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	return all
}

func (k *realKernel) apply(ops []ipvsctl.Op) error {
	failures, err := k.conn.Apply(k.t.Context(), ops)
	for _, f := range failures {
		err = errors.Join(err, f.Err)
	}
	return err
}

func (k *realKernel) rules(want ipvsctl.Ruleset) bool {
	if k.filter == nil {
		return true
	}
	err := k.filter.Replace(want)
	intact, lerr := k.filter.Intact()
	if err = errors.Join(err, lerr); err != nil {
		k.t.Error(err)
	}
	return intact == (len(want) > 0)
}

var (
	daemonLine  = regexp.MustCompile(`(master|backup) sync daemon \(mcast=(\w+), syncid=(\d+), maxlen=(\d+), group=([^,]+), port=(\d+), ttl=(\d+)\)`)
	timeoutLine = regexp.MustCompile(`\(tcp tcpfin udp\): (\d+) (\d+) (\d+)`)
)

func (k *realKernel) settings() map[machine.Setting]string {
	k.t.Helper()
	all := map[machine.Setting]string{machine.SyncMaster: "", machine.SyncBackup: ""}
	for _, m := range daemonLine.FindAllStringSubmatch(netnstest.Run(k.t, "ipvsadm -L --daemon"), -1) {
		all[machine.Setting("ipvs.sync."+m[1])] = m[2] + " id=" + m[3] + " group=" + m[5] + " port=" + m[6] + " ttl=" + m[7] + " length=" + m[4]
	}
	if m := timeoutLine.FindStringSubmatch(netnstest.Run(k.t, "ipvsadm -L --timeout")); m != nil {
		all[machine.TimeoutTCP], all[machine.TimeoutTCPFin], all[machine.TimeoutUDP] = m[1], m[2], m[3]
	}
	files, err := os.ReadDir("/proc/sys/net/ipv4/vs")
	if err != nil {
		k.t.Fatal(err)
	}
	for _, f := range files {
		if text, err := os.ReadFile("/proc/sys/net/ipv4/vs/" + f.Name()); err == nil && f.Type().IsRegular() {
			all[machine.IPVS(f.Name())] = strings.Join(strings.Fields(string(text)), " ")
		}
	}
	return all
}

func TestRealAnyStateReplacesAnyOther(t *testing.T) {
	states := 12
	if testing.Short() {
		states = 3
	}
	replace(t, onReal(t, kernel.Dial), *seed, states)
}

// faulty is a kernel with which exchanges of lvsd go wrong; another connection sees all.
type faulty struct{ *realKernel }

func (k faulty) settings() map[machine.Setting]string {
	k.t.Helper()
	facts, err := tuning.New(&notes{}, kernel.Dial).Look(nil, true)
	if err != nil {
		k.t.Fatal(err)
	}
	return facts.Settings
}

// Whatever goes wrong between lvsd and the kernel, and at whichever exchange: the next pass
// makes the settings as they should be, a sync daemon of somebody else's stays, and what was
// refused is counted by its kind.
func TestRealFaultsOfSettings(t *testing.T) {
	k := onReal(t, kernel.Dial)
	netnstest.Run(t, "ipvsadm --start-daemon backup --mcast-interface sync0 --syncid 77")
	t.Cleanup(func() { netnstest.Run(t, "ipvsadm --stop-daemon backup") })
	exchanges := 4
	if testing.Short() {
		exchanges = 2
	}
	for n, f := range netlinktest.Faults {
		if testing.Short() && n%4 > 0 {
			continue // Sync daemons take their time.
		}
		t.Run(f.Name, func(t *testing.T) {
			wire := netlinktest.New(t)
			k := faulty{&realKernel{Tuner: tuning.New(&notes{}, func() (*kernel.Conn, error) { return kernel.DialBy(wire.Generic) }), t: t, conn: k.conn}}
			before, run := k.settings(), begin(t, k)
			for after := range exchanges {
				s := random(rand.New(rand.NewPCG(uint64(n), uint64(after))))
				if s.config.Director.IPVS.Timeouts.TCP = 1000 * time.Second; after == 0 {
					s.config.Routers, s.config.Director.Sync = nil, config.ConnectionSync{}
				}
				wire.Arm(f, after)
				run.want(s)
				for !wire.Struck() {
					run.look()
				}
				run.look()
				run.look()
				if diff := cmp.Diff(s.settings(t, before), k.settings()); diff != "" {
					t.Errorf("after %d exchanges that went well (-want +got)\n%s", after, diff)
				}
			}
			run.finish()
			if diff := cmp.Diff(before, k.settings()); diff != "" {
				t.Errorf("the settings at the end (-want +got)\n%s", diff)
			}
			counted := 0
			all := run.core.Status(run.now, director.Edges{}).SettingFaults
			for _, n := range all {
				counted += int(n)
			}
			if counted != run.failures || all["other"] > 0 {
				t.Errorf("%d failures are counted as %v", run.failures, all)
			}
			t.Logf("counted %v", all)
		})
	}
}

// A parameter that the kernel does not take, or that nobody may write for a while, keeps none
// of the others from being set, and is set as soon as that is possible.
func TestRealRefusalsOfParameters(t *testing.T) {
	k := onReal(t, kernel.Dial)
	before, run := k.settings(), begin(t, k)
	parameters := map[string]string{"sync_ports": "3", "conn_reuse_mode": "0", "nosuch": "1"}
	s := state{config: &config.Config{Digest: "some"}}
	s.config.Director.IPVS.Parameters, s.config.Director.IPVS.Timeouts.UDP = parameters, 77*time.Second
	compare := func(when string, changed map[machine.Setting]string, faults map[string]uint64) {
		t.Helper()
		want := maps.Clone(before)
		maps.Copy(want, changed)
		if diff := cmp.Diff(want, k.settings()); diff != "" {
			t.Errorf("%s: the settings (-want +got)\n%s", when, diff)
		}
		if diff := cmp.Diff(faults, run.core.Status(run.now, director.Edges{}).SettingFaults); diff != "" {
			t.Errorf("%s: the faults (-want +got)\n%s", when, diff)
		}
	}
	netnstest.Run(t, "mount --bind /proc/sys/net/ipv4/vs /proc/sys/net/ipv4/vs")
	mounted := true
	t.Cleanup(func() {
		if mounted {
			netnstest.Run(t, "umount /proc/sys/net/ipv4/vs")
		}
	})
	netnstest.Run(t, "mount -o remount,bind,ro /proc/sys/net/ipv4/vs")
	run.want(s)
	timeout := map[machine.Setting]string{machine.TimeoutUDP: "77"}
	compare("they are read-only", timeout, map[string]uint64{"EROFS": 2})
	netnstest.Run(t, "umount /proc/sys/net/ipv4/vs")
	mounted = false
	run.look()
	timeout[machine.IPVS("conn_reuse_mode")] = "0"
	compare("they can be written", timeout, map[string]uint64{"EROFS": 2, "EINVAL": 1})
	run.finish()
	compare("at the end", nil, map[string]uint64{"EROFS": 2, "EINVAL": 1})
}
