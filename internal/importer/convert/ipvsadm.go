package convert

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/ipvsadm"
	peer "github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

// ipvsadm imports saved tables and scripts, each as if it were run after the one before.
func (r *Request) ipvsadm(files disk) (importer.Result, []string, error) {
	if len(r.Nodes) > 0 || len(r.Files) != 1 {
		return importer.Result{}, nil, fmt.Errorf("give one file: ipvsadm's tables are the same on all directors, or take what ipvsadm-save prints on one of them")
	}
	text, err := files.Open(r.Files[0])
	if err != nil {
		return importer.Result{}, nil, err
	}
	services, _ := os.ReadFile("/etc/services") // Without it, ports have no names.
	names := peer.Names{Services: peer.ParseServices(string(services))}
	if r.Resolve {
		names.Address = firstAddress
	}
	result, err := ipvsadm.Import(r.Files[0], text, names)
	return result, []string{r.Host}, err
}

// firstAddress is the first IPv4 address of a host, as ipvsadm takes it.
func firstAddress(host string) (netip.Addr, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), maxLookup)
	defer cancel()
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(all) == 0 {
		return netip.Addr{}, false
	}
	return all[0].Unmap(), true
}
