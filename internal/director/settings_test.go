package director

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// dns is a service over UDP.
func dns() config.Service {
	s := checked()
	s.Name, s.Key.Protocol, s.Key.Port = "dns", ipvsctl.UDP, 53
	return s
}

// nodest is a look at a machine whose kernel has this value of the parameter;
// empty: it has no IPVS.
func nodest(value string) MachineSeen {
	m := machine.Facts{Addresses: []netip.Prefix{netip.PrefixFrom(lvs1, 24)}, Forward4: true, Settings: map[machine.Setting]string{}}
	if value != "" {
		m.Settings[machine.ExpireNodest] = value
	}
	return MachineSeen{Facts: m}
}

func TestUDPClientsOfAServerThatLeavesGetNoAnswerIsAFinding(t *testing.T) {
	onePacket, marked := dns(), dns()
	onePacket.Service.Flags |= ipvsctl.OnePacket
	marked.Key = ipvsctl.ServiceKey{Mark: 7}
	for _, tt := range []struct {
		name    string
		service config.Service
		value   string
		found   bool
	}{
		{"a UDP service, and the kernel keeps connections", dns(), "0", true},
		{"it does not keep them", dns(), "1", false},
		{"it has no IPVS yet", dns(), "", false},
		{"each packet is scheduled anew", onePacket, "0", false},
		{"TCP clients open another connection", checked(), "0", false},
		{"nobody knows what a mark stands for", marked, "0", false},
	} {
		s := tellOf(t, &config.Config{Services: []config.Service{tt.service}})
		s.handle(nodest(tt.value))
		if found := s.has("udp-clients-stay"); found != tt.found {
			t.Errorf("%s: found %v, want %v", tt.name, found, tt.found)
		}
	}
}

// has reports whether the status has a finding.
func (s *story) has(code string) bool {
	for _, f := range s.core.Status(s.now, Edges{}).Findings {
		if f.Code == code {
			return f.Severity == api.Warning && f.Remedy != ""
		}
	}
	return false
}

func TestAParameterOfTheKernelIsSetAndKept(t *testing.T) {
	c := &config.Config{Services: []config.Service{dns()}}
	c.Director.IPVS.Parameters = map[string]string{"expire_nodest_conn": "1"}
	s := tellOf(t, c)
	s.lines = nil
	s.handle(nodest(""))
	s.want("the kernel has no IPVS yet")
	s.handle(nodest("0"))
	s.want("it has", "set net.ipv4.vs.expire_nodest_conn=1")
	s.log.Reset()
	s.adjusted(nil)
	s.wantLog("it was set", `level=INFO msg="parameter of the kernel set" event=setting-changed setting=net.ipv4.vs.expire_nodest_conn value=1 before=0`)
	s.lines = nil
	s.handle(nodest("1"))
	s.want("it stays")
	s.handle(nodest("0"))
	s.want("somebody changed it", "set net.ipv4.vs.expire_nodest_conn=1")
}

func TestAParameterOfTheKernelThatCannotBeSetIsAFinding(t *testing.T) {
	c := &config.Config{Services: []config.Service{dns()}}
	c.Director.IPVS.Parameters = map[string]string{"expire_nodest_conn": "1"}
	s := tellOf(t, c)
	s.handle(nodest("0"))
	s.log.Reset()
	s.adjusted(errors.New("open /proc/sys/net/ipv4/vs/expire_nodest_conn: read-only file system"))
	s.wantLog("it was refused", `level=WARN msg="the kernel's parameter net.ipv4.vs.expire_nodest_conn is 0 and cannot be set to 1: `+
		`open /proc/sys/net/ipv4/vs/expire_nodest_conn: read-only file system" event=setting-refused `+
		`remedy="set net.ipv4.vs.expire_nodest_conn=1 by other means (sysctl -w, on the host if this is a container), or let lvsd write below /proc/sys"`)
	if !s.has("setting-refused") || s.has("udp-clients-stay") {
		t.Error("the status says it wrongly")
	}
	s.lines = nil
	s.handle(nodest("0"))
	s.want("it is tried again", "set net.ipv4.vs.expire_nodest_conn=1")
	s.adjusted(errors.New("read-only file system"))
	s.wantLog("it is known")
	s.handle(nodest("1"))
	if s.has("setting-refused") {
		t.Error("somebody else has set it, and it is a finding")
	}
}

