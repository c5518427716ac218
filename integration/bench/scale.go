package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The scale parts have 1,000 virtual routers on four interfaces.
const (
	scaleNetworks = 4
	scaleEach     = 250
	scaleRest     = 20 * time.Second // for which the processor time is measured
)

// The goals of the scale parts: how far the take-overs are apart, and the memory of all
// processes of a director.
const (
	spreadAtMost = 100 * time.Millisecond
	scaleMemory  = 20e6
)

// A scalePart is a pair with many virtual routers.
type scalePart struct {
	name string
	mac  bool // with virtual MACs, and packets for the addresses are dropped
}

var (
	scalePlain = scalePart{name: "scale"}
	scaleMAC   = scalePart{name: "scale-mac", mac: true}
)

// The figures of a scale part, in their order.
const (
	scaleStart   = "both started to all addresses on the first"
	masterShare  = "share of a processor, Master"
	backupShare  = "share of a processor, Backup"
	masterMemory = "memory, Master"
	backupMemory = "memory, Backup"
	cutFirst     = "link cut: last advert to the first take-over"
	cutSpread    = "first take-over to the last"
	advertSpread = "first advert of the backup to the last router's first"
	cutMissing   = "addresses that were not taken over"
)

// measure lets both daemons take turns.
func (p scalePart) measure(ctx context.Context, o options) ([]Figure, error) {
	columns, err := takeTurns(ctx, o, p.name, o.share(3), p.once)
	figures := []Figure{
		{Name: scaleStart, Unit: unitTime},
		{Name: masterShare, Unit: unitShare, Goal: ratioAtMost(1)},
		{Name: backupShare, Unit: unitShare, Goal: ratioAtMost(1)},
		{Name: masterMemory, Unit: unitBytes, Goal: atMost(scaleMemory)},
		{Name: backupMemory, Unit: unitBytes, Goal: atMost(scaleMemory)},
		{Name: cutFirst, Unit: unitTime},
		{Name: cutSpread, Unit: unitTime, Goal: atMost(spreadAtMost.Seconds())},
		{Name: advertSpread, Unit: unitTime},
		{Name: cutMissing, Unit: unitCount, Goal: always(0)},
	}
	return complete(p.name, figures, columns), err
}

// once starts a pair, measures it at rest, and cuts all links of the Master.
func (p scalePart) once(ctx context.Context, d daemon, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	interfaces, err := c.Widen(scaleNetworks)
	if err != nil {
		return err
	}
	m := many{interfaces: interfaces, each: scaleEach, virtualMAC: p.mac, refuse: p.mac}
	began := time.Now()
	for _, h := range c.Directors {
		if err := d.configureMany(h, m); err != nil {
			return err
		}
		if _, err := d.Start(h); err != nil {
			return err
		}
	}
	if err := m.waitHeld(ctx, c.Directors[0]); err != nil {
		return err
	}
	into.addTime(scaleStart, time.Since(began))
	if err := pause(ctx, 10*time.Second); err != nil { // The last announcement is over.
		return err
	}
	if err := scaleAtRest(ctx, c, into); err != nil {
		return err
	}
	return m.cut(ctx, c, into)
}

// waitHeld waits until a director has all addresses.
func (m many) waitHeld(ctx context.Context, h *cluster.Host) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return cluster.Until(ctx, "all addresses to be on "+h.Name, func() (bool, error) {
		n, err := m.held(h)
		return n == m.count(), err
	})
}

// held is how many of the addresses a director has.
func (m many) held(h *cluster.Host) (n int, err error) {
	there, err := h.Addresses()
	set := make(map[netip.Addr]bool, len(there))
	for _, p := range there {
		set[p.Addr()] = true
	}
	m.all(func(network int, _ string, id int) {
		if set[m.address(network, id)] {
			n++
		}
	})
	return n, err
}

