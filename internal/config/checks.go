package config

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

// checkList are the kinds of checks. A new one is a file with its options and
// what it makes of them, and a name here.
var checkList = []checkKind{
	checkTCP, checkUDP, checkTLS,
	checkHTTP, checkHTTPS, checkGRPC,
	checkDNS,
	checkSMTP, checkIMAP, checkPOP3, checkFTP, checkNNTP,
	checkRedis, checkMemcached, checkMySQL, checkPostgres,
	checkLDAP, checkRadius,
	checkPing,
	checkExec, checkFile, checkAgent,
	checkNone,
}

var checkKinds = block.NewKinds("check", checkList...)

// probe is the check of a service without any: a TCP connect where the service is
// TCP and has a port, else a ping.
func (d *defaults) probe(key ipvsctl.ServiceKey) probe {
	if key.Protocol == ipvsctl.TCP && key.Port != 0 {
		t := begin(d, checkTCP.Name, tcpTable, (*tcpCheck).self)
		return t.of(t.asks)
	}
	return begin(d, checkPing.Name, pingTable, (*probe).self).of(checker.Ping{})
}

// readChecks reads the checks of a service or a server.
func readChecks(b *block.Body, d *defaults) (probes []probe) {
	for inner := range b.Blocks("check") {
		kind, known := checkKinds.Of(inner)
		if !known {
			continue
		}
		if p := kind.read(inner, d); p.spec != "" {
			probes = append(probes, p)
		} else if b.Count("check") > 1 {
			b.Mistake(inner.Head, "Check none among others", "check \"none\" {} says that there is no check: remove it, or the others.")
		}
	}
	if len(probes) > 0 && !slices.ContainsFunc(probes, func(p probe) bool { return !p.auxiliary }) {
		b.Doubt(probes[0].at, "Agent alone", "An agent that does not answer changes nothing, so a server that is dead would stay in the table: add another check, or set required = true.")
	}
	return probes
}
