package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

// The addresses that move between the directors.
var (
	VIP      = netip.MustParseAddr("10.13.0.200")
	VIP6     = netip.MustParseAddr("2001:db8:13::200")
	Gateways = []netip.Addr{
		netip.MustParseAddr("192.168.1.254"), netip.MustParseAddr("192.168.2.254"),
		netip.MustParseAddr("2001:db8:1::254"), netip.MustParseAddr("2001:db8:2::254"),
	}
)

// A Cluster is a client, two directors and their real servers, wired up and
// without any daemon.
type Cluster struct {
	// Dir is a folder of the cluster's own, seen at the same path by all
	// hosts. It is removed by Close.
	Dir       string
	Client    *Host
	Directors []*Host // lvs1, lvs2
	Servers   []*Host // web1, web2, web3
	wire      *Host
}

// A place is a host's name, its cables and its addresses.
type place struct {
	name   string
	cables []cable
	// gateways are the default routes.
	gateways []string
}

type cable struct {
	iface, bridge string
	addresses     []string
}

var places = []place{
	{name: "client", cables: []cable{
		{"eth0", "outside", []string{"10.13.0.100/24", "2001:db8:13::100/64"}}}},
	director("lvs1", "15"),
	director("lvs2", "16"),
	server("web1", "1", "4"),
	server("web2", "1", "5"),
	server("web3", "2", "2"),
}

func director(name, host string) place {
	return place{name: name, cables: []cable{
		{"eth0", "outside", []string{"10.13.0." + host + "/24", "2001:db8:13::" + host + "/64"}},
		{"eth1", "inside", []string{
			"192.168.1." + host + "/24", "192.168.2." + host + "/24",
			"2001:db8:1::" + host + "/64", "2001:db8:2::" + host + "/64"}},
	}}
}

func server(name, network, host string) place {
	return place{
		name: name,
		cables: []cable{
			{"eth0", "inside", []string{"192.168." + network + "." + host + "/24", "2001:db8:" + network + "::" + host + "/64"}}},
		gateways: []string{"192.168." + network + ".254", "2001:db8:" + network + "::254"},
	}
}

// New builds the cluster. Whatever happens, Close is the caller's only duty,
// and none where New fails.
func New() (c *Cluster, err error) {
	c = new(Cluster)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("building the cluster: %w", err), c.Close())
		}
	}()
	if c.Dir, err = os.MkdirTemp("", "lvsd-cluster-"); err != nil {
		return c, err
	}
	if c.wire, err = c.newWire(); err != nil {
		return c, err
	}
	for _, p := range places {
		h, err := newHost(p.name, c.Dir)
		if err != nil {
			return c, err
		}
		switch {
		case c.Client == nil:
			c.Client = h
		case len(c.Directors) < 2:
			c.Directors = append(c.Directors, h)
		default:
			c.Servers = append(c.Servers, h)
		}
		if err := c.connect(h, p); err != nil {
			return c, err
		}
	}
	for _, d := range c.Directors {
		if err := d.forward(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// newWire makes the two bridges.
func (c *Cluster) newWire() (*Host, error) {
	wire, err := newHost("wire", c.Dir)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"outside", "inside"} {
		if err := addBridge(wire, name); err != nil {
			return wire, err
		}
	}
	return wire, nil
}

func addBridge(wire *Host, name string) error {
	snooping := false // adverts over IPv6 go to everybody
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}, MulticastSnooping: &snooping}
	if err := wire.links.LinkAdd(bridge); err != nil {
		return fmt.Errorf("adding the bridge %s: %w", name, err)
	}
	if err := wire.links.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("setting the bridge %s up: %w", name, err)
	}
	return nil
}

// Widen connects the client and the directors by so many more networks, 10.20.0.0/16,
// 10.21.0.0/16 and so on, by the interfaces that it returns.
func (c *Cluster) Widen(networks int) (interfaces []string, err error) {
	for n := range networks {
		bridge, iface := fmt.Sprintf("wide%d", n), fmt.Sprintf("eth%d", 2+n)
		if err := addBridge(c.wire, bridge); err != nil {
			return nil, err
		}
		for i, h := range append([]*Host{c.Client}, c.Directors...) {
			p := place{cables: []cable{{iface, bridge, []string{fmt.Sprintf("10.%d.0.%d/16", 20+n, 14+i)}}}}
			if err := c.connect(h, p); err != nil {
				return nil, err
			}
		}
		interfaces = append(interfaces, iface)
	}
	return interfaces, nil
}

// Outside connects a real server to the clients' network too, by eth1, as direct routing has
// it.
func (c *Cluster) Outside(h *Host, prefix string) error {
	return c.connect(h, place{cables: []cable{{"eth1", "outside", []string{prefix}}}})
}