// scaleAtRest notes what both directors need while nothing happens.
func scaleAtRest(ctx context.Context, c *cluster.Cluster, into column) error {
	names := [][2]string{{masterShare, masterMemory}, {backupShare, backupMemory}}
	var before [2]float64
	for i, h := range c.Directors {
		var err error
		if before[i], err = cpu(h); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := pause(ctx, scaleRest); err != nil {
		return err
	}
	for i, h := range c.Directors {
		used, err := cpu(h)
		if err != nil {
			return err
		}
		into.add(names[i][0], (used-before[i])/time.Since(began).Seconds())
		memory, err := pss(h)
		if err != nil {
			return err
		}
		into.add(names[i][1], memory)
	}
	return nil
}

// cut cuts the Master's links between two bursts of adverts, and notes when the client hears
// of each router that the other director has taken over.
func (m many) cut(ctx context.Context, c *cluster.Cluster, into column) error {
	heard, err := m.listen(c)
	if err != nil {
		return err
	}
	defer heard.close()
	for _, iface := range m.interfaces {
		if err := c.Directors[0].Cut(iface); err != nil {
			return err
		}
	}
	cut := time.Now()
	if err := pause(ctx, masterDown(time.Second)+5*time.Second); err != nil {
		return err
	}
	if err := heard.read(cut); err != nil {
		return err
	}
	held, err := m.held(c.Directors[1])
	if err != nil {
		return err
	}
	into.add(cutMissing, float64(m.count()-min(held, len(heard.announced))))
	first, last := extremes(heard.announced)
	into.addTime(cutFirst, first.Sub(heard.last))
	into.addTime(cutSpread, last.Sub(first))
	first, last = extremes(heard.advertised)
	into.addTime(advertSpread, last.Sub(first))
	return nil
}

// A hearing is what the client hears on all networks.
type hearing struct {
	adverts, arp []*cluster.Capture
	// last is the last advert before the cut. After it, the first announcement of each
	// address, and the first advert of each router, by its interface and id.
	last       time.Time
	announced  map[string]time.Time
	advertised map[string]time.Time
}

func (m many) listen(c *cluster.Cluster) (h *hearing, err error) {
	h = &hearing{announced: make(map[string]time.Time), advertised: make(map[string]time.Time)}
	for _, iface := range m.interfaces {
		adverts, err := cluster.StartCapture(c.Client, iface, unix.ETH_P_IP)
		if err != nil {
			return h, err
		}
		h.adverts = append(h.adverts, adverts)
		arp, err := cluster.StartCapture(c.Client, iface, unix.ETH_P_ARP)
		if err != nil {
			return h, err
		}
		h.arp = append(h.arp, arp)
	}
	return h, pause(context.Background(), 1500*time.Millisecond) // An advert of each, at least.
}

func (h *hearing) close() {
	for _, c := range append(h.adverts, h.arp...) {
		c.Close()
	}
}

// read notes what has been heard, by the moment of the cut.
func (h *hearing) read(cut time.Time) error {
	var errs []error
	note := func(of map[string]time.Time, key string, at time.Time) {
		if before, ok := of[key]; at.After(cut) && (!ok || at.Before(before)) {
			of[key] = at
		}
	}
	for n := range h.adverts {
		errs = append(errs, h.adverts[n].Each(func(at time.Time, packet []byte) {
			id, ok := cluster.VRID(packet)
			if !ok {
				return
			}
			if at.Before(cut) && at.After(h.last) {
				h.last = at
			}
			note(h.advertised, fmt.Sprint(n, "/", id), at)
		}), h.arp[n].Each(func(at time.Time, packet []byte) {
			const sender, target = 14, 24
			if len(packet) < target+4 || [4]byte(packet[sender:]) != [4]byte(packet[target:]) {
				return // not a gratuitous one
			}
			note(h.announced, netip.AddrFrom4([4]byte(packet[sender:])).String(), at)
		}))
	}
	return errors.Join(errs...)
}

// extremes are the first and the last of the moments.
func extremes(at map[string]time.Time) (first, last time.Time) {
	for _, t := range at {
		if first.IsZero() || t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	return first, last
}
