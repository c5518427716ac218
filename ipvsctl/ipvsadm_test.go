package ipvsctl_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/ipvsctl"
)

func TestOpInTheSyntaxOfIpvsadm(t *testing.T) {
	udp := ipvsctl.ServiceKey{Protocol: ipvsctl.UDP, Addr: netip.MustParseAddr("2001:db8::1"), Port: 5060}
	sctp := ipvsctl.ServiceKey{Protocol: ipvsctl.SCTP, Addr: netip.MustParseAddr("10.13.0.200"), Port: 1}
	mark4 := ipvsctl.ServiceKey{Mark: 7, Addr: netip.IPv4Unspecified()}
	mark6 := ipvsctl.ServiceKey{Mark: 7, Addr: netip.IPv6Unspecified()}
	v6 := ipvsctl.DestinationKey{Addr: netip.MustParseAddr("2001:db8::4"), Port: 5060}
	add := func(s ipvsctl.Service) ipvsctl.Op {
		return ipvsctl.Op{Kind: ipvsctl.AddService, Service: service(80), Config: s}
	}
	edit := func(d ipvsctl.Destination) ipvsctl.Op {
		return ipvsctl.Op{Kind: ipvsctl.SetDestination, Service: service(80), Destination: server(4), Dest: d}
	}
	tests := []struct {
		op   ipvsctl.Op
		want string
	}{
		{add(ipvsctl.Service{Scheduler: "sh", Netmask: 24, Timeout: 300, Flags: ipvsctl.Persistent | ipvsctl.Sched1 | ipvsctl.Sched2}),
			"-A -t 10.13.0.200:80 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,sh-port"},
		{add(ipvsctl.Service{Scheduler: "mh", Netmask: 32, Flags: ipvsctl.Sched2}), "-A -t 10.13.0.200:80 -s mh -b mh-port"},
		{add(ipvsctl.Service{Scheduler: "wrr", Netmask: 32, Flags: ipvsctl.Sched1 | ipvsctl.Sched2 | ipvsctl.Sched3}),
			"-A -t 10.13.0.200:80 -s wrr -b flag-1,flag-2,flag-3"},
		{add(ipvsctl.Service{Scheduler: "rr", Netmask: 32, Timeout: 60, Flags: ipvsctl.Persistent}), "-A -t 10.13.0.200:80 -s rr -p 60"},
		{add(ipvsctl.Service{Scheduler: "rr", Netmask: 1, Timeout: 60, Flags: ipvsctl.Persistent}), "-A -t 10.13.0.200:80 -s rr -p 60 -M 128.0.0.0"},
		{add(ipvsctl.Service{Scheduler: "rr", Netmask: ipvsctl.NotAPrefix, Mask: 0xff00ff00, Timeout: 60, Flags: ipvsctl.Persistent}), "-A -t 10.13.0.200:80 -s rr -p 60 -M 255.0.255.0"},
		{add(ipvsctl.Service{Scheduler: "rr", Netmask: 32, Engine: "sip"}), "-A -t 10.13.0.200:80 -s rr --pe sip"},
		{ipvsctl.Op{Kind: ipvsctl.SetService, Service: udp, Config: ipvsctl.Service{Scheduler: "rr", Netmask: 64, Timeout: 60, Flags: ipvsctl.Persistent | ipvsctl.OnePacket, Engine: "sip"}},
			"-E -u [2001:db8::1]:5060 -s rr -p 60 -M 64 --pe sip -o"},
		{ipvsctl.Op{Kind: ipvsctl.SetService, Service: udp, Config: ipvsctl.Service{Scheduler: "rr", Netmask: 32, Timeout: 60, Flags: ipvsctl.Persistent}},
			"-E -u [2001:db8::1]:5060 -s rr -p 60 -M 32"},
		{ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: mark6}, "-D -f 7 -6"},
		{ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: mark4}, "-D -f 7"},
		{ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: ipvsctl.ServiceKey{Protocol: 99, Addr: sctp.Addr, Port: 1}}, "-D protocol-99 10.13.0.200:1"},
		{ipvsctl.Op{Kind: ipvsctl.SetDestination, Service: udp, Destination: v6, Dest: ipvsctl.Destination{Forward: ipvsctl.Tunnel, Weight: 1, Upper: 9, Lower: 7, TunnelType: ipvsctl.TunnelGUE, TunnelPort: 6080}},
			"-e -u [2001:db8::1]:5060 -r [2001:db8::4]:5060 -i -w 1 -x 9 -y 7 --tun-type gue --tun-port 6080 --tun-nocsum"},
		{edit(ipvsctl.Destination{Forward: ipvsctl.Tunnel, TunnelType: ipvsctl.TunnelGUE, TunnelPort: 1, TunnelFlags: ipvsctl.TunnelRemoteChecksum}),
			"-e -t 10.13.0.200:80 -r 192.168.1.4:80 -i -w 0 --tun-type gue --tun-port 1 --tun-remcsum"},
		{edit(ipvsctl.Destination{Forward: ipvsctl.Tunnel, TunnelType: ipvsctl.TunnelGRE, TunnelFlags: ipvsctl.TunnelChecksum}),
			"-e -t 10.13.0.200:80 -r 192.168.1.4:80 -i -w 0 --tun-type gre --tun-csum"},
		{edit(ipvsctl.Destination{Forward: ipvsctl.Tunnel}), "-e -t 10.13.0.200:80 -r 192.168.1.4:80 -i -w 0 --tun-type ipip"},
		{edit(ipvsctl.Destination{Forward: ipvsctl.Direct, TunnelType: ipvsctl.TunnelGRE}), "-e -t 10.13.0.200:80 -r 192.168.1.4:80 -g -w 0"},
		{edit(ipvsctl.Destination{Forward: 1}), "-e -t 10.13.0.200:80 -r 192.168.1.4:80 forward-1 -w 0"},
		{edit(ipvsctl.Destination{Upper: 5}), "-e -t 10.13.0.200:80 -r 192.168.1.4:80 -m -w 0 -x 5"},
		{ipvsctl.Op{Kind: ipvsctl.DeleteDestination, Service: sctp, Destination: server(4)}, "-d --sctp-service 10.13.0.200:1 -r 192.168.1.4:80"},
		{ipvsctl.Op{Kind: "no-such", Service: service(80)}, "no-such -t 10.13.0.200:80"},
	}
	for _, tt := range tests {
		if got := tt.op.String(); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.op.Kind, got, tt.want)
		}
	}
}

