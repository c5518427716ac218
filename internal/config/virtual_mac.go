package config

import (
	"fmt"
	"slices"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// ownerPriority is the priority of the owner of the addresses (RFC 9568 section 6.1).
const ownerPriority = 255

var virtualMACTable = block.NewTable("virtual_mac", func() []block.Entry[vrrp.VirtualMAC] {
	return []block.Entry[vrrp.VirtualMAC]{
		block.Text("device", "The name of the device, which lvsd makes (a macvlan) and removes. Firewall rules for packets to the virtual addresses name it.",
			"", deviceName, func(v *vrrp.VirtualMAC) *string { return &v.Device }).Within("a name of up to 15 bytes").Unless("vrrp4-51 or vrrp6-51, with the family and the id"),
		block.Flag("adverts_from_interface", "Send the adverts from the interface's own MAC address. Switches then learn where the virtual one is from gratuitous ARP alone.",
			false, func(v *vrrp.VirtualMAC) *bool { return &v.AdvertsFromInterface }),
	}
})

// readVirtualMAC reads whether the router has a MAC address of its own, after its
// addresses.
func readVirtualMAC(b *block.Body, c *vrrp.Config) {
	inner, ok := b.Block("virtual_mac")
	if !ok {
		return
	}
	virtualMACTable.Decode(inner, &c.VirtualMAC)
	if len(c.Addresses) == 0 {
		if !b.Refused("addresses") {
			b.Mistake(inner.Head, "Unused virtual_mac", "It is the MAC address of the addresses that are advertised, and there are none: remove it.")
		}
		return
	}
	at := inner.Head
	if inner.Given("device") {
		at = inner.At("device")
	} else {
		c.VirtualMAC.Device = fmt.Sprintf("vrrp%d-%d", c.Family(), c.VRID)
	}
	device := c.VirtualMAC.Device
	claim(b, virtualDevice, device, at)
	if device == c.Interface && device != "" {
		b.Mistake(at, "Invalid device", "%q is the interface on which adverts are sent: the device is another one, which lvsd makes on it. Leave device out.", device)
	}
	switch {
	case slices.ContainsFunc(c.Extra, func(x vrrp.InterfaceAddress) bool { return x.Interface == device }):
		b.Mistake(at, "Extra address on the virtual MAC", "Device %q has the addresses that are advertised, and no others: write the extra_address in addresses, or leave it on the interface.", device)
	case tracked(c.Track, trackInterface.name+" "+device):
		b.Mistake(at, "Tracked virtual MAC", "Device %q is up only while this director has the addresses, so it would never be Master: track %q, which it always does.", device, c.Interface)
	}
	if c.Priority == ownerPriority && !b.Refused("priority") {
		b.Mistake(inner.Head, "Owner with a virtual MAC", "The owner (priority 255) has the addresses as its own, so they are known by the interface's MAC address: use a priority up to 254, or remove virtual_mac.")
	}
	if len(c.Peers) > 0 && !c.VirtualMAC.AdvertsFromInterface {
		b.Doubt(inner.Head, "Virtual MAC without multicast", "Adverts to peers are sent from the interface's own MAC address, so a switch forgets where the virtual one is, and sends its packets everywhere: remove peers, or set adverts_from_interface = true if that does not matter.")
	}
}
