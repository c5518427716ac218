package filter_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/filter"
)

// Ports that services have.
var (
	pairs  = ports(80, 80, 443, 443)
	ranges = ports(80, 89, 440, 449)
)

// many are so many services with some ports each, at an address of their own.
func many(n int, ports []ipvsctl.PortRange) (all ipvsctl.Ruleset) {
	for i := range n {
		all = append(all, ipvsctl.Marking{Service: fmt.Sprint("service ", i), Mark: 0x6c770000 + uint32(i),
			Selection: ipvsctl.Select(addresses(virtual(i).String()), []ipvsctl.Protocol{ipvsctl.TCP, ipvsctl.UDP}, ports)})
	}
	return all
}

// virtual is the address of one of them.
func virtual(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 13, byte(i >> 8), byte(i)}) }

// BenchmarkPacket is what a packet costs that arrives, all in all, with so many services:
// one to any of them, and one to none.
func BenchmarkPacket(b *testing.B) {
	w := newWire(b)
	for _, c := range []struct {
		n     int
		ports []ipvsctl.PortRange
	}{{0, nil}, {10, pairs}, {1000, pairs}, {10, ranges}, {32, ranges}, {33, ranges}, {1000, ranges}} {
		n := c.n
		var f filter.Filter
		if err := f.Replace(many(n, c.ports)); err != nil {
			b.Fatal(err)
		}
		for name, to := range map[string]func() netip.Addr{
			"any":  func() netip.Addr { return virtual(rand.IntN(max(n, 1))) },
			"none": func() netip.Addr { return netip.AddrFrom4([4]byte{10, 14, 0, byte(rand.UintN(256))}) },
		} {
			packets := make([][]byte, 4096)
			for i := range packets {
				packets[i] = w.datagram(to(), 443)
			}
			b.Run(fmt.Sprintf("services=%d/ranges=%v/to=%s", n, len(c.ports) > 0 && c.ports[0] == ranges[0], name), func(b *testing.B) {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				begin := processorTime(b)
				for i := range b.N {
					if _, err := unix.Write(w.fd, packets[i%len(packets)]); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N), "cpu-ns/op")
			})
		}
		if err := f.Replace(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// processorTime is this thread's, in which its frames arrive, too.
func processorTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// A wire is a cable whose one end takes frames, and whose other end is where they arrive.
type wire struct {
	fd int
	to net.HardwareAddr
}

func newWire(tb testing.TB) wire {
	netnstest.Run(tb, "ip link add here type veth peer name there")
	tb.Cleanup(func() { netnstest.Run(tb, "ip link del here") })
	netnstest.Run(tb, "ip address add 192.0.2.1/24 dev there")
	netnstest.Run(tb, "ip link set there up")
	netnstest.Run(tb, "ip link set here up")
	here, err := net.InterfaceByName("here")
	if err != nil {
		tb.Fatal(err)
	}
	there, err := net.InterfaceByName("there")
	if err != nil {
		tb.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: here.Index}); err != nil {
		tb.Fatal(err)
	}
	return wire{fd, there.HardwareAddr}
}

// datagram is a frame with an empty datagram of UDP.
func (w *wire) datagram(to netip.Addr, port uint16) []byte {
	f := append(append([]byte{}, w.to...), 2, 0, 0, 0, 0, 1, 8, 0)
	if to.Is6() {
		f[12], f[13] = 0x86, 0xdd
		from := netip.MustParseAddr("2001:db8:ffff::2").As16()
		f = append(append(f, 0x60, 0, 0, 0, 0, 8, unix.IPPROTO_UDP, 64), from[:]...)
		f = binary.BigEndian.AppendUint16(append(f, to.AsSlice()...), 4000)
		f = binary.BigEndian.AppendUint16(f, port)
		return append(f, 0, 8, 0x12, 0x34)
	}
	ip := []byte{0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, unix.IPPROTO_UDP, 0, 0, 192, 0, 2, 2}
	ip = append(ip, to.AsSlice()...)
	sum := uint32(0)
	for i := 0; i < len(ip); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
	f = append(f, ip...)
	f = binary.BigEndian.AppendUint16(f, 4000)
	f = binary.BigEndian.AppendUint16(f, port)
	return append(f, 0, 8, 0, 0)
}
