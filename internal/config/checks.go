package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

// checkKinds are the kinds of checks. A new one is a file with its options and
// what it makes of them, and a name here.
var checkKinds = block.NewKinds("check", checkTCP, checkHTTP, checkHTTPS, checkPing, checkNone)

// defaultProbe is the check of a service without any: a TCP connect where the
// service is TCP and has a port, else a ping.
func defaultProbe(key ipvsctl.ServiceKey) probe {
	p := pingTable.Start()
	p.spec, p.timeout = checker.SpecOf(checker.Ping{}), defaultTimeout
	if key.Protocol == ipvsctl.TCP && key.Port != 0 {
		p.spec = checker.SpecOf(checker.TCP{})
	}
	return p
}

// readChecks reads the checks of a service or a server.
func readChecks(b *block.Body) (probes []probe) {
	for inner := range b.Blocks("check") {
		read, known := checkKinds.Of(inner)
		if !known {
			continue
		}
		if p := read(inner); p.spec != "" {
			probes = append(probes, p)
		} else if b.Count("check") > 1 {
			b.Mistake(inner.Head, "Check none among others", "check \"none\" {} says that there is no check: remove it, or the others.")
		}
	}
	return probes
}
