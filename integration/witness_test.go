package integration

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	"github.com/moby/ipvs"
)

type addr = netip.Addr

// The signals that the tests send.
const (
	hangup         = syscall.SIGHUP // reload
	stopSignal     = syscall.SIGSTOP
	continueSignal = syscall.SIGCONT
)

// mobyRows reads the table of the calling thread's network through moby/ipvs,
// a witness that shares no code with the daemon: "service server weight" for
// each real server, in order.
func mobyRows() ([]string, error) {
	h, err := ipvs.New("")
	if err != nil {
		return nil, fmt.Errorf("opening moby/ipvs: %w", err)
	}
	defer h.Close()
	services, err := h.GetServices()
	if err != nil {
		return nil, fmt.Errorf("listing services with moby/ipvs: %w", err)
	}
	var rows []string
	for _, s := range services {
		destinations, err := h.GetDestinations(s)
		if err != nil {
			return nil, fmt.Errorf("listing real servers with moby/ipvs: %w", err)
		}
		name := strconv.Itoa(int(s.FWMark))
		if s.FWMark == 0 {
			name = hostPort(s.Address, s.Port)
		}
		for _, d := range destinations {
			rows = append(rows, fmt.Sprintf("%s %s %d", name, hostPort(d.Address, d.Port), d.Weight))
		}
	}
	slices.Sort(rows)
	return rows, nil
}

func hostPort(ip net.IP, port uint16) string {
	return net.JoinHostPort(ip.String(), strconv.Itoa(int(port)))
}
