package checker

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// A Via is which way the packets of a probe go, where that is not left to this
// director's routes. Its zero value leaves everything to them.
type Via struct {
	// Source is the address that they come from.
	Source netip.Addr `json:"source,omitzero"`
	// FirstPort to LastPort are the ports that they come from; zero: any.
	FirstPort uint16 `json:"first_port,omitempty"`
	LastPort  uint16 `json:"last_port,omitempty"`
	// Interface is the one that they leave by, or a VRF's.
	Interface string `json:"interface,omitempty"`
	// Mark is their firewall mark, which rules of routing and packet filters see.
	Mark uint32 `json:"mark,omitempty"`
	// TTL is their time to live or hop limit; zero: the kernel's default.
	TTL uint8 `json:"ttl,omitempty"`
	// DSCP is their codepoint of differentiated services (RFC 2474), 0 to 63.
	DSCP uint8 `json:"dscp,omitempty"`
	// Proxy is the version of the PROXY protocol that a connection begins with, as behind
	// a load balancer; zero: none.
	Proxy ProxyProtocol `json:"proxy,omitempty"`
	// Forwarded sends them by way of the kernel's IPVS.
	Forwarded Forwarding `json:"forwarded,omitzero"`
}

// A Forwarding is the path by which the packets of a virtual service reach a real server,
// where a probe takes it, too. The zero value is none: the server is asked at its own
// address.
type Forwarding struct {
	// Virtual is the address of the service, which is asked.
	Virtual netip.Addr `json:"virtual"`
	// Method is the forwarding method: "direct" or "tunnel".
	Method string `json:"method"`
	// TunnelType, TunnelPort and TunnelFlags are the encapsulation, in the kernel's numbers.
	TunnelType  uint8  `json:"tunnel_type,omitempty"`
	TunnelPort  uint16 `json:"tunnel_port,omitempty"`
	TunnelFlags uint16 `json:"tunnel_flags,omitempty"`
}

// Direct is the Method of direct routing.
const Direct = "direct"

// Is reports whether there is one.
func (f Forwarding) Is() bool { return f != Forwarding{} }

// A ProxyProtocol is a version of the PROXY protocol.
type ProxyProtocol uint8

// The versions of the PROXY protocol.
const (
	ProxyV1 ProxyProtocol = 1
	ProxyV2 ProxyProtocol = 2
)

// MaxInterfaceName is how long the name of an interface is, in bytes (IFNAMSIZ).
const MaxInterfaceName = 15

// Validate returns what is wrong with it; nil if it can be used.
func (v Via) Validate() error {
	switch {
	case v.FirstPort > v.LastPort || v.FirstPort == 0 && v.LastPort != 0:
		return fmt.Errorf("ports %d to %d are no range", v.FirstPort, v.LastPort)
	case v.Source.Is4In6() || v.Source.IsValid() && (v.Source.IsMulticast() || v.Source.IsUnspecified()):
		return fmt.Errorf("nothing can come from %v", v.Source)
	case len(v.Interface) > MaxInterfaceName || strings.ContainsAny(v.Interface, "/ \t\n\x00"):
		return fmt.Errorf("%.40q is not the name of an interface", v.Interface)
	case v.Proxy > ProxyV2:
		return fmt.Errorf("there is no version %d of the PROXY protocol", v.Proxy)
	case v.DSCP > 63:
		return errors.New("dscp is at most 63")
	case v.Forwarded.Is() && (!v.Forwarded.Virtual.IsValid() || v.Forwarded.Virtual.Is4In6() || v.Mark != 0 || v.Interface != ""):
		return errors.New("what is forwarded needs a virtual address, and has a mark and an interface by that")
	}
	return nil
}
