package host_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/doctor"
	"github.com/lvsd/lvsd/internal/doctor/host"
	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

var virtual = netip.MustParseAddr("10.13.0.200")

// byNAT is a director by NAT with one real server, and its clients on the same interface.
func byNAT(t *testing.T) (*config.Config, *netnstest.Host) {
	peer := netnstest.NewHost(t)
	netnstest.Run(t, "ip link set lo up")
	netnstest.Run(t, "ip link add br0 type bridge")
	t.Cleanup(func() { netnstest.Run(t, "ip link del br0") })
	netnstest.Run(t, "ip link add eth0 netns "+peer.PID+" type veth peer name wire0")
	t.Cleanup(func() { netnstest.Run(t, "ip link del wire0") }) // The other namespace ends some time later.
	netnstest.Run(t, "ip link set wire0 master br0 up")
	netnstest.Run(t, "ip link set br0 up")
	netnstest.Run(t, "ip address add 192.168.1.15/24 dev br0")
	peer.Run("ip address add 192.168.1.4/24 dev eth0")
	peer.Run("ip link set eth0 up")
	return &config.Config{
		Director: config.Director{Sync: config.ConnectionSync{Router: "outside"}},
		Routers:  []vrrp.Config{{Name: "outside", Interface: "br0", VRID: 51, Version: 3, Addresses: []netip.Prefix{netip.PrefixFrom(virtual, 24)}}},
		Services: []config.Service{{
			Name: "web", Key: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: virtual, Port: 80}, Service: ipvsctl.Service{Scheduler: "wlc"},
			Servers: []config.Server{{Key: ipvsctl.DestinationKey{Addr: netip.MustParseAddr("192.168.1.4"), Port: 80}}},
		}},
	}, peer
}

// look examines this namespace by one examination.
func look(t *testing.T, c *config.Config, code string) doctor.Result {
	t.Helper()
	f, err := host.Look(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if code == "address-answered" {
		if macs, err := link.WhoHas("br0", virtual, 200*time.Millisecond); err == nil {
			f.Heard[virtual] = macs
		}
	}
	return examination(t, code).Look(&doctor.Case{Facts: f, Config: c, Director: true})
}

// examination returns one by its code.
func examination(t *testing.T, code string) *doctor.Examination {
	t.Helper()
	i := slices.IndexFunc(doctor.Examinations, func(e doctor.Examination) bool { return e.Code == code })
	if i < 0 {
		t.Fatalf("there is no examination %q", code)
	}
	return &doctor.Examinations[i]
}

// Each of these is broken on a real kernel, seen, and mended by what --fix does or what was told.
func TestWhatIsBrokenIsSeenAndMended(t *testing.T) {
	c, peer := byNAT(t)
	const filter = `table inet filter { chain input { type filter hook input priority 0; policy drop; ct state established,related accept; iifname "lo" accept; tcp dport 22 accept; }; }`
	set := func(path, value string) {
		t.Helper()
		if err := os.WriteFile("/proc/sys/net/ipv4/"+path, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	nft := func(text string) {
		t.Helper()
		path := t.TempDir() + "/rules.nft"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		netnstest.Run(t, "nft -f "+path)
	}
	t.Cleanup(func() { nft("delete table inet filter") })
	for _, tt := range []struct {
		code          string
		breaks, mends func() // no mends: by the fixes
	}{
		{"forwarding-off", func() { set("ip_forward", "0") }, nil},
		{"redirects", func() { set("conf/all/send_redirects", "1"); set("conf/br0/send_redirects", "1") }, nil},
		{"interface", func() { c.Routers[0].Interface = "brO" }, func() { c.Routers[0].Interface = "br0" }},
		{"ways", func() { netnstest.Run(t, "ip address del 192.168.1.15/24 dev br0") }, func() { netnstest.Run(t, "ip address add 192.168.1.15/24 dev br0") }},
		{"adverts-filtered", func() { nft(filter) }, func() { nft("insert rule inet filter input meta l4proto vrrp accept") }},
		{"sync-filtered", func() {}, func() { nft("insert rule inet filter input udp dport 8848 accept") }},
		{"address-elsewhere", func() { netnstest.Run(t, "ip address add 10.13.0.200/32 dev lo") }, func() { netnstest.Run(t, "ip address del 10.13.0.200/32 dev lo") }},
		{"second-daemon", func() { // kube-proxy itself is not in Debian: this is its sign
			netnstest.Run(t, "ip link add kube-ipvs0 type bridge")
		}, func() { netnstest.Run(t, "ip link del kube-ipvs0") }},
		{"address-answered", func() {
			netnstest.Run(t, "ip address add 10.13.0.200/24 dev br0")
			peer.Run("ip address add 10.13.0.200/32 dev lo")
		}, func() { peer.Run("ip address del 10.13.0.200/32 dev lo") }},
	} {
		t.Run(tt.code, func(t *testing.T) {
			tt.breaks()
			r := look(t, c, tt.code)
			if r.Judgement != api.Wrong {
				t.Fatalf("broken, it is %s %q", r.Judgement, r.Why)
			}
			if tt.mends != nil {
				tt.mends()
			}
			for _, f := range r.Fixes() {
				if err := f.Setting.Set(f.Value); err != nil {
					t.Fatal(err)
				}
			}
			if r := look(t, c, tt.code); r.Judgement != api.Fine {
				t.Errorf("mended, it is %s %q %+v", r.Judgement, r.Why, r.Wrongs)
			}
		})
	}
}

// Another daemon that runs in this network namespace is seen, and none that runs elsewhere.
func TestASecondDaemonIsSeen(t *testing.T) {
	c, peer := byNAT(t)
	path := t.TempDir() + "/keepalived"
	netnstest.Run(t, "cp /bin/sleep "+path)
	if r := look(t, c, "second-daemon"); r.Judgement != api.Fine {
		t.Fatalf("nothing runs, but: %+v", r.Wrongs)
	}
	start(t, "nsenter", "-t", peer.PID, "-n", path, "60")
	if r := look(t, c, "second-daemon"); r.Judgement != api.Fine {
		t.Errorf("one runs elsewhere, but: %+v", r.Wrongs)
	}
	start(t, path, "60")
	if r := look(t, c, "second-daemon"); r.Judgement != api.Wrong || !strings.Contains(r.Wrongs[0].Text, "keepalived runs") {
		t.Errorf("it is not seen: %s %+v", r.Judgement, r.Wrongs)
	}
}

// start starts a program, until the test ends, and waits until it has its name.
func start(t *testing.T, words ...string) {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 1000 {
		if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid)); string(name) == "keepalived\n" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%v has not started", words)
}