// Reboot ends all that runs on a director, and has its machine begin anew, with nothing in
// its kernel, its cables plugged in and its disk as it was. It takes the place of the old one.
func (c *Cluster) Reboot(i int) error {
	old := c.Directors[i]
	if err := signalAll(syscall.SIGKILL, old); err != nil {
		return err
	}
	for _, p := range old.ports {
		if err := p.wire.links.LinkDel(p.link); err != nil {
			return fmt.Errorf("unplugging %s: %w", old.Name, err)
		}
	}
	if err := old.close(); err != nil {
		return err
	}
	h, err := newHost(old.Name, c.Dir)
	if err != nil {
		return err
	}
	c.Directors[i] = h
	return errors.Join(c.connect(h, places[1+i]), h.forward())
}

// forward has a director forward packets.
func (h *Host) forward() error {
	return errors.Join(h.Sysctl("net/ipv4/ip_forward", "1"), h.Sysctl("net/ipv6/conf/all/forwarding", "1"))
}

// connect plugs the host's cables in and gives it its addresses and routes.
func (c *Cluster) connect(h *Host, p place) error {
	for _, cable := range p.cables {
		if err := c.plug(h, cable); err != nil {
			return err
		}
		for _, a := range cable.addresses {
			if err := h.addAddress(cable.iface, a); err != nil {
				return err
			}
		}
	}
	for _, gateway := range p.gateways {
		if err := h.addDefaultRoute(gateway); err != nil {
			return err
		}
	}
	return nil
}

// plug connects an interface of the host to a bridge.
func (c *Cluster) plug(h *Host, cable cable) error {
	bridge, err := c.wire.links.LinkByName(cable.bridge)
	if err != nil {
		return fmt.Errorf("finding the bridge %s: %w", cable.bridge, err)
	}
	name := h.Name + "." + cable.iface
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: name, MasterIndex: bridge.Attrs().Index},
		PeerName:      cable.iface,
		PeerNamespace: netlink.NsFd(int(h.net)),
	}
	if err := c.wire.links.LinkAdd(veth); err != nil {
		return fmt.Errorf("adding the cable %s: %w", name, err)
	}
	end, err := h.links.LinkByName(cable.iface)
	if err != nil {
		return fmt.Errorf("finding %s of %s: %w", cable.iface, h.Name, err)
	}
	h.ports[cable.iface] = port{c.wire, veth}
	if err := errors.Join(c.wire.links.LinkSetUp(veth), h.links.LinkSetUp(end)); err != nil {
		return fmt.Errorf("setting the cable %s up: %w", name, err)
	}
	return nil
}

// DropMulticast keeps multicast from the directors' outside interfaces, as the
// networks of many clouds do. IPv6 has no neighbours there any more.
func (c *Cluster) DropMulticast() error {
	for _, d := range c.Directors {
		path := "/sys/class/net/" + d.Name + ".eth0/brport/multicast_flood"
		if err := c.wire.do(func() error { return os.WriteFile(path, []byte("0"), 0) }); err != nil {
			return fmt.Errorf("keeping multicast from %s: %w", d.Name, err)
		}
	}
	return nil
}

// Close ends every process of the cluster and removes it. It may be called
// again.
func (c *Cluster) Close() error {
	var err error
	// Twice, for a daemon that started another one meanwhile.
	for range 2 {
		err = errors.Join(err, signalAll(syscall.SIGKILL, c.hosts()...))
	}
	for _, h := range c.hosts() {
		err = errors.Join(err, h.close())
	}
	c.wire, c.Client, c.Directors, c.Servers = nil, nil, nil, nil
	if c.Dir != "" {
		err = errors.Join(err, os.RemoveAll(c.Dir))
	}
	return err
}

func (c *Cluster) hosts() []*Host {
	var all []*Host
	for _, h := range append([]*Host{c.Client, c.wire}, append(c.Directors, c.Servers...)...) {
		if h != nil {
			all = append(all, h)
		}
	}
	return all
}

// Holders lists the directors that hold the address.
func (c *Cluster) Holders(addr netip.Addr) ([]*Host, error) {
	var holders []*Host
	for _, d := range c.Directors {
		held, err := d.Holds(addr)
		if err != nil {
			return nil, err
		}
		if held {
			holders = append(holders, d)
		}
	}
	return holders, nil
}

// WaitHolder waits until exactly this director holds the address.
func (c *Cluster) WaitHolder(ctx context.Context, h *Host, addr netip.Addr) error {
	return Until(ctx, fmt.Sprintf("%s alone to hold %v", h.Name, addr), func() (bool, error) {
		holders, err := c.Holders(addr)
		return len(holders) == 1 && holders[0] == h, err
	})
}

// Until asks every 20 ms whether the condition holds, and returns an error that
// names it where it does not before ctx ends, or where asking fails.
func Until(ctx context.Context, what string, condition func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	begin := time.Now()
	for {
		ok, err := condition()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %v in vain for %s", time.Since(begin).Round(time.Millisecond), what)
		case <-tick.C:
		}
	}
}
