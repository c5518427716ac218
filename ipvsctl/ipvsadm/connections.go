package ipvsadm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
)

// longestLine bounds a line of /proc/net/ip_vs_conn, and of the input of -R, in bytes.
const longestLine = 64 << 10

// eachConnection calls each with every connection of the file's text.
func eachConnection(r io.Reader, each func(connections.Connection)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), longestLine)
	if !lines.Scan() {
		return errors.Join(errors.New("it is empty"), lines.Err())
	}
	for lines.Scan() { // behind the heads of the columns
		c, err := connections.Parse(lines.Bytes())
		if err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
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

func (t table) connection(c connections.Connection) {
	name := func(a netip.AddrPort) string { return t.endpoint(a.Addr(), a.Port(), c.Protocol) }
	t.printf("%-3s %-6s %-11s %-18s %-18s ", protocolOf(c), fmt.Sprintf("%02d:%02d", c.Expires/60, c.Expires%60), c.State, name(c.Client), name(c.Virtual))
	if t.PersistentConns && len(c.Data) > 0 {
		t.printf("%-16s %-18s %s\n", name(c.Server), c.Engine, c.Data)
	} else {
		t.printf("%s\n", name(c.Server))
	}
}

// protocolOf is the name of a connection's protocol: "TCP", or "IP" where it has none.
func protocolOf(c connections.Connection) string {
	if c.Protocol == 0 {
		return "IP"
	}
	return strings.ToUpper(ipvsctl.Protocol(c.Protocol).String())
}