// vs is a look at a machine whose kernel has these parameters of IPVS.
func vs(parameters map[string]string) MachineSeen {
	seen := nodest("")
	for name, value := range parameters {
		seen.Facts.Settings[machine.IPVS(name)] = value
	}
	return seen
}

// wanting has parameters in its ipvs block.
func wanting(parameters map[string]string) *config.Config {
	c := &config.Config{Services: []config.Service{checked()}}
	c.Director.IPVS.Parameters = parameters
	return c
}

func TestParametersOfIPVSGetTheirValuesBack(t *testing.T) {
	s := tellOf(t, wanting(map[string]string{"conn_reuse_mode": "0", "sync_threshold": "0 50"}))
	s.lines = nil
	s.handle(vs(map[string]string{"conn_reuse_mode": "1", "sync_threshold": "3 50"}))
	s.want("both are set", "set net.ipv4.vs.conn_reuse_mode=0", "set net.ipv4.vs.sync_threshold=0 50")
	before := map[machine.Setting]string{machine.IPVS("conn_reuse_mode"): "1", machine.IPVS("sync_threshold"): "3 50"}
	if diff := cmp.Diff(before, s.tune.Before); diff != "" {
		t.Errorf("what they were is kept (-want +got):\n%s", diff)
	}
	s.adjusted(nil)
	s.core.configure(s.now, Loaded{Config: wanting(map[string]string{"sync_threshold": "0 50"})})
	s.write(s.core.act(s.now))
	s.lines = nil
	s.handle(vs(map[string]string{"conn_reuse_mode": "0", "sync_threshold": "0 50"}))
	s.want("a reload takes one out", "set net.ipv4.vs.conn_reuse_mode=1")
	s.adjusted(nil)
	for _, e := range s.core.Handle(s.now, Stop{}) {
		if h, ok := e.(HandOver); ok {
			if diff := cmp.Diff(map[machine.Setting]string{machine.IPVS("sync_threshold"): "3 50"}, h.Restore); diff != "" {
				t.Errorf("at the end (-want +got):\n%s", diff)
			}
		}
	}
}

// A process that was killed gives nothing back; the next one knows of it.
func TestParametersThatAnEarlierProcessSetGetTheirValuesBack(t *testing.T) {
	s := tellOf(t, wanting(nil))
	s.core.tuned = map[machine.Setting]string{machine.IPVS("conn_reuse_mode"): "1"}
	s.core.saved = s.core.tuned
	s.lines = nil
	s.handle(vs(map[string]string{"conn_reuse_mode": "0"}))
	s.want("nobody wants it changed now", "set net.ipv4.vs.conn_reuse_mode=1")
}

func TestTheKernelChangesDefencesItself(t *testing.T) {
	s := tellOf(t, wanting(map[string]string{"drop_entry": "1"}))
	s.lines = nil
	s.handle(vs(map[string]string{"drop_entry": "2"}))
	s.want("memory is short: the kernel has made 2 of 1")
	s.handle(vs(map[string]string{"drop_entry": "3"}))
	s.want("somebody has set it", "set net.ipv4.vs.drop_entry=1")
}

func TestAParameterThatTheKernelDoesNotHaveIsAFinding(t *testing.T) {
	s := tellOf(t, wanting(map[string]string{"est_nice": "5"}))
	s.handle(nodest(""))
	if s.has("setting-missing") {
		t.Error("a kernel without IPVS has none yet")
	}
	s.handle(nodest("0"))
	if !s.has("setting-missing") {
		t.Error("it is no finding")
	}
}

