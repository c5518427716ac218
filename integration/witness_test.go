package integration

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/ipvs"
	"golang.org/x/sys/unix"
)

// unwitnessed is what moby/ipvs does not read of what ipvsadm prints: the engine
// of a persistence, and the kind of a tunnel, which ends the line.
var unwitnessed = regexp.MustCompile(` --pe \S+| --tun-.*`)

// checkWitness compares what moby/ipvs reads with what ipvsadm does.
func (p *pair) checkWitness(i int) {
	p.t.Helper()
	var moby, adm string
	for range 3 { // A server that drains may leave the table between the two.
		var lines []string
		p.must(p.Directors[i].In(func() (err error) { lines, err = mobyTable(); return err }))
		if moby, adm = sorted(lines), unwitnessed.ReplaceAllString(p.table(i), ""); moby == adm {
			return
		}
	}
	p.t.Errorf("moby/ipvs reads\n%s\nbut ipvsadm\n%s", moby, adm)
}

// sorted are the lines of a table in one order, whoever listed them.
func sorted(lines []string) string {
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// mobyTable reads the table of the calling thread's network through moby/ipvs,
// a witness that shares no code with the daemon, in the words of ipvsadm -Sn.
func mobyTable() (lines []string, err error) {
	h, err := ipvs.New("")
	if err != nil {
		return nil, fmt.Errorf("opening moby/ipvs: %w", err)
	}
	defer h.Close()
	services, err := h.GetServices()
	if err != nil {
		return nil, fmt.Errorf("listing services with moby/ipvs: %w", err)
	}
	for _, s := range services {
		name := mobyName(s)
		lines = append(lines, "-A "+name+mobyService(s))
		destinations, err := h.GetDestinations(s)
		if err != nil {
			return nil, fmt.Errorf("listing real servers with moby/ipvs: %w", err)
		}
		for _, d := range destinations {
			lines = append(lines, "-a "+name+mobyDestination(d))
		}
	}
	return lines, nil
}

func mobyName(s *ipvs.Service) string {
	if s.FWMark != 0 {
		family := map[uint16]string{unix.AF_INET: "", unix.AF_INET6: " -6"}[s.AddressFamily]
		return fmt.Sprintf("-f %d%s", s.FWMark, family)
	}
	protocol := map[uint16]string{unix.IPPROTO_TCP: "-t", unix.IPPROTO_UDP: "-u", unix.IPPROTO_SCTP: "--sctp-service"}
	return protocol[s.Protocol] + " " + hostPort(s.Address, s.Port)
}

// mobyService is a service's options, by the flags of linux/ip_vs.h.
func mobyService(s *ipvs.Service) string {
	const persistent, onePacket, first, second = 0x1, 0x4, 0x8, 0x10
	text := " -s " + s.SchedName
	if s.Flags&persistent != 0 {
		text += fmt.Sprintf(" -p %d", s.Timeout)
		// It comes as the bytes of an IPv4 mask, or as the length of an IPv6 one.
		mask := netip.AddrFrom4([4]byte(binary.NativeEndian.AppendUint32(nil, s.Netmask))).String()
		if s.AddressFamily == unix.AF_INET6 {
			mask = fmt.Sprint(s.Netmask)
		}
		if mask != "255.255.255.255" && mask != "128" {
			text += " -M " + mask
		}
	}
	if s.Flags&onePacket != 0 {
		text += " -o"
	}
	var options []string
	if s.Flags&first != 0 {
		options = append(options, s.SchedName+"-fallback")
	}
	if s.Flags&second != 0 {
		options = append(options, s.SchedName+"-port")
	}
	if len(options) > 0 {
		text += " -b " + strings.Join(options, ",")
	}
	return text
}

func mobyDestination(d *ipvs.Destination) string {
	methods := map[uint32]string{ipvs.ConnFwdMasq: "-m", ipvs.ConnFwdTunnel: "-i", ipvs.ConnFwdDirectRoute: "-g"}
	method := methods[d.ConnectionFlags&ipvs.ConnFwdMask]
	return fmt.Sprintf(" -r %s %s -w %d", hostPort(d.Address, d.Port), method, d.Weight)
}

func hostPort(ip net.IP, port uint16) string {
	addr, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr.Unmap(), port).String()
}
