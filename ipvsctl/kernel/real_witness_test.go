//go:build linux

package kernel_test

import (
	"net/netip"
	"testing"

	"github.com/moby/ipvs"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
)

// truncated is t as moby/ipvs v1.1.0 can tell it: with weights of 16 bits,
// thresholds of 32, and without engines and tunnels but IP in IP.
func truncated(t ipvsctl.Table) ipvsctl.Table {
	t = t.Clone()
	for key, vs := range t {
		vs.Engine = ""
		for i := range vs.Destinations {
			d := &vs.Destinations[i].Value
			d.Weight &= 0xffff
			d.TunnelType, d.TunnelPort, d.TunnelFlags = 0, 0, 0
		}
		t[key] = vs
	}
	return t
}

// witness is the table as moby/ipvs reads it.
func witness(t *testing.T) ipvsctl.Table {
	t.Helper()
	h, err := ipvs.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	services, err := h.GetServices()
	if err != nil {
		t.Fatal(err)
	}
	table := ipvsctl.Table{}
	for _, s := range services {
		dests, err := h.GetDestinations(s)
		if err != nil {
			t.Fatal(err)
		}
		vs := ipvsctl.VirtualService{Service: witnessService(s)}
		for _, d := range dests {
			addr, _ := netip.AddrFromSlice(d.Address)
			vs.Destinations.Set(ipvsctl.DestinationKey{Addr: addr.Unmap(), Port: d.Port}, ipvsctl.Destination{
				Forward: ipvsctl.Forward(d.ConnectionFlags & ipvs.ConnectionFlagFwdMask),
				Weight:  uint32(d.Weight), Upper: d.UpperThreshold, Lower: d.LowerThreshold,
			})
		}
		table[witnessKey(s)] = vs
	}
	return table
}

func witnessKey(s *ipvs.Service) ipvsctl.ServiceKey {
	addr, _ := netip.AddrFromSlice(s.Address)
	k := ipvsctl.ServiceKey{Protocol: ipvsctl.Protocol(s.Protocol), Addr: addr.Unmap(), Port: s.Port, Mark: s.FWMark}
	if s.FWMark != 0 {
		k.Protocol, k.Addr = 0, netip.IPv4Unspecified()
		if s.AddressFamily == unix.AF_INET6 {
			k.Addr = netip.IPv6Unspecified()
		}
	}
	return k
}

func witnessService(s *ipvs.Service) ipvsctl.Service {
	bits := uint8(s.Netmask) // IPv6: the length
	if s.AddressFamily == unix.AF_INET {
		// moby/ipvs reads the mask in the order of this machine, and a
		// prefix has as many ones in either.
		bits = 0
		for m := s.Netmask; m != 0; m &= m - 1 {
			bits++
		}
	}
	return ipvsctl.Service{
		Scheduler: s.SchedName, Flags: ipvsctl.Flags(s.Flags &^ 0x2), Timeout: s.Timeout, Netmask: bits,
	}
}
