package integration

import (
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// inject sends a VRRP packet from director i to an address, with a TTL.
func (p *pair) inject(i int, to netip.Addr, ttl int, packet []byte) {
	p.t.Helper()
	p.must(p.Directors[i].In(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, vrrp.Protocol)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		for _, o := range []struct{ option, value int }{{unix.IP_TTL, ttl}, {unix.IP_MULTICAST_TTL, ttl}} {
			if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, o.option, o.value); err != nil {
				return err
			}
		}
		if err := unix.BindToDevice(fd, "eth0"); err != nil {
			return err
		}
		return unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: to.As4()})
	}))
}

// TestGarbageIsCountedByReasonAndChangesNothing sends to the Master what no
// honest peer would.
func TestGarbageIsCountedByReasonAndChangesNothing(t *testing.T) {
	peer := netip.MustParseAddr("10.13.0.16")
	rude := vrrp.Advert{Version: 3, VRID: 51, Priority: 254, Interval: interval, Addresses: []netip.Addr{cluster.VIP}}
	good := func(to netip.Addr) []byte { return rude.Append(nil, peer, to) }
	edit := func(i int, b byte) []byte {
		packet := good(vrrp.Group4)
		packet[i] = b
		return packet
	}
	self := netip.MustParseAddr("10.13.0.15")
	unicast := strings.Replace(outside, "advert_interval", "peers           = [\"10.13.0.99\"]\n  advert_interval", 1)
	for _, tt := range []struct {
		name    string
		config  string
		packets []garbage
	}{
		{"multicast", outside, []garbage{
			{"short", vrrp.Group4, 255, good(vrrp.Group4)[:7], vrrp.ReasonLength},
			{"without the address that it counts", vrrp.Group4, 255, good(vrrp.Group4)[:8], vrrp.ReasonLength},
			{"long", vrrp.Group4, 255, append(good(vrrp.Group4), make([]byte, 1200)...), vrrp.ReasonLength},
			{"of another version", vrrp.Group4, 255, edit(0, 0x41), vrrp.ReasonVersion},
			{"of another type", vrrp.Group4, 255, edit(0, 0x32), vrrp.ReasonType},
			{"with a wrong checksum", vrrp.Group4, 255, edit(6, 0xaa), vrrp.ReasonChecksum},
			{"from afar: TTL 254", vrrp.Group4, 254, good(vrrp.Group4), vrrp.ReasonTTL},
		}},
		{"unicast", unicast, []garbage{
			{"not a peer", self, 255, good(self), vrrp.ReasonNotPeer},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"director.hcl": tt.config})
			p.start(0)
			p.waitHolder(0, cluster.VIP)
			p.testGarbage(t, tt.packets)
		})
	}
}

// garbage is a packet that must not be accepted, and why.
type garbage struct {
	name   string
	to     netip.Addr
	ttl    int
	packet []byte
	reason vrrp.Reason
}

// testGarbage sends each packet ten times, and looks once: asking the daemon
// takes the lab long.
func (p *pair) testGarbage(t *testing.T, packets []garbage) {
	want := map[string]uint64{}
	for _, g := range packets {
		for range 10 {
			p.inject(1, g.to, g.ttl, g.packet)
		}
		want[string(g.reason)] += 10
		t.Logf("sent: %s", g.name)
	}
	p.until("all to be counted", func() (bool, error) {
		s, err := p.status(0)
		sum := uint64(0)
		if err == nil {
			for _, n := range s.Routers[0].Counters.Discarded {
				sum += n
			}
		}
		return sum >= uint64(10*len(packets)), err
	})
	time.Sleep(3 * interval)
	s := p.mustStatus(0)
	discarded := maps.Clone(s.Routers[0].Counters.Discarded)
	maps.DeleteFunc(discarded, func(_ string, n uint64) bool { return n == 0 })
	if diff := cmp.Diff(want, discarded); diff != "" {
		t.Errorf("discarded packets by reason (-want +got):\n%s", diff)
	}
	if s.Routers[0].State != api.Master || s.Keeper.Restarts > 0 {
		t.Errorf("the router is %v, the keeper was restarted %d times; want Master and none", s.Routers[0].State, s.Keeper.Restarts)
	}
}
