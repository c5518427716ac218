package convert

import (
	"errors"
	"net/netip"
	"os"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/ipvsadm"
	peer "github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

// readIPVSAdm imports a saved table, or a script.
func readIPVSAdm(r *Request, files disk, _, path string) (importer.Result, error) {
	if len(r.Nodes) > 0 {
		return importer.Result{}, errors.New("give one file: ipvsadm's tables are the same on all directors, or take what ipvsadm-save prints on one of them")
	}
	text, err := files.Open(path)
	if err != nil {
		return importer.Result{}, err
	}
	return ipvsadm.Import(path, text, r.ipvsadm())
}

// outlineIPVSAdm works out what table they make.
func outlineIPVSAdm(r *Request, files disk, _, path string) (importer.Outline, error) {
	text, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	return ipvsadm.Outline(path, text, r.ipvsadm())
}

// ipvsadm are the names that ipvsadm knows.
func (r *Request) ipvsadm() peer.Names {
	services, _ := os.ReadFile("/etc/services") // Without it, ports have no names.
	names := peer.Names{Services: peer.ParseServices(string(services))}
	if r.Resolve {
		names.Address = func(host string) (netip.Addr, bool) { // ipvsadm takes the first one of IPv4.
			a, err := addressOf(host, false)
			return a, err == nil
		}
	}
	return names
}
