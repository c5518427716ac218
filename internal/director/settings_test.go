package director

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
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
	c.Director.IPVS.ExpireNodest = true
	s := tellOf(t, c)
	set := SetSetting{machine.ExpireNodest, "1"}
	s.lines = nil
	s.handle(nodest(""))
	s.want("the kernel has no IPVS yet")
	s.handle(nodest("0"))
	s.want("it has", "set net.ipv4.vs.expire_nodest_conn=1")
	s.log.Reset()
	s.handle(SettingSet{set, nil})
	s.wantLog("it was set", `level=INFO msg="parameter of the kernel set" event=setting-changed setting=net.ipv4.vs.expire_nodest_conn value=1 before=0`)
	s.lines = nil
	s.handle(nodest("1"))
	s.want("it stays")
	s.handle(nodest("0"))
	s.want("somebody changed it", "set net.ipv4.vs.expire_nodest_conn=1")
}

func TestAParameterOfTheKernelThatCannotBeSetIsAFinding(t *testing.T) {
	c := &config.Config{Services: []config.Service{dns()}}
	c.Director.IPVS.ExpireNodest = true
	s := tellOf(t, c)
	set := SetSetting{machine.ExpireNodest, "1"}
	s.handle(nodest("0"))
	s.log.Reset()
	s.handle(SettingSet{set, errors.New("open /proc/sys/net/ipv4/vs/expire_nodest_conn: read-only file system")})
	s.wantLog("it was refused", `level=WARN msg="the kernel's parameter net.ipv4.vs.expire_nodest_conn is 0 and cannot be set to 1: `+
		`open /proc/sys/net/ipv4/vs/expire_nodest_conn: read-only file system" event=setting-refused `+
		`remedy="set net.ipv4.vs.expire_nodest_conn=1 by other means (sysctl -w, on the host if this is a container), or let lvsd write below /proc/sys"`)
	if !s.has("setting-refused") || s.has("udp-clients-stay") {
		t.Error("the status says it wrongly")
	}
	s.lines = nil
	s.handle(nodest("0"))
	s.want("it is tried again", "set net.ipv4.vs.expire_nodest_conn=1")
	s.handle(SettingSet{set, errors.New("read-only file system")})
	s.wantLog("it is known")
	s.handle(nodest("1"))
	if s.has("setting-refused") {
		t.Error("somebody else has set it, and it is a finding")
	}
}
