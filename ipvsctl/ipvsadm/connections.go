package ipvsadm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/ipvsctl"
)

// A Connection is a line of /proc/net/ip_vs_conn.
type Connection struct {
	Protocol string         `json:"protocol"`
	State    string         `json:"state"`
	Expires  uint32         `json:"expires_seconds"`
	Client   netip.AddrPort `json:"client"`
	Virtual  netip.AddrPort `json:"virtual"`
	Server   netip.AddrPort `json:"server"`
	// Engine and Data are the persistence engine's, where the connection has one.
	Engine string `json:"engine,omitempty"`
	Data   string `json:"engine_data,omitempty"`
}

// ParseConnection reads one line:
//
//	TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED     899
//
// IPv6 addresses have all their colons, in brackets or not.
func ParseConnection(line string) (c Connection, err error) {
	f := strings.Fields(line)
	if len(f) < 9 {
		return c, fmt.Errorf("%d words in place of nine", len(f))
	}
	c.Protocol, c.State = f[0], f[7]
	for i, to := range []*netip.AddrPort{&c.Client, &c.Virtual, &c.Server} {
		if *to, err = hexEndpoint(f[1+2*i], f[2+2*i]); err != nil {
			return c, err
		}
	}
	expires, err := strconv.ParseUint(f[8], 10, 32)
	if err != nil {
		return c, fmt.Errorf("%q is no number of seconds", f[8])
	}
	c.Expires = uint32(expires)
	if len(f) > 10 {
		c.Engine, c.Data = f[9], f[10]
	}
	return c, nil
}

func hexEndpoint(host, port string) (netip.AddrPort, error) {
	p, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no port", port)
	}
	if len(host) == 8 {
		if n, err := strconv.ParseUint(host, 16, 32); err == nil {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), uint16(p)), nil
		}
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if err != nil || a.Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", host)
	}
	return netip.AddrPortFrom(a, uint16(p)), nil
}

// longestLine bounds a line of that file, and of the input of -R, in bytes.
const longestLine = 64 << 10

// eachConnection calls each with every connection of the file's text.
func eachConnection(r io.Reader, each func(Connection)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), longestLine)
	if !lines.Scan() {
		return errors.Join(errors.New("it is empty"), lines.Err())
	}
	for lines.Scan() { // behind the heads of the columns
		c, err := ParseConnection(lines.Text())
		if err != nil {
			return fmt.Errorf("cannot understand the line %q: %w", lines.Text(), err)
		}
		each(c)
	}
	return lines.Err()
}

// listConnections prints the connections of the file's text.
func (t table) listConnections(r io.Reader) error {
	t.printf("IPVS connection entries\n")
	heads := fmt.Sprintf("pro expire %-11s %-18s %-18s ", "state", "source", "virtual")
	if t.PersistentConns {
		t.printf("%s%-18s %-16s %s\n", heads, "destination", "pe name", "pe_data")
	} else {
		t.printf("%s%s\n", heads, "destination")
	}
	return eachConnection(r, t.connection)
}

func (t table) connection(c Connection) {
	protocols := map[string]ipvsctl.Protocol{"TCP": ipvsctl.TCP, "UDP": ipvsctl.UDP, "SCTP": ipvsctl.SCTP}
	name := func(a netip.AddrPort) string { return t.endpoint(a.Addr(), a.Port(), protocols[c.Protocol]) }
	t.printf("%-3s %-6s %-11s %-18s %-18s ", c.Protocol, fmt.Sprintf("%02d:%02d", c.Expires/60, c.Expires%60), c.State, name(c.Client), name(c.Virtual))
	if t.PersistentConns && c.Engine != "" {
		t.printf("%-16s %-18s %s\n", name(c.Server), c.Engine, c.Data)
	} else {
		t.printf("%s\n", name(c.Server))
	}
}
