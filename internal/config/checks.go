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
	checkSIP, checkNTP,
	checkRedis, checkMemcached, checkMySQL, checkPostgres,
	checkLDAP, checkRadius,
	checkPing,
	checkExec, checkFile, checkAgent,
	checkAll, checkAny,
	checkNone,
}

var checkKinds = block.NewKinds("check", checkList...)

func init() { grouped = checkKinds }

// probe is the check of a service without any: a TCP connect where the service is
// TCP and has a port, else a ping.
func (d *defaults) probe(key ipvsctl.ServiceKey) probe {
	if key.Protocol == ipvsctl.TCP && key.Port != 0 {
		t := begin(d, checkTCP.Name, tcpTable, (*tcpCheck).self)
		return t.of(t.asks)
	}
	return begin(d, checkPing.Name, pingTable, (*probe).self).of(checker.Ping{})
}

// readChecks reads the checks of a service or a server, and how many of them must pass;
// nil: all.
func readChecks(b *block.Body, d *defaults) (checks []probe, rule *checker.Rule) {
	probes := readParts(b, d)
	if len(probes) > 0 && !slices.ContainsFunc(probes, func(p probe) bool { return !p.auxiliary }) {
		b.Doubt(probes[0].at, "Agent alone", "An agent that does not answer changes nothing, so a server that is dead would stay in the table: add another check, or set required = true.")
	}
	return ruled(probes)
}
