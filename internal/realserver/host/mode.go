package host

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/realserver"
)

// modes are what the end of a tunnel over IPv6 unwraps, by the number of the protocol.
var modes = map[uint8]string{unix.IPPROTO_IPV6: realserver.SixAlone, unix.IPPROTO_IPIP: "ipip6", 0: realserver.Any}

// modeOf returns the mode of a device; empty: it has none, or there is no such device.
func modeOf(name string) string {
	if name != realserver.SixEnd {
		return ""
	}
	link, _ := netlink.LinkByName(name)
	if tunnel, ok := link.(*netlink.Ip6tnl); ok {
		return modes[tunnel.Proto]
	}
	return ""
}

// Requests of linux/if_tunnel.h, and the place of the protocol in struct ip6_tnl_parm of
// linux/ip6_tunnel.h.
const (
	getTunnel     = 0x89f0
	changeTunnel  = 0x89f3
	protocolPlace = 20
)

// setMode sets the mode of a device, which the kernel takes by ioctl alone for the one that
// comes with its module.
func setMode(name, value string) error {
	for number, mode := range modes {
		if mode != value {
			continue
		}
		var parameters [64]byte // struct ip6_tnl_parm
		if err := tunnelRequest(getTunnel, name, &parameters); err != nil {
			return err
		}
		parameters[protocolPlace] = number
		return tunnelRequest(changeTunnel, name, &parameters)
	}
	return fmt.Errorf("%q is no mode of a tunnel", value)
}

// tunnelRequest makes a request about a device.
func tunnelRequest(request uintptr, name string, parameters *[64]byte) error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	var about struct { // struct ifreq
		name       [unix.IFNAMSIZ]byte
		parameters *[64]byte
		rest       [16]byte
	}
	copy(about.name[:unix.IFNAMSIZ-1], name)
	about.parameters = parameters
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&about))); errno != 0 {
		return os.NewSyscallError("ioctl", errno)
	}
	return nil
}
