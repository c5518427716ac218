package doctor

import "github.com/lvsd/lvsd/internal/api"

// An Examination looks for one silent way in which a cluster fails.
type Examination struct {
	Code   string
	Family string
	// Title is what should be so.
	Title string
	// Breaks is what users see where it is not so, and Mend what to do: the manual's words.
	Breaks, Mend string
	// who it is for.
	director, realServer bool
	look                 func(*Case) Result
}

// The families of examinations.
const (
	kernel    = "kernel"
	network   = "network"
	addresses = "addresses"
	processes = "processes"
)

// Examinations are all of them, in the order in which they are shown.
var Examinations = []Examination{
	{"ipvs", kernel, "the kernel has IPVS", "No virtual service is served.", "--fix loads the module ip_vs.", true, false, lookIPVS},
	{"scheduler", kernel, "the kernel has the schedulers", "A virtual service is missing from the table.", "Install the package with the kernel's modules, or choose another scheduler.", true, false, lookSchedulers},
	{forwardingOff, kernel, "packets are forwarded", "By NAT, connections hang: replies of the real servers end at the director.", "--fix sets net.ipv4.ip_forward or net.ipv6.conf.all.forwarding.", true, false, lookForwarding},
	{"redirects", kernel, "servers are not told of shorter ways", "By NAT on one interface, clients in the servers' network see resets, after some seconds that worked.", "--fix sets send_redirects of that interface and of \"all\".", true, false, lookRedirects},
	{"offload", kernel, "packets are not put together on arrival", "Downloads through the director are slow or hang, small pages work.", "ethtool -K eth0 lro off.", true, false, lookOffloads},
	{"table-size", kernel, "the table of connections is large enough", "With many connections, the processor time of each packet grows.", "options ip_vs conn_tab_bits=20 in /etc/modprobe.d.", true, false, lookTableSize},
	{"tracking", kernel, "the kernel's tracking of connections has room", "Under load, new clients are not answered; the kernel logs \"nf_conntrack: table full\".", "Raise net.netfilter.nf_conntrack_max.", true, true, lookTracking},
	{"interface", network, "the interfaces of virtual routers are there", "This director is never Master.", "Correct the interface's name.", true, false, lookInterfaces},
	{"ways", network, "there is a way to each real server", "A real server is down, or gets no packets.", "Give the director an address in the servers' network, or a route.", true, false, lookWays},
	{"replies", network, "real servers answer by way of the director", "By NAT, a real server passes its check, and the connections of clients that are sent to it hang.", "Run lvsd realserver up on the real server, or write source_nat = \"masquerade\" in the virtual_service.", true, false, lookReplies},
	{"tunnel-mtu", network, "clients' packets fit into the tunnels", "Uploads hang, downloads work.", "--fix sets net.ipv4.vs.pmtu_disc; or raise the MTU between directors and servers.", true, false, lookTunnels},
	{"adverts-filtered", network, "the packet filter lets adverts in", "Both directors are Master.", "Let protocol 112 in.", true, false, lookAdvertsFiltered},
	{"sync-filtered", network, "the packet filter lets connection_sync in", "Connections break at a takeover.", "Let UDP port 8848 in.", true, false, lookSyncFiltered},
	{"snooping", network, "switches pass multicast adverts", "Some minutes after the start, both directors are Master.", "Write peers in the virtual_router, or have a switch ask who listens (IGMP querier).", true, false, lookSnooping},
	{"address-elsewhere", addresses, "virtual addresses are on lvsd's interfaces only", "A Backup answers clients.", "Remove the address there.", true, false, lookTwice},
	{"address-answered", addresses, "one machine answers for each virtual address", "Some clients are refused, or reach one real server only.", "Find the machine by its MAC address; on a real server, lvsd realserver up.", true, true, lookAnswers},
	{"router-id", addresses, "nobody else has the id of a virtual router", "The addresses are on no director, or move back and forth.", "Give the virtual_router another id.", true, false, lookIDs},
	{"real-server", addresses, "this real server has what it needs", "The real server passes its check, and clients that are sent to it hang.", "--fix does what lvsd realserver up does.", false, true, lookRealServer},
	{"daemon", processes, "the daemon finds nothing", "See lvsd status.", "As its findings say.", true, false, lookDaemon},
	{"second-daemon", processes, "nothing else does the same", "The table or the addresses change back and forth.", "Stop keepalived, ldirectord, heartbeat or kube-proxy.", true, false, lookSecond},
	{"capabilities", processes, "this command may look", "What it cannot see is not known.", "Run it as root.", true, true, lookCapabilities},
	{"realtime", processes, "processes may have a real-time priority", "On a busy machine, the other director takes over for no reason.", "Set kernel.sched_rt_runtime_us, or give the container CAP_SYS_NICE.", true, false, lookRealtime},
	{"clock", processes, "something keeps the clock", "Logs do not agree; adverts that are signed with the time are refused.", "Run an NTP client.", true, true, lookClock},
}

// For reports whether an examination is for what a machine is.
func (e *Examination) For(c *Case) bool {
	return e.director && c.Director || e.realServer && c.RealServer
}

// Look examines a machine.
func (e *Examination) Look(c *Case) Result {
	if !e.For(c) {
		if e.director {
			return Result{Judgement: api.NotHere, Why: "this machine is no director"}
		}
		return Result{Judgement: api.NotHere, Why: "this machine is no real server"}
	}
	return e.look(c)
}

// Tell is what a Result says to people and programs.
func (e *Examination) Tell(r Result, done []string) api.Examination {
	a := api.Examination{Code: e.Code, Family: e.Family, Title: e.Title, State: r.Judgement, Why: r.Why, Findings: []api.Finding{}, Done: append([]string{}, done...)}
	for _, w := range r.Wrongs {
		a.Findings = append(a.Findings, api.Finding{Code: e.Code, Severity: w.Severity, Subject: w.Subject, Text: w.Text, Remedy: w.Remedy})
	}
	return a
}
