package host_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"net/netip"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/internal/realserver"
	"github.com/lvsd/lvsd/internal/realserver/host"
	"github.com/lvsd/lvsd/ipvsctl"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

// memory outlives no process.
type memory struct{ realserver.Memory }

func (m *memory) Load() (realserver.Memory, error) { return m.Memory, nil }
func (m *memory) Save(to realserver.Memory) error  { m.Memory = to; return nil }

// arranged is what the kernel says of all that direct routing needs.
func arranged(t *testing.T) string {
	t.Helper()
	text := netnstest.Run(t, "ip -o address show dev lo")
	for _, name := range []string{"arp_ignore", "arp_announce"} {
		value, err := os.ReadFile("/proc/sys/net/ipv4/conf/all/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text += name + " " + string(value)
	}
	return text
}

// directRouting is a configuration in which this machine, which has 192.168.1.4, is
// a real server for a virtual address of each family.
func directRouting(t *testing.T) *realserver.Cluster {
	t.Helper()
	netnstest.Run(t, "ip link set lo up")
	netnstest.Run(t, "ip link add eth0 type veth peer name wire0")
	t.Cleanup(func() { netnstest.Run(t, "ip link del eth0") })
	netnstest.Run(t, "ip address add 192.168.1.4/24 dev eth0")
	c := &realserver.Cluster{Config: new(config.Config)}
	for _, virtual := range []string{"10.13.0.200", "2001:db8::200"} {
		c.Services = append(c.Services, config.Service{
			Name: virtual, Key: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr(virtual), Port: 80},
			Servers: []config.Server{{Key: ipvsctl.DestinationKey{Addr: netip.MustParseAddr("192.168.1.4"), Port: 80}, Destination: ipvsctl.Destination{Forward: ipvsctl.Direct}}},
		})
	}
	return c
}

func TestDirectRouting(t *testing.T) {
	c, m := directRouting(t), &memory{}
	before := arranged(t)
	if _, r := realserver.Check(host.Host{}, m, c); r.Err != nil || len(r.Left) != 4 {
		t.Fatalf("wrong are %v: %v", r.Left, r.Err)
	}
	if after := arranged(t); after != before {
		t.Fatalf("a check has changed the machine:\n%s", after)
	}
	if _, r := realserver.Pass(host.Host{}, m, c); r.Err != nil || len(r.Done) != 4 {
		t.Fatalf("done are %v: %v", r.Done, r.Err)
	}
	during := arranged(t)
	for _, word := range []string{"inet 10.13.0.200/32 scope host lo", "inet6 2001:db8::200/128", "arp_ignore 1", "arp_announce 2"} {
		if !strings.Contains(during, word) {
			t.Errorf("there is no %q:\n%s", word, during)
		}
	}
	if _, r := realserver.Pass(host.Host{}, m, c); r.Err != nil || len(r.Done) > 0 {
		t.Errorf("a second pass has done %v: %v", r.Done, r.Err)
	}
	if _, r := realserver.Pass(host.Host{}, m, nil); r.Err != nil {
		t.Error(r.Err)
	}
	if after := arranged(t); after != before {
		t.Errorf("the machine is not as it was:\n%s\nbefore:\n%s", after, before)
	}
}

// TestWhatSomebodyRemovesComesBack has the kernel tell of it.
func TestWhatSomebodyRemovesComesBack(t *testing.T) {
	c, m := directRouting(t), &memory{}
	ctx, cancel := context.WithCancel(t.Context())
	changes, err := machine.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	told, ended := make(chan realserver.Result, 10), make(chan struct{})
	go func() {
		defer close(ended)
		realserver.Watch(ctx, host.Host{}, m, c, changes, nil, func(_ realserver.Role, r realserver.Result) { told <- r })
	}()
	next := func(what string, changes int) {
		t.Helper()
		select {
		case r := <-told:
			if r.Err != nil || len(r.Done) != changes {
				t.Errorf("%s: done are %v: %v", what, r.Done, r.Err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: nothing was done", what)
		}
	}
	next("at the start", 4)
	netnstest.Run(t, "ip address del 10.13.0.200/32 dev lo")
	next("an address was removed", 1)
	if !strings.Contains(arranged(t), "10.13.0.200/32") {
		t.Error("it is not back")
	}
	cancel()
	<-ended
	if _, r := realserver.Pass(host.Host{}, m, nil); r.Err != nil || len(r.Done) != 4 {
		t.Errorf("given back are %v: %v", r.Done, r.Err)
	}
}

// TestAKernelWithoutTheTunnelSaysWhatToLoad, or makes the device.
func TestAKernelWithoutTheTunnelSaysWhatToLoad(t *testing.T) {
	end := realserver.DeviceNamed("tunl0")
	err := host.Host{}.Set(end, realserver.Up)
	if err != nil {
		if !strings.Contains(err.Error(), "modprobe ipip") {
			t.Errorf("it says %v", err)
		}
		return
	}
	f, err := host.Host{}.Look(nil)
	if err != nil || f.Parts[end] != realserver.Up {
		t.Errorf("it is %q: %v", f.Parts[end], err)
	}
}
