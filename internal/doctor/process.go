package doctor

import (
	"fmt"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// forwardingOff is an examination, and a finding of the daemon's by the same facts, which the
// daemon looks at every ten seconds: after a --fix its finding is out of date.
const forwardingOff = "forwarding-off"

// lookDaemon hands on what the daemon that runs finds itself.
func lookDaemon(c *Case) (r Result) {
	if c.Silent != "" {
		return unknown(c.Silent)
	}
	for _, f := range c.Daemon {
		examined := f.Code == forwardingOff || slices.ContainsFunc(c.Config.Routers, func(v vrrp.Config) bool { return otherAddresses(&f, v.Name) })
		if f.Severity != api.Info && !examined {
			r.Wrongs = append(r.Wrongs, Wrong{f.Severity, f.Subject, f.Text, f.Remedy, nil})
		}
	}
	return r.judged()
}

func lookSecond(c *Case) (r Result) {
	for _, name := range c.Traces {
		r.wrong("interface "+name, "stop kube-proxy or have it use another mode (mode: iptables), and remove the interface: ip link del "+name, nil,
			"interface %s is there: kube-proxy serves by IPVS in this network namespace, perhaps from a container, and removes what it does not know from the table", name)
	}
	for _, p := range c.Programs {
		r.wrong(fmt.Sprintf("process %d", p.PID), "stop it, and keep it from the next boot (systemctl disable --now "+p.Name+")", nil,
			"%s runs in this network namespace: it writes the same IPVS table or holds the same addresses as lvsd", p.Name)
	}
	return r.judged()
}

func lookCapabilities(c *Case) (r Result) {
	if c.Incapable != "" {
		return unknown("what needs them is not known here: " + c.Incapable)
	}
	return r.judged()
}

func lookRealtime(c *Case) (r Result) {
	if c.Realtime != "" {
		r.risk("", "set kernel.sched_rt_runtime_us to 950000 again; in a container, give it CAP_SYS_NICE", nil,
			"no process gets a real-time priority here (%s): on a busy machine, adverts are late, and the other director takes over", c.Realtime)
	}
	return r.judged()
}

func lookClock(c *Case) (r Result) {
	if !c.ClockKept {
		r.risk("", "run chrony, systemd-timesyncd or another NTP client", nil,
			"nothing keeps this machine's clock: times in the logs of two directors do not agree, and adverts that are signed with the time (replay = \"time\") are refused")
	}
	return r.judged()
}
