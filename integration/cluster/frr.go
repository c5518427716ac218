package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// FRR is Debian's FRR, with its vrrpd. The addresses are always on its device, which
// zebra takes the carrier from while the director is Backup.
type FRR struct{}

var _ Router = FRR{}

// FRRPath is the program of FRR's that speaks VRRP.
const FRRPath = "/usr/lib/frr/vrrpd"

// macvlan makes FRR's device once: the family is $0, the MAC $1 and the address $2. Its
// own address of IPv6 must not come from the MAC, which both directors have. With
// addrgenmode in the first line, as FRR's manual has it, Linux 6.18 refuses that. It has
// no carrier until zebra gives it one, or this director would hold the address for as long
// as vrrpd takes to start.
const macvlan = `[ ! -e /sys/class/net/vrrp$0-eth0 ] || exit 0
ip link add vrrp$0-eth0 link eth0 type macvlan mode bridge
ip link set vrrp$0-eth0 addrgenmode random
ip link set vrrp$0-eth0 address $1
[ $0 = 4 ] || nodad=nodad
ip address add $2 dev vrrp$0-eth0 $nodad
ip link set vrrp$0-eth0 up protodown on
sysctl -qw net.ipv4.conf.all.arp_ignore=1
install -d -o frr -g frr /run/frr
touch /run/frr/zebra.conf`

// Configure makes the device and writes vrrpd.conf.
func (f FRR) Configure(h *Host, s Setup) error {
	vip, family, mac, word := s.Addresses[0], "4", "00:00:5e:00:01:33", "ip"
	if vip.Addr().Is6() {
		family, mac, word = "6", "00:00:5e:00:02:33", "ipv6"
	}
	_, err := h.Run(context.Background(), "sh", "-ec", macvlan, family, mac, vip.String())
	if err != nil {
		return fmt.Errorf("configuring FRR for %s: %w", h.Name, err)
	}
	var b strings.Builder
	b.WriteString("interface eth0\n")
	for _, line := range []string{
		fmt.Sprintf("version %d", s.Version),
		fmt.Sprintf("priority %d", s.Priority[h.Name]),
		fmt.Sprintf("advertisement-interval %d", s.Advert.Milliseconds()),
		fmt.Sprintf("%s %s", word, vip.Addr()),
	} {
		fmt.Fprintf(&b, " vrrp 51 %s\n", line)
	}
	if s.NoPreempt {
		b.WriteString(" no vrrp 51 preempt\n")
	}
	return h.do(func() error { return os.WriteFile("/run/frr/vrrpd.conf", []byte(b.String()), 0o644) })
}

// Start starts vrrpd, and before it zebra, which stays.
func (f FRR) Start(h *Host) (*Process, error) {
	listens := func() (bool, error) {
		err := h.do(func() error { _, err := os.Stat("/run/frr/zserv.api"); return err })
		return err == nil, nil
	}
	if ok, _ := listens(); !ok {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := f.start(h, "zebra"); err != nil {
			return nil, err
		}
		if err := Until(ctx, "zebra on "+h.Name, listens); err != nil {
			return nil, err
		}
	}
	return f.start(h, "vrrpd")
}

func (FRR) start(h *Host, name string) (*Process, error) {
	return h.Start(name, append(promptly, "/usr/lib/frr/"+name, "--log", "stdout", "-P", "0", "-f", "/run/frr/"+name+".conf")...)
}
