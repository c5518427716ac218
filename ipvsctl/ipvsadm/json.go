package ipvsadm

import (
	"cmp"
	"encoding/json"
	"io"
	"net/netip"

	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
)

// The members of what -o json prints.
type (
	jsonTable struct {
		Version  string        `json:"version"`
		Size     uint32        `json:"connection_table_size"`
		Services []jsonService `json:"services"`
	}
	jsonService struct {
		Protocol   string       `json:"protocol,omitempty"`
		Address    netip.Addr   `json:"address,omitzero"`
		Port       uint16       `json:"port,omitempty"`
		Mark       uint32       `json:"mark,omitempty"`
		Family     string       `json:"family"`
		Scheduler  string       `json:"scheduler"`
		Flags      []string     `json:"scheduler_flags,omitempty"`
		OnePacket  bool         `json:"one_packet,omitempty"`
		Persistent uint32       `json:"persistent_seconds,omitempty"`
		Netmask    string       `json:"netmask,omitempty"`
		Engine     string       `json:"engine,omitempty"`
		Counters   jsonCounters `json:"counters"`
		Rates      jsonCounters `json:"rates"`
		Servers    []jsonServer `json:"servers"`
	}
	jsonServer struct {
		Address    netip.Addr   `json:"address"`
		Port       uint16       `json:"port"`
		Forward    string       `json:"forward"`
		Tunnel     *jsonTunnel  `json:"tunnel,omitempty"`
		Weight     uint32       `json:"weight"`
		Upper      uint32       `json:"upper_threshold"`
		Lower      uint32       `json:"lower_threshold"`
		Active     uint32       `json:"active"`
		Inactive   uint32       `json:"inactive"`
		Persistent uint32       `json:"persistent"`
		Counters   jsonCounters `json:"counters"`
		Rates      jsonCounters `json:"rates"`
	}
	jsonTunnel struct {
		Type     string `json:"type"`
		Port     uint16 `json:"port,omitempty"`
		Checksum string `json:"checksum,omitempty"`
	}
	jsonCounters struct {
		Connections uint64 `json:"connections"`
		PacketsIn   uint64 `json:"packets_in"`
		PacketsOut  uint64 `json:"packets_out"`
		BytesIn     uint64 `json:"bytes_in"`
		BytesOut    uint64 `json:"bytes_out"`
	}
	jsonConnection struct {
		Protocol string         `json:"protocol"`
		State    string         `json:"state"`
		Expires  uint32         `json:"expires_seconds"`
		Client   netip.AddrPort `json:"client"`
		Virtual  netip.AddrPort `json:"virtual"`
		Server   netip.AddrPort `json:"server"`
		Engine   string         `json:"engine,omitempty"`
		Data     string         `json:"engine_data,omitempty"`
	}
	jsonTimeouts struct {
		TCP    uint32 `json:"tcp_seconds"`
		TCPFin uint32 `json:"tcp_fin_seconds"`
		UDP    uint32 `json:"udp_seconds"`
	}
	jsonDaemon struct {
		Role      string     `json:"role"`
		Interface string     `json:"interface"`
		ID        uint8      `json:"id"`
		MaxLength uint16     `json:"max_length,omitempty"`
		Group     netip.Addr `json:"group,omitzero"`
		Port      uint16     `json:"port,omitempty"`
		TTL       uint8      `json:"ttl,omitempty"`
	}
)

// checksums are the words of JSON for the checksums of a tunnel.
var checksums = []string{"none", "outer", "remote"}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func serviceJSON(s *ipvsctl.ListedService, servers []ipvsctl.ListedDestination) jsonService {
	j := jsonService{
		Mark: s.Key.Mark, Port: s.Key.Port, Family: "ipv4", Scheduler: s.Config.Scheduler,
		Flags: s.Config.Flags.Names(s.Config.Scheduler), OnePacket: s.Config.Flags&ipvsctl.OnePacket != 0,
		Engine: s.Config.Engine, Counters: countersJSON(s.Counters), Rates: jsonCounters(s.Rates), Servers: []jsonServer{},
	}
	if s.Key.Addr.Is6() {
		j.Family = "ipv6"
	}
	if s.Key.Mark == 0 {
		j.Protocol, j.Address = s.Key.Protocol.String(), s.Key.Addr
	}
	if s.Config.Flags&ipvsctl.Persistent != 0 {
		j.Persistent = s.Config.Timeout
		j.Netmask, _ = s.Config.Grouping(s.Key.Addr)
	}
	for i := range servers {
		j.Servers = append(j.Servers, serverJSON(&servers[i]))
	}
	return j
}

func serverJSON(d *ipvsctl.ListedDestination) jsonServer {
	j := jsonServer{
		Address: d.Key.Addr, Port: d.Key.Port, Forward: d.Config.Forward.String(), Weight: d.Config.Weight,
		Upper: d.Config.Upper, Lower: d.Config.Lower,
		Active: d.Counters.Active, Inactive: d.Counters.Inactive, Persistent: d.Counters.Persistent,
		Counters: countersJSON(d.Counters), Rates: jsonCounters(d.Rates),
	}
	if d.Config.Forward == ipvsctl.Tunnel {
		j.Tunnel = &jsonTunnel{Type: cmp.Or(named(tunnelNames, d.Config.TunnelType), "unknown"), Port: d.Config.TunnelPort}
		if d.Config.TunnelType != ipvsctl.TunnelIPIP {
			j.Tunnel.Checksum = named(checksums, d.Config.TunnelFlags)
		}
	}
	return j
}

func countersJSON(c ipvsctl.Counters) jsonCounters {
	return jsonCounters{c.Connections, c.PacketsIn, c.PacketsOut, c.BytesIn, c.BytesOut}
}

func connectionJSON(c connections.Connection) jsonConnection {
	return jsonConnection{protocolOf(c), string(c.State), c.Expires, c.Client, c.Virtual, c.Server, string(c.Engine), string(c.Data)}
}

func daemonsJSON(all []ipvsctl.SyncDaemon) []jsonDaemon {
	list := []jsonDaemon{}
	for _, d := range all {
		list = append(list, jsonDaemon{d.Role.String(), d.Interface, d.ID, d.MaxLength, d.Group, d.Port, d.TTL})
	}
	return list
}
