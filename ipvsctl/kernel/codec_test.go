//go:build linux

package kernel

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
)

var (
	addrs = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

	web  = ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.13.0.200"), Port: 80}
	sip6 = ipvsctl.ServiceKey{Protocol: ipvsctl.UDP, Addr: netip.MustParseAddr("2001:db8::1"), Port: 5060}
	mark = ipvsctl.ServiceKey{Mark: 7, Addr: netip.IPv6Unspecified()}

	node = ipvsctl.DestinationKey{Addr: netip.MustParseAddr("192.168.1.4"), Port: 8080}
)

// The bytes of a request, for a machine of little endian: attribute by
// attribute as linux/ip_vs.h and net/netfilter/ipvs/ip_vs_ctl.c have them.
func TestEncode(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the bytes are written down for little endian")
	}
	const serviceKey = `
		0600 0100 0200 0000                              family: AF_INET
		0600 0200 0600 0000                              protocol: TCP
		1400 0300 0a0d00c8 00000000 00000000 00000000    address, padded to 16 bytes
		0600 0400 0050 0000                              port, in network order`
	tests := []struct {
		name string
		op   ipvsctl.Op
		want string
	}{
		{
			name: "a service is complete: scheduler, flags with mask, timeout, netmask",
			op: ipvsctl.Op{Kind: ipvsctl.AddService, Service: web,
				Config: ipvsctl.Service{Scheduler: "wrr", Flags: ipvsctl.Persistent, Timeout: 300, Netmask: 24}},
			want: `01010000 5400 0180` + serviceKey + `
		0800 0600 77727200                               scheduler "wrr"
		0c00 0700 01000000 ffffffff                      flags, mask
		0800 0800 2c010000                               timeout
		0800 0900 ffffff00                               netmask, in network order`,
		},
		{
			name: "a service to be deleted is its key alone",
			op:   ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: web},
			want: `03010000 3000 0180` + serviceKey,
		},
		{
			name: "a firewall mark stands for protocol, address and port",
			op:   ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: mark},
			want: `03010000 1400 0180
		0600 0100 0a00 0000                              family: AF_INET6
		0800 0500 07000000                               mark`,
		},
		{
			name: "a destination has its own family, and a weight of 32 bits",
			op: ipvsctl.Op{Kind: ipvsctl.SetDestination, Service: web, Destination: node,
				Dest: ipvsctl.Destination{Forward: ipvsctl.Tunnel, Weight: 70000, Upper: 9, Lower: 7, TunnelType: ipvsctl.TunnelGUE, TunnelPort: 6080, TunnelFlags: ipvsctl.TunnelRemoteChecksum}},
			want: `06010000 3000 0180` + serviceKey + `
		6000 0280
		0600 0b00 0200 0000                              family: AF_INET
		1400 0100 c0a80104 00000000 00000000 00000000    address
		0600 0200 1f90 0000                              port
		0800 0300 02000000                               forwarding method
		0800 0400 70110100                               weight
		0800 0500 09000000                               upper threshold
		0800 0600 07000000                               lower threshold
		0500 0d00 01 000000                              tunnel type
		0600 0e00 17c0 0000                              tunnel port
		0600 0f00 0200 0000                              tunnel flags`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := encode(nil, tt.op)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(unhex(t, tt.want), []byte(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if _, err := encode(nil, ipvsctl.Op{Kind: "no-such"}); err == nil {
		t.Error("an operation of no known kind was encoded")
	}
}

// unhex reads bytes; what follows two spaces or more after them is comment.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(s) {
		data, _, _ := strings.Cut(strings.TrimSpace(line), "   ")
		digits.WriteString(strings.ReplaceAll(data, " ", ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// told is the kernel's message about a service: the request to add it, with
// what the kernel adds to that.
func told(tb testing.TB, key ipvsctl.ServiceKey, s ipvsctl.Service) []byte {
	tb.Helper()
	s.Flags |= flagHashed
	body, err := encode(nil, ipvsctl.Op{Kind: ipvsctl.AddService, Service: key, Config: s})
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func TestDecodeService(t *testing.T) {
	tests := []struct {
		key ipvsctl.ServiceKey
		svc ipvsctl.Service
	}{
		{web, ipvsctl.Service{Scheduler: "wrr", Netmask: 32}},
		{web, ipvsctl.Service{Scheduler: "sh", Flags: ipvsctl.Persistent | ipvsctl.Sched1, Timeout: 360, Netmask: 1}},
		{sip6, ipvsctl.Service{Scheduler: "rr", Flags: ipvsctl.OnePacket, Netmask: 64, Engine: "sip"}},
		{mark, ipvsctl.Service{Scheduler: "mh", Netmask: 128}},
		{web, ipvsctl.Service{Scheduler: "rr", Flags: ipvsctl.Persistent, Netmask: ipvsctl.NotAPrefix, Mask: 0xff00ff00}},
	}
	for _, tt := range tests {
		key, svc, _, err := decodeService(told(t, tt.key, tt.svc))
		if err != nil || key != tt.key || svc != tt.svc {
			t.Errorf("%v %+v was read as %v %+v, error %v", tt.key, tt.svc, key, svc, err)
		}
	}
}

// A mask that is not a prefix was set by somebody else; it must not look like
// one of ours.
func TestDecodeNetmaskWithHoles(t *testing.T) {
	got, mask, err := decodeNetmask(unix.AF_INET, []byte{255, 0, 255, 0})
	if err != nil || got <= 32 || mask != 0xff00ff00 {
		t.Errorf("netmask 255.0.255.0 was read as /%d, %x, error %v", got, mask, err)
	}
}

// nest appends an attribute that holds others.
func nest(r *request, typ uint16, inside func()) {
	at := r.begin(typ | attrNested)
	inside()
	r.end(at)
}

// toldDestination is the kernel's message about a destination.
func toldDestination(fill func(r *request)) []byte {
	var r request
	r.command(cmdNewDest)
	nest(&r, attrDest, func() { fill(&r) })
	return r
}

func (r *request) uint64(typ uint16, v uint64) {
	at := r.begin(typ)
	*r = binary.NativeEndian.AppendUint64(*r, v)
	r.end(at)
}

// The kernel's own counter of a service outlives its real servers: their sum would
// go back when one of them is taken out.
func TestDecodeTheTrafficOfAService(t *testing.T) {
	told := func(stats uint16) []byte {
		r := request(make([]byte, genlHeader))
		nest(&r, attrService, func() {
			r.port(svcPort, 80)
			nest(&r, stats, func() {
				r.uint64(statsConnections, 7)
				r.uint64(statsBytesOut, 1<<40)
			})
		})
		return r
	}
	for _, stats := range []uint16{svcStats, svcStats64} {
		a := nested(told(stats), attrService)
		got, err := a.stats(svcStats64, svcStats)
		if want := (ipvsctl.Counters{Connections: 7, BytesOut: 1 << 40}); got != want || err != nil {
			t.Errorf("attribute %d: %+v, error %v, want %+v", stats, got, err, want)
		}
	}
	if _, _, _, err := decodeService(told(svcStats)[:genlHeader+2]); err == nil {
		t.Error("a message that is cut off is no error")
	}
}

func TestDecodeDestination(t *testing.T) {
	want := server{
		key:  node,
		dest: ipvsctl.Destination{Forward: ipvsctl.Tunnel, Weight: 70000, Upper: 9, Lower: 7, TunnelType: 1, TunnelPort: 6080, TunnelFlags: 2},
		counters: ipvsctl.Counters{
			Active: 1, Inactive: 2, Persistent: 3, Connections: 1 << 33, PacketsIn: 1 << 34, PacketsOut: 5, BytesIn: 1 << 40, BytesOut: 6,
		},
	}
	old := func(r *request) {
		r.destination(ipvsctl.Op{Kind: ipvsctl.AddDestination, Destination: want.key, Dest: want.dest})
		r.uint32(destActive, 1)
		r.uint32(destInactive, 2)
		r.uint32(destPersistent, 3)
		nest(r, destStats, func() {
			r.uint32(statsConnections, 1)
			r.uint64(statsBytesIn, 1<<40)
		})
	}
	got, err := decodeDestination(toldDestination(func(r *request) {
		old(r)
		nest(r, destStats64, func() {
			for i, v := range []uint64{1 << 33, 1 << 34, 5, 1 << 40, 6} {
				r.uint64(uint16(statsConnections+i), v)
			}
		})
	}), web.Addr)
	if diff := cmp.Diff(want, got, addrs, cmp.AllowUnexported(server{})); diff != "" || err != nil {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}

	got, err = decodeDestination(toldDestination(old), web.Addr)
	if err != nil || got.counters.Connections != 1 || got.counters.BytesIn != 1<<40 {
		t.Errorf("an older kernel's counters of 32 bits: %+v, error %v", got.counters, err)
	}

	got, err = decodeDestination(toldDestination(func(r *request) {
		r.addr(destAddr, node.Addr)
		r.port(destPort, node.Port)
	}), web.Addr)
	if err != nil || got.key != node {
		t.Errorf("a destination without a family: %v, error %v", got.key, err)
	}
}

// Whatever a message holds, decoding it ends, with a value or an error; and
// what was decoded is encoded to what decodes to the same.
func FuzzDecode(f *testing.F) {
	f.Add(told(f, web, ipvsctl.Service{Scheduler: "wrr", Netmask: 24}))
	f.Add(told(f, sip6, ipvsctl.Service{Scheduler: "rr", Netmask: 64, Engine: "sip"}))
	f.Add(toldDestination(func(r *request) {
		r.destination(ipvsctl.Op{Kind: ipvsctl.AddDestination, Destination: node})
	}))
	f.Add([]byte{1, 1, 0})                                     // shorter than its header
	f.Add([]byte{1, 1, 0, 0, 8, 0, 1, 0x80, 2, 0, 1, 0})       // an attribute shorter than its own header
	f.Add([]byte{1, 1, 0, 0, 12, 0, 1, 0x80, 5, 0, 3, 0, 10})  // an address of one byte
	f.Add([]byte{1, 1, 0, 0, 0xff, 0xff, 2, 0x80, 8, 0, 4, 0}) // longer than the message
	f.Fuzz(func(t *testing.T, body []byte) {
		if s, err := decodeDestination(body, web.Addr); err == nil {
			op := ipvsctl.Op{Kind: ipvsctl.AddDestination, Service: web, Destination: s.key, Dest: s.dest}
			again, err := encode(nil, op)
			if err != nil {
				t.Fatalf("%v: %v", op, err)
			}
			if got, err := decodeDestination(again, web.Addr); err != nil || got.key != s.key || got.dest != s.dest {
				t.Errorf("%v became %v, error %v", s, got, err)
			}
		}
		key, svc, _, err := decodeService(body)
		if err != nil || svc.Netmask == ipvsctl.NotAPrefix && key.Addr.Is6() {
			return
		}
		again, err := encode(nil, ipvsctl.Op{Kind: ipvsctl.AddService, Service: key, Config: svc})
		if err != nil {
			t.Fatalf("%v %v: %v", key, svc, err)
		}
		if k, s, _, err := decodeService(again); err != nil || k != key || s != svc {
			t.Errorf("%v %v became %v %v, error %v", key, svc, k, s, err)
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	b.Run("encode", func(b *testing.B) {
		op := ipvsctl.Op{Kind: ipvsctl.AddDestination, Service: web, Destination: node, Dest: ipvsctl.Destination{Weight: 3}}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := encode(make(request, 0, requestSize), op); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		body := told(b, web, ipvsctl.Service{Scheduler: "wrr", Netmask: 32})
		b.ReportAllocs()
		for b.Loop() {
			if _, _, _, err := decodeService(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
