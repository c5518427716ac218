package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/lvsd/lvsd/integration/cluster"
)

// many are virtual routers with one address each, in the words of either daemon: as many on
// each interface, with the ids from 1, and adverts every second.
type many struct {
	interfaces []string
	each       int // on an interface
	virtualMAC bool
	// refuse drops what comes for the addresses, which keepalived does in any case where
	// it is not told otherwise.
	refuse bool
}

func (m many) count() int { return len(m.interfaces) * m.each }

// address is that of a virtual router on an interface.
func (many) address(network, id int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(20 + network), 1, byte(id)})
}

// all calls f with each router.
func (m many) all(f func(network int, iface string, id int)) {
	for n, iface := range m.interfaces {
		for id := 1; id <= m.each; id++ {
			f(n, iface, id)
		}
	}
}

func (m many) hcl(priority int) string {
	var b strings.Builder
	m.all(func(n int, iface string, id int) {
		fmt.Fprintf(&b, "virtual_router \"r%d-%d\" {\n  interface = %q\n  id        = %d\n  priority  = %d\n  addresses = [%q]\n",
			n, id, iface, id, priority, m.address(n, id))
		if m.virtualMAC {
			fmt.Fprintf(&b, "  virtual_mac { device = \"v%d-%d\" }\n", n, id)
		}
		if m.refuse {
			b.WriteString("  accept    = false\n")
		}
		b.WriteString("}\n")
	})
	return b.String()
}

func (m many) keepalived(priority int) string {
	var b strings.Builder
	m.all(func(n int, iface string, id int) {
		fmt.Fprintf(&b, "vrrp_instance r%d_%d {\n  state BACKUP\n  version 3\n  interface %s\n  virtual_router_id %d\n  priority %d\n  advert_int 1\n",
			n, id, iface, id, priority)
		if m.virtualMAC {
			fmt.Fprintf(&b, "  use_vmac v%d-%d\n", n, id)
		}
		if !m.refuse {
			b.WriteString("  accept\n")
		}
		fmt.Fprintf(&b, "  virtual_ipaddress {\n    %s/32\n  }\n}\n", m.address(n, id))
	})
	return b.String()
}

// configureMany writes the routers, and nothing else.
func (d daemon) configureMany(h *cluster.Host, m many) error {
	priority := map[string]int{"lvs1": 150, "lvs2": 100}[h.Name]
	path, text := d.ServicePath(h), d.routers(m, priority)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
	if err != nil {
		return fmt.Errorf("configuring %s for %s: %w", d.name, h.Name, err)
	}
	return nil
}
