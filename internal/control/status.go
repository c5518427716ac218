package control

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/vrrp"
)

// A View is how a status is printed: for a terminal of Width characters, or
// without bound where that is zero, and with or without colour.
type View struct {
	Width int
	Color bool
}

// paint wraps text in a colour.
func (v View) paint(text string, p paint) string {
	if !v.Color || p == plain {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}

// WriteStatus prints a status for people: a line about the daemon, warnings,
// virtual routers, services with their real servers, and what the daemon does.
func (v View) WriteStatus(out io.Writer, st *director.Status) error {
	w := bufio.NewWriter(out)
	v.writeHead(w, st)
	for _, warning := range Warnings(st) {
		fmt.Fprintf(w, "%s %s\n", v.paint("!", red), v.paint(warning, yellow))
	}
	w.WriteByte('\n')
	v.writeRouters(w, st)
	w.WriteByte('\n')
	v.writeServices(w, st)
	w.WriteByte('\n')
	v.writeActivity(w, st)
	return w.Flush()
}

func (v View) writeHead(w *bufio.Writer, st *director.Status) {
	state, p := "ready", green
	switch {
	case st.Stopping:
		state, p = "stopping", yellow
	case !st.Ready:
		state, p = "starting", yellow
	}
	fmt.Fprintf(w, "lvsd %s on %s: %s, running for %s, pid %d\n", Printable(st.Version),
		v.paint(Printable(st.Node), bold), v.paint(state, p), span(st.Time.Sub(st.Started)), st.PID)
}

func (v View) writeRouters(w *bufio.Writer, st *director.Status) {
	if len(st.Routers) == 0 {
		w.WriteString("No virtual router is configured: this director moves no addresses.\n")
		return
	}
	t := table{columns: []column{
		{title: "ROUTER"}, {title: "INTERFACE", rank: 2}, {title: "VRID", right: true, rank: 3}, {title: "STATE"},
		{title: "SINCE", rank: 4}, {title: "FOR", right: true}, {title: "PRIORITY", right: true, rank: 1},
		{title: "MASTER"}, {title: "HELD", right: true}, {title: "ADDRESSES"},
	}}
	for i := range st.Routers {
		r := &st.Routers[i]
		t.add(cell{Printable(r.Name), bold}, text(r.Interface), number(uint64(r.VRID)), routerCell(r.State),
			text(clock(r.Since)), text(age(st.Time, r.Since)), number(uint64(r.Priority)), text(masterOf(r)),
			text(fmt.Sprintf("%d/%d", r.Held, len(r.Addresses))), text(join(r.Addresses)))
	}
	t.write(w, v)
}

func routerCell(s vrrp.State) cell {
	switch s {
	case vrrp.Master:
		return cell{s.String(), green}
	case vrrp.Backup:
		return text(s.String())
	default:
		return cell{s.String(), red}
	}
}

// masterOf says whom the router follows.
func masterOf(r *vrrp.Status) string {
	switch {
	case r.State == vrrp.Master:
		return "this director"
	case !r.Master.IsValid() || r.State == vrrp.Initialize: // It may be long gone.
		return "-"
	default:
		return fmt.Sprintf("%v (%d)", r.Master, r.MasterPriority)
	}
}

func (v View) writeServices(w *bufio.Writer, st *director.Status) {
	if len(st.Services) == 0 {
		w.WriteString("No virtual service is configured: this director balances nothing.\n")
		return
	}
	t := table{columns: []column{
		{title: "SERVICE"}, {title: "ADDRESS"}, {title: "METHOD", rank: 5}, {title: "HEALTH"}, {title: "FOR", right: true, rank: 3},
		{title: "WEIGHT", right: true}, {title: "KERNEL", right: true, rank: 2},
		{title: "ACTIVE", right: true, rank: 1}, {title: "INACTIVE", right: true, rank: 4}, {title: "LAST RESULT"},
	}}
	for i := range st.Services {
		s := &st.Services[i]
		t.add(cell{Printable(s.Name), bold}, text(s.Address), text(s.Scheduler), serviceCell(s))
		for j := range s.Servers {
			t.add(serverRow(st.Time, &s.Servers[j])...)
		}
		if f := s.Fallback; f != nil {
			t.add(fallbackRow(f)...)
		}
	}
	v.writeReasons(w, st, t.write(w, v))
}

// maxReasons bounds the reasons that are written below the table.
const maxReasons = 10

// writeReasons writes why servers are down, in whole, where the table's last
// column has no more than room characters for it.
func (v View) writeReasons(w *bufio.Writer, st *director.Status, room int) {
	cut := 0
	for i := range st.Services {
		for j := range st.Services[i].Servers {
			s := &st.Services[i].Servers[j]
			reason := results(s.Checks)
			if s.Health != director.HealthDown || utf8.RuneCountInString(reason.text) <= room {
				continue
			}
			if cut++; cut <= maxReasons {
				fmt.Fprintf(w, "%s is down: %s\n", Printable(st.Services[i].Name+"/"+s.Name), v.paint(reason.text, reason.paint))
			}
		}
	}
	if cut > maxReasons {
		fmt.Fprintf(w, "and %d more: \"lvsd status | less -S\" shows every reason in whole\n", cut-maxReasons)
	}
}

func serviceCell(s *director.ServiceStatus) cell {
	up := 0
	for i := range s.Servers {
		if serves(&s.Servers[i]) {
			up++
		}
	}
	c := cell{fmt.Sprintf("%d/%d up", up, len(s.Servers)), green}
	switch {
	case s.Supply == director.Withheld:
		c = text("withheld")
	case s.Missing():
		c = cell{"missing", red}
	case s.Supply == director.Unserved:
		c.paint = red
	case up < len(s.Servers):
		c.paint = yellow
	}
	return c
}

// serves tells whether a real server is there to take connections: weight 0
// drains it.
func serves(s *director.ServerStatus) bool { return passes(s) && s.Weight > 0 }

// passes tells whether a real server is up, or nobody checks it.
func passes(s *director.ServerStatus) bool {
	return s.Health == director.HealthUp || s.Health == director.HealthUnchecked
}

func serverRow(now time.Time, s *director.ServerStatus) []cell {
	health := text(string(s.Health))
	switch {
	case passes(s) && s.Weight == 0:
		health = cell{"drained", yellow}
	case s.Health == director.HealthUp:
		health.paint = green
	case s.Health == director.HealthDown:
		health.paint = red
	}
	return append([]cell{text("  " + s.Name), text(s.Address), text(s.Forward), health, text(age(now, s.Since))},
		append(kernelCells(s), results(s.Checks))...)
}

func fallbackRow(f *director.ServerStatus) []cell {
	state := text("standby")
	if f.InKernel {
		state = cell{"serving", yellow}
	}
	return append([]cell{text("  (fallback)"), text(f.Address), text(f.Forward), state, {}}, kernelCells(f)...)
}

// kernelCells are the weights and connections; what is not in the kernel has
// none there.
func kernelCells(s *director.ServerStatus) []cell {
	if !s.InKernel {
		return []cell{number(uint64(s.Weight)), text("-"), text("-"), text("-")}
	}
	kernel := number(uint64(s.KernelWeight))
	if s.KernelWeight != s.Weight {
		kernel.paint = yellow
	}
	return []cell{number(uint64(s.Weight)), kernel, number(uint64(s.Counters.Active)), number(uint64(s.Counters.Inactive))}
}

// results tells the last result of each check.
func results(checks []director.CheckStatus) cell {
	var all []string
	p := plain
	for _, c := range checks {
		switch r := c.Last; r.Outcome {
		case checker.Passed:
			all = append(all, fmt.Sprintf("%s: ok, %s", c.Kind, latency(r.Latency)))
		case checker.Failed:
			all = append(all, fmt.Sprintf("%s: %s, %s", c.Kind, cmp.Or(r.Detail, "failed"), latency(r.Latency)))
			p = red
		case checker.NotRun:
			all = append(all, fmt.Sprintf("%s: not run: %s", c.Kind, r.Detail))
			p = yellow
		default:
			all = append(all, c.Kind+": no result yet")
		}
	}
	return cell{Printable(strings.Join(all, "; ")), p}
}

func (v View) writeActivity(w *bufio.Writer, st *director.Status) {
	p, k, r := &st.Probes, &st.Table, &st.Reload
	fmt.Fprintf(w, "Probes  %d distinct, %d in flight, %d waiting for a place; %d were late\n", p.Targets, p.InFlight, p.Waiting, p.Late)
	var ops uint64
	for _, n := range k.Operations {
		ops += n
	}
	fmt.Fprintf(w, "Table   %d operations, %d errors, %d rows repaired, %d foreign services, compared in whole %s\n",
		ops, k.Errors, k.Drift, k.Foreign, ago(st.Time, k.Audited))
	for _, f := range st.Foreign {
		fmt.Fprintf(w, "        not lvsd's: %s\n", Printable(f))
	}
	fmt.Fprintf(w, "Config  %s, digest %s, applied %s; read %d×, refused %d×\n", Printable(r.Path),
		Printable(cut(r.Digest, 13)), ago(st.Time, r.Applied), r.Succeeded+r.Failed, r.Failed)
}

// text makes a cell of any text.
func text(s string) cell { return cell{text: Printable(s)} }

func number(n uint64) cell { return cell{text: strconv.FormatUint(n, 10)} }

// age is how long something has been so.
func age(now, since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return span(now.Sub(since))
}

func ago(now, then time.Time) string {
	if then.IsZero() {
		return "never"
	}
	return span(now.Sub(then)) + " ago"
}

func join(prefixes []netip.Prefix) string {
	all := make([]string, len(prefixes))
	for i, p := range prefixes {
		all[i] = p.String()
	}
	return strings.Join(all, ", ")
}