// The table as "ipvsadm --save --numeric" prints it: in order, and without
// thresholds.
func TestTableInTheSyntaxOfIpvsadm(t *testing.T) {
	web := balanced("wrr", weights{5: 1, 4: 3})
	web.Destinations.Set(server(6), ipvsctl.Destination{Forward: ipvsctl.Direct, Weight: 2, Upper: 9, Lower: 7})
	table := ipvsctl.Table{
		{Mark: 7, Addr: netip.IPv6Unspecified()}:                                    balanced("rr", nil),
		{Protocol: ipvsctl.UDP, Addr: netip.MustParseAddr("10.13.0.200"), Port: 53}: balanced("rr", nil),
		{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.13.0.99"), Port: 443}: balanced("rr", nil),
		service(80): web,
	}
	const want = `-A -t 10.13.0.99:443 -s rr
-A -t 10.13.0.200:80 -s wrr
-a -t 10.13.0.200:80 -r 192.168.1.4:80 -m -w 3
-a -t 10.13.0.200:80 -r 192.168.1.5:80 -m -w 1
-a -t 10.13.0.200:80 -r 192.168.1.6:80 -g -w 2
-A -u 10.13.0.200:53 -s rr
-A -f 7 -6 -s rr
`
	if diff := cmp.Diff(want, table.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestKeysAsPeopleWriteThem(t *testing.T) {
	for want, key := range map[string]ipvsctl.ServiceKey{
		"tcp 10.13.0.200:80":   service(80),
		"mark 7 (ipv4)":        {Mark: 7, Addr: netip.IPv4Unspecified()},
		"mark 7 (ipv6)":        {Mark: 7, Addr: netip.IPv6Unspecified()},
		"protocol-99 [::1]:53": {Protocol: 99, Addr: netip.IPv6Loopback(), Port: 53},
	} {
		if got := key.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for want, f := range map[string]ipvsctl.Forward{"nat": ipvsctl.NAT, "tunnel": ipvsctl.Tunnel, "direct": ipvsctl.Direct, "forward-1": 1} {
		if got := f.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
