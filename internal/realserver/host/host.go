// Package host looks at this machine as a real server, and changes what package realserver
// decides.
package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/realserver"
)

// A Host is this machine, in the network namespace of the process.
type Host struct{}

// Look returns what the machine is like.
func (Host) Look(kinds map[realserver.Kind]bool) (realserver.Facts, error) {
	m, err := machine.Read()
	if err != nil {
		return realserver.Facts{}, err
	}
	f := realserver.Facts{Parts: make(map[realserver.Part]string)}
	for i := range m.Interfaces {
		link := &m.Interfaces[i]
		for _, p := range link.Addresses {
			f.Own = append(f.Own, p)
			if p.IsSingleIP() {
				f.Parts[realserver.AddressOn(link.Name, p.Addr())] = realserver.Present
			}
		}
		if realserver.LinkOf(link.Name) != "" {
			f.Parts[realserver.DeviceNamed(link.Name)] = realserver.Up
			if link.Down {
				f.Parts[realserver.DeviceNamed(link.Name)] = realserver.Down
			}
			if mode := modeOf(link.Name); mode != "" {
				f.Parts[realserver.ModeOf(link.Name)] = mode
			}
		}
	}
	for _, s := range realserver.Parameters() {
		if value := s.Value(); value != "" {
			f.Parts[realserver.ParameterOf(s)] = value
		}
	}
	if kinds[realserver.Port] {
		addPorts(f.Parts)
	}
	if kinds[realserver.Route] {
		err = addRoutes(&f)
	}
	return f, err
}

// addPorts adds the ports on which GUE is taken; without the module fou, there are none.
func addPorts(parts map[realserver.Part]string) {
	list, err := netlink.FouList(netlink.FAMILY_V4) // It lists those of both families.
	if err != nil {
		return
	}
	for _, p := range list {
		if p.EncapType == netlink.FOU_ENCAP_GUE {
			parts[realserver.PortFor(uint16(p.Port), p.Family == netlink.FAMILY_V6)] = realserver.GUE
		}
	}
}

// Set gives a part a value. An error says what to do, where that is known.
func (Host) Set(p realserver.Part, value string) error {
	switch p.Kind {
	case realserver.Device:
		return setDevice(p.Interface, value)
	case realserver.Port:
		return setPort(p, value)
	case realserver.Mode:
		return setMode(p.Interface, value)
	case realserver.Address:
		return setAddress(p.Interface, p.Prefix, value)
	case realserver.Route:
		return setRoutes(p.Six, value)
	default:
		return p.Setting.Set(value)
	}
}

// setDevice makes an end of tunnels, or takes it away. The one that the kernel makes with
// the module cannot be taken away, and is down then.
func setDevice(name, value string) error {
	link, err := netlink.LinkByName(name)
	if value == realserver.Up && errors.As(err, new(netlink.LinkNotFoundError)) {
		of := &netlink.GenericLink{LinkAttrs: netlink.NewLinkAttrs(), LinkType: realserver.LinkOf(name)}
		of.Name = name
		if err := netlink.LinkAdd(of); err != nil && !errors.Is(err, unix.EEXIST) {
			return device(of.LinkType, err)
		}
		link, err = netlink.LinkByName(name)
	}
	if err != nil {
		return err
	}
	if value == realserver.Up {
		return netlink.LinkSetUp(link)
	}
	if err := netlink.LinkSetDown(link); err != nil || value == realserver.Down {
		return err
	}
	return netlink.LinkDel(link)
}

// device explains why there is no device of a kind.
func device(kind string, err error) error {
	if errors.Is(err, unix.EOPNOTSUPP) {
		module := map[string]string{"gre": "ip_gre", "ip6tnl": "ip6_tunnel", "ip6gre": "ip6_gre"}[kind]
		if module == "" {
			module = kind
		}
		return fmt.Errorf("this kernel has no links of type %s (modprobe %s): %w", kind, module, err)
	}
	return err
}

func setPort(p realserver.Part, value string) error {
	family := byte(netlink.FAMILY_V4)
	if p.Six {
		family = netlink.FAMILY_V6
	}
	if value == "" {
		return netlink.FouDel(netlink.Fou{Family: int(family), Port: int(p.Port)})
	}
	err := addPort(family, p.Port)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("this kernel has no GUE: have it load the module fou, for IPv6 fou6 (modprobe, and at each boot /etc/modules-load.d): %w", err)
	}
	return err
}

// addPort has GUE packets unwrapped. The library's FouAdd says of which protocol they are,
// even if it is 0, which a newer kernel refuses.
func addPort(family byte, port uint16) error {
	id, err := netlink.FouFamilyId()
	if err != nil {
		return err
	}
	message := []byte{netlink.FOU_CMD_ADD, 1, 0, 0} // struct genlmsghdr with version 1
	for _, a := range []*nl.RtAttr{
		nl.NewRtAttr(netlink.FOU_ATTR_PORT, binary.BigEndian.AppendUint16(nil, port)),
		nl.NewRtAttr(netlink.FOU_ATTR_TYPE, []byte{netlink.FOU_ENCAP_GUE}),
		nl.NewRtAttr(netlink.FOU_ATTR_AF, []byte{family}),
	} {
		message = append(message, a.Serialize()...)
	}
	r := nl.NewNetlinkRequest(id, unix.NLM_F_ACK)
	r.AddRawData(message)
	_, err = r.Execute(unix.NETLINK_GENERIC, 0)
	return err
}

// setAddress adds an address, or removes it. Its scope keeps IPv4 from choosing it for
// connections that this machine begins. Nobody is asked whether he has an IPv6
// address: all the others have it, too.
func setAddress(name string, prefix netip.Prefix, value string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	bits := prefix.Addr().BitLen()
	a := &netlink.Addr{IPNet: &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(bits, bits)}}
	if value == "" {
		return netlink.AddrDel(link, a)
	}
	a.Scope = unix.RT_SCOPE_HOST
	if prefix.Addr().Is6() {
		a.Scope, a.Flags = unix.RT_SCOPE_UNIVERSE, unix.IFA_F_NODAD
	}
	err = netlink.AddrAdd(link, a)
	if errors.Is(err, unix.EACCES) && prefix.Addr().Is6() {
		return fmt.Errorf("IPv6 is switched off on %s (net.ipv6.conf.%s.disable_ipv6): %w", name, name, err)
	}
	return err
}
