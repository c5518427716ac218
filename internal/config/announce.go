package config

import (
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// An announcing is how addresses are announced, whose list is not judged yet.
type announcing struct {
	vrrp.Announcing
	interfaces []block.Item
}

var announceTable = block.NewTable("announce", func() []block.Entry[announcing] {
	return []block.Entry[announcing]{
		block.Count("repeat", "How many packets there are for each address in each announcement. Raise it for networks that lose packets, and for machines that overlook the first ones.",
			1, 1, 100, func(a *announcing) *uint8 { return &a.Repeat }),
		block.Duration("interval", "The time between two packets of an announcement, for switches and machines that take only so many a second. With 0s, all are sent at once.",
			0, 0, 10*time.Second, func(a *announcing) *time.Duration { return &a.Interval }).Within("0s to 10s"),
		block.Duration("refresh", "Announce the addresses again whenever so much time has passed without an announcement, for switches and machines that forget. With 0s, only when there is a reason.",
			0, 0, 24*time.Hour, func(a *announcing) *time.Duration { return &a.Refresh }).Within("0s, or 1s to 24h"),
		block.List("interfaces", "Further network interfaces on which the addresses are announced, with the MAC address of each: where the same network is reached by more than one.",
			func(a *announcing) *[]block.Item { return &a.interfaces }).Unless("none"),
	}
})

// readAnnouncing reads how the addresses of a router are announced.
func readAnnouncing(b *block.Body, c *vrrp.Config) {
	inner, given := b.Block("announce")
	if !given {
		return
	}
	a := announceTable.Read(inner)
	c.Announce = a.Announcing
	if a.Refresh > 0 && a.Refresh < time.Second {
		inner.Mistake(inner.At("refresh"), "Invalid refresh", "refresh must be 0s, or from 1s to 24h, but this is %s.", block.Short(a.Refresh))
	}
	for _, it := range a.interfaces {
		name, good := networkInterface(inner, it.Text, it.At)
		switch {
		case !good:
		case name == c.Interface || slices.Contains(c.Announce.Interfaces, name):
			inner.Mistake(it.At, "Duplicate interface", "The addresses are announced on %s anyway: remove it.", strings.TrimSpace(name))
		default:
			c.Announce.Interfaces = append(c.Announce.Interfaces, name)
		}
	}
	n := (len(c.Addresses) + len(c.Extra)) * (1 + len(c.Announce.Interfaces)) * int(max(a.Repeat, 1))
	if all := time.Duration(n) * a.Interval; a.Refresh > 0 && all > a.Refresh {
		inner.Doubt(inner.At("refresh"), "Endless announcements", "One announcement of all addresses takes %s, and the next one begins after %s: raise refresh, or lower interval or repeat.", block.Short(all), block.Short(a.Refresh))
	}
}