func TestWhatParametersWereCannotBeKept(t *testing.T) {
	s := tellOf(t, wanting(map[string]string{"est_nice": "5"}))
	s.handle(vs(map[string]string{"est_nice": "0"}))
	s.log.Reset()
	for range 2 {
		s.handle(Tuned{Tune: s.tune, Unsaved: errors.New("read-only file system")})
		s.handle(vs(map[string]string{"est_nice": "5"}))
	}
	if got := strings.Count(s.log.String(), "event=settings-unsaved"); got != 1 {
		t.Errorf("it is told %d times:\n%s", got, s.log.String())
	}
}

// synced is a cluster whose kernel tells of connections, by NAT or directly.
func synced(forward ipvsctl.Forward) *config.Config {
	web := checked()
	web.Servers[0].Destination.Forward = forward
	c := &config.Config{Services: []config.Service{web}, Routers: []vrrp.Config{{Name: "outside"}}}
	c.Director.Sync = config.ConnectionSync{Router: "outside", Interface: "eth1", ID: 7, Group: netip.MustParseAddr("224.0.0.81"), Port: 8848, TTL: 1}
	return c
}

// daemons is a look at a kernel with these sync daemons.
func daemons(master, backup string) MachineSeen {
	seen := nodest("0")
	seen.Facts.Settings[machine.SyncMaster], seen.Facts.Settings[machine.SyncBackup] = master, backup
	return seen
}

const asConfigured = "eth1 id=7 group=224.0.0.81 port=8848 ttl=1"

func TestSyncDaemonsFollowTheRoleOfTheirRouter(t *testing.T) {
	s := tellOf(t, synced(ipvsctl.NAT))
	s.lines = nil
	s.handle(daemons("", ""))
	s.want("a Backup listens", "set ipvs.sync.backup="+asConfigured)
	s.adjusted(nil)
	s.handle(daemons("", asConfigured+" length=1472"))
	s.lines = nil
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master}})
	s.want("a Master tells", "set ipvs.sync.backup=", "set ipvs.sync.master="+asConfigured, "table: 192.168.1.4:80=3")
	s.lines = nil
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
	s.want("it is a Backup again while that is being done", "table: 192.168.1.4:80=3")
	s.lines = nil
	s.adjusted(nil)
	s.want("and then, too", "info setting-changed ipvs.sync.backup", "info setting-changed ipvs.sync.master", "set ipvs.sync.backup="+asConfigured, "set ipvs.sync.master=")
	s.adjusted(nil)
	s.lines = nil
	s.handle(daemons("eth9 id=1", asConfigured+" length=1472"))
	s.want("somebody else has started one", "set ipvs.sync.master=")
	s.adjusted(nil)
	for _, e := range s.core.Handle(s.now, Stop{}) {
		if h, ok := e.(HandOver); ok {
			if diff := cmp.Diff(map[machine.Setting]string{machine.SyncMaster: "eth9 id=1", machine.SyncBackup: ""}, h.Restore); diff != "" {
				t.Errorf("at the end (-want +got):\n%s", diff)
			}
		}
	}
}

func TestASyncDaemonThatCannotRunIsAFinding(t *testing.T) {
	s := tellOf(t, synced(ipvsctl.NAT))
	s.handle(daemons("", ""))
	s.adjusted(errors.New("starting the sync daemon as backup: there is no interface \"eth1\""))
	if !s.has("sync-daemon-refused") {
		t.Error("it is no finding")
	}
}

func TestTimeoutsOfConnections(t *testing.T) {
	c := wanting(nil)
	c.Director.IPVS.Timeouts.UDP = 90 * time.Second
	s := tellOf(t, c)
	s.lines = nil
	seen := nodest("0")
	seen.Facts.Settings[machine.TimeoutUDP] = "300"
	s.handle(seen)
	s.want("it is set", "set ipvs.timeout.udp=90")
}

