package integration

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A netlinkTap counts the IPVS requests that reach the kernel of one network
// namespace, whoever sends them: an nlmon interface there sees every netlink
// message, as a packet capture would.
type netlinkTap struct {
	fd     int
	family uint16
}

// writeCommands are the requests that change the table (IPVS_CMD_* in
// linux/ip_vs.h): NEW, SET and DEL of services and destinations, and FLUSH.
var writeCommands = map[byte]string{1: "new service", 2: "set service", 3: "del service",
	5: "new dest", 6: "set dest", 7: "del dest", 17: "flush"}

// openTap begins to listen; it must be called in the namespace.
func openTap() (*netlinkTap, error) {
	link := &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Name: "nlmon0"}, LinkType: "nlmon"}
	if err := netlink.LinkAdd(link); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("adding an nlmon interface: %w", err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("setting nlmon0 up: %w", err)
	}
	on, err := netlink.LinkByName("nlmon0")
	if err != nil {
		return nil, fmt.Errorf("finding nlmon0: %w", err)
	}
	family, err := ipvsFamily()
	if err != nil {
		return nil, err
	}
	all := uint16(unix.ETH_P_ALL)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all<<8|all>>8))
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8, Ifindex: on.Attrs().Index}); err != nil {
		return nil, errors.Join(fmt.Errorf("binding to nlmon0: %w", err), unix.Close(fd))
	}
	// Large enough for the audits of a test, small enough for any kernel.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20); err != nil {
		return nil, errors.Join(fmt.Errorf("sizing the tap's buffer: %w", err), unix.Close(fd))
	}
	return &netlinkTap{fd, family}, nil
}

// ipvsFamily returns the number of the IPVS family.
func ipvsFamily() (uint16, error) {
	c, err := genetlink.Dial(nil)
	if err != nil {
		return 0, fmt.Errorf("dialling generic netlink: %w", err)
	}
	defer c.Close()
	f, err := c.GetFamily("IPVS")
	if err != nil {
		return 0, fmt.Errorf("asking for the IPVS family: %w", err)
	}
	return f.ID, nil
}

// writes returns the writes since the last call, by name. It first lets what
// is under way arrive.
func (n *netlinkTap) writes(t *testing.T) map[string]int {
	t.Helper()
	time.Sleep(100 * time.Millisecond)
	count := map[string]int{}
	buf := make([]byte, 1<<20)
	for {
		size, _, err := unix.Recvfrom(n.fd, buf, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil {
			t.Fatalf("reading the tap: %v", err)
		}
		n.count(buf[:min(size, len(buf))], count)
	}
	if lost := n.lost(t); lost > 0 {
		t.Fatalf("the tap lost %d messages: its count means nothing", lost)
	}
	return count
}

// count adds the writes among the netlink messages of one buffer: a daemon may
// send hundreds in one system call.
func (n *netlinkTap) count(b []byte, count map[string]int) {
	for len(b) >= unix.NLMSG_HDRLEN+4 {
		size := int(binary.NativeEndian.Uint32(b))
		typ, flags := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:])
		if name := writeCommands[b[unix.NLMSG_HDRLEN]]; typ == n.family && flags&unix.NLM_F_REQUEST != 0 && name != "" {
			count[name]++
		}
		size = (size + 3) &^ 3
		if size < unix.NLMSG_HDRLEN || size > len(b) {
			return
		}
		b = b[size:]
	}
}

// lost is how many messages did not fit into the tap's buffer.
func (n *netlinkTap) lost(t *testing.T) uint32 {
	t.Helper()
	s, err := unix.GetsockoptTpacketStats(n.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		t.Fatalf("asking the tap for its losses: %v", err)
	}
	return s.Drops
}

func (n *netlinkTap) close() { _ = unix.Close(n.fd) }