// Of a list of processors the kernel shows another form, and of the longest message its own
// bounds: neither is set again and again.
func TestWhatTheKernelWritesOtherwiseIsObeyed(t *testing.T) {
	for _, tt := range []struct {
		setting    machine.Setting
		is, wanted string
		obeyed     bool
	}{
		{machine.IPVS("est_cpulist"), "0-1,3", "0,1,3", true},
		{machine.IPVS("est_cpulist"), "0-1,3", "0-3", false},
		{machine.IPVS("est_cpulist"), "", "0", false},
		{machine.SyncMaster, asConfigured + " length=1472", asConfigured, true},
		{machine.SyncMaster, asConfigured + "0 length=1472", asConfigured, false},
		{machine.SyncMaster, "", asConfigured, false},
		{machine.SyncMaster, asConfigured + " length=1472", "", false},
	} {
		if got := obeyed(tt.setting, tt.is, tt.wanted); got != tt.obeyed {
			t.Errorf("%s is %q, and %q is wanted: obeyed is %v", tt.setting, tt.is, tt.wanted, got)
		}
	}
	six := netip.MustParseAddr("ff02::81")
	for _, tt := range []struct {
		role  ipvsctl.SyncRole
		asked int
		mtu   int
		group netip.Addr
		want  uint16
	}{
		{ipvsctl.SyncMaster, 0, 1500, netip.Addr{}, 1472},
		{ipvsctl.SyncMaster, 0, 9000, netip.Addr{}, 1472},
		{ipvsctl.SyncMaster, 0, 1400, six, 1352},
		{ipvsctl.SyncBackup, 0, 1400, netip.Addr{}, 1472},
		{ipvsctl.SyncBackup, 0, 9000, six, 8952},
		{ipvsctl.SyncBackup, 0, 65536, netip.Addr{}, 65507},
		{ipvsctl.SyncMaster, 1, 1500, netip.Addr{}, 1},
		{ipvsctl.SyncBackup, 1, 1500, netip.Addr{}, 1024},
		{ipvsctl.SyncBackup, 65507, 1500, six, 65487},
	} {
		if got := longestMessage(config.ConnectionSync{MaxLength: tt.asked, Group: tt.group}, tt.role, tt.mtu); got != tt.want {
			t.Errorf("%v, asked for %d, MTU %d, group %v: %d, want %d", tt.role, tt.asked, tt.mtu, tt.group, got, tt.want)
		}
	}
}

// What is refused at the end is known to the next process, but for what is gone.
func TestSettingsThatCannotBeGivenBackAreLeftToTheNextProcess(t *testing.T) {
	reuse, gone, kept := machine.IPVS("conn_reuse_mode"), machine.RPFilter("eth9"), machine.IPVS("conntrack")
	var tunes []Tune
	d := &Director{o: Options{Tune: func(values, before map[machine.Setting]string) (map[machine.Setting]error, error) {
		tunes = append(tunes, Tune{values, before})
		refused := map[machine.Setting]error{}
		for s := range values {
			refused[s] = map[machine.Setting]error{reuse: syscall.EROFS, gone: fs.ErrNotExist}[s]
			if refused[s] == nil {
				delete(refused, s)
			}
		}
		return refused, nil
	}}}
	restore := map[machine.Setting]string{reuse: "1", gone: "2", machine.TimeoutUDP: "300"}
	d.giveBack(HandOver{Restore: restore, Kept: map[machine.Setting]string{kept: "0"}})
	want := []Tune{
		{restore, map[machine.Setting]string{reuse: "1", gone: "2", machine.TimeoutUDP: "300", kept: "0"}},
		{nil, map[machine.Setting]string{reuse: "1", kept: "0"}},
	}
	if diff := cmp.Diff(want, tunes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
