package show

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteStatus prints a status: a line about the daemon, findings, virtual
// routers, services with their real servers, and what the daemon is doing.
func (t Terminal) WriteStatus(out io.Writer, st *api.Status) error {
	w := bufio.NewWriter(out)
	t.writeHead(w, st)
	w.WriteByte('\n')
	t.writeRouters(w, st)
	w.WriteByte('\n')
	t.writeServices(w, st)
	w.WriteByte('\n')
	t.writeActivity(w, st)
	return w.Flush()
}

// WritePart prints a status of which Select has left only a part.
func (t Terminal) WritePart(out io.Writer, st *api.Status) error {
	w := bufio.NewWriter(out)
	t.writeHead(w, st)
	if len(st.Findings) == 0 {
		w.WriteString("Nothing is wrong.\n")
	}
	if len(st.Routers) > 0 {
		w.WriteByte('\n')
		t.writeRouters(w, st)
	}
	if len(st.Services) > 0 {
		w.WriteByte('\n')
		t.writeServices(w, st)
	}
	return w.Flush()
}

// writeHead prints a line about the daemon, and the findings.
func (t Terminal) writeHead(w *bufio.Writer, st *api.Status) {
	state, p := "ready", green
	switch {
	case st.Stopping:
		state, p = "stopping", yellow
	case !st.Ready:
		state, p = "starting", yellow
	}
	if st.Standby != nil {
		state, p = state+", in standby", yellow
	}
	fmt.Fprintf(w, "lvsd %s on %s: %s, running for %s, pid %d\n", text.Printable(st.Version),
		t.paint(text.Printable(st.Node), bold), t.paint(state, p), span(st.Time.Sub(st.Started)), st.PID)
	for i := range st.Findings {
		t.writeFinding(w, &st.Findings[i])
	}
}

func (t Terminal) writeFinding(w *bufio.Writer, f *api.Finding) {
	line, p := f.Text, yellow
	if f.Remedy != "" {
		line += ": " + f.Remedy
	}
	if f.Severity == api.Error {
		p = red
	}
	fmt.Fprintf(w, "%s %s\n", t.paint("!", red), t.paint(text.Printable(line), p))
}

func (t Terminal) writeRouters(w *bufio.Writer, st *api.Status) {
	if len(st.Routers) == 0 {
		w.WriteString("No virtual router is configured: this director moves no addresses.\n")
		t.writeStatic(w, st.Static)
		return
	}
	rows := table{columns: []column{
		{title: "ROUTER"}, {title: "INTERFACE", rank: 2}, {title: "VRID", right: true, rank: 3}, {title: "STATE"},
		{title: "SINCE", rank: 4}, {title: "FOR", right: true}, {title: "PRIORITY", right: true, rank: 1},
		{title: "MASTER"}, {title: "HELD", right: true}, {title: "ADDRESSES"},
	}}
	for i := range st.Routers {
		r := &st.Routers[i]
		rows.add(cell{text.Printable(r.Name), bold}, textCell(r.Interface), numberCell(uint64(r.VRID)), routerCell(r.State),
			textCell(clock(r.Since)), textCell(age(st.Time, r.Since)), numberCell(uint64(r.Priority)), textCell(masterOf(r)),
			textCell(fmt.Sprintf("%d/%d", r.Held, len(r.Addresses))), textCell(join(r.Addresses)))
	}
	rows.write(w, t)
	for i := range st.Routers {
		r := &st.Routers[i]
		fmt.Fprintf(w, "Peers   %s: %s\n", text.Printable(r.Name), peersOf(r))
		if a := r.Authentication; a != nil {
			fmt.Fprintf(w, "Keys    %s: %s\n", text.Printable(r.Name), keysOf(a))
		}
		writeResources(w, r.Name, r.Resources)
	}
	t.writeStatic(w, st.Static)
	for _, g := range st.SyncGroups {
		c := routerCell(g.State)
		fmt.Fprintf(w, "Group   %s: %s (%s)\n", text.Printable(g.Name), t.paint(c.text, c.paint), text.Printable(strings.Join(g.Routers, ", ")))
		writeResources(w, g.Name, g.Resources)
	}
}

// writeResources tells in one line how resources are: "mount /srv is running".
func writeResources(w *bufio.Writer, of string, resources []api.Resource) {
	var all []string
	for _, r := range resources {
		all = append(all, fmt.Sprintf("%s %s is %s", r.Kind, r.Name, r.State))
	}
	if len(all) > 0 {
		fmt.Fprintf(w, "Runs    %s: %s\n", text.Printable(of), text.Printable(strings.Join(all, ", ")))
	}
}

// writeStatic prints what this director has always.
func (t Terminal) writeStatic(w *bufio.Writer, k *api.Static) {
	if k == nil {
		return
	}
	p := plain
	if k.Held < len(k.Wanted) {
		p = red
	}
	fmt.Fprintf(w, "Static  %s held: %s\n", t.paint(fmt.Sprintf("%d/%d", k.Held, len(k.Wanted)), p), text.Printable(text.Few(k.Wanted)))
}

// keysOf tells how adverts are authenticated.
func keysOf(a *api.Authentication) string {
	if len(a.Keys) == 0 {
		return "a password, which everybody on the network can read"
	}
	ids := make([]string, len(a.Keys))
	for i, id := range a.Keys {
		ids[i] = strconv.Itoa(int(id))
	}
	signs := "signs nothing"
	if a.Signer != 0 {
		signs = fmt.Sprintf("signs with %d", a.Signer)
	}
	return fmt.Sprintf("%s, accepts %s (%s)", signs, strings.Join(ids, ", "), text.Printable(a.Mode))
}

// peersOf tells when the other directors were last heard.
func peersOf(r *api.Router) string {
	if len(r.Peers) == 0 && r.State == api.Master {
		return "not heard (a Backup is silent)"
	}
	all := []string{}
	for _, p := range r.Peers {
		word := ""
		if p.Key != 0 {
			word = fmt.Sprintf(", signed with key %d", p.Key)
		}
		if p.Refused != "" {
			word = ", refused for its " + text.Printable(p.Refused)
		}
		all = append(all, fmt.Sprintf("%v (priority %d) heard %s ago%s", p.Address, p.Priority, span(p.Age), word))
	}
	return cmp.Or(strings.Join(all, "; "), "not heard")
}

func routerCell(s api.State) cell {
	c := textCell(string(s))
	switch s {
	case api.Master:
		c.paint = green
	case api.Backup:
	default:
		c.paint = red
	}
	return c
}

// masterOf names the router that r follows.
func masterOf(r *api.Router) string {
	switch {
	case r.State == api.Master:
		return "this director"
	case r.Aside != nil:
		return fmt.Sprintf("%v (refused)", r.Aside.Master)
	case !r.Master.IsValid() || r.State == api.Initialize: // the last one heard may be long gone
		return "-"
	default:
		return fmt.Sprintf("%v (%d)", r.Master, r.MasterPriority)
	}
}

func (t Terminal) writeActivity(w *bufio.Writer, st *api.Status) {
	p, k, r := &st.Probes, &st.Table, &st.Reload
	if len(st.Routers) > 0 || st.Static != nil {
		fmt.Fprintf(w, "Keeper  %s\n", keeperState(st))
		if d := st.Keeper.Watchdog; d != nil && d.Fed {
			fmt.Fprintf(w, "        feeds %s, which resets this machine if that does not happen for %v\n", text.Printable(d.Device), d.Timeout)
		}
	}
	fmt.Fprintf(w, "Probes  %d distinct, %d in flight, %d waiting for a slot, %d were late\n", p.Targets, p.InFlight, p.Waiting, p.Late)
	var ops uint64
	for _, n := range k.Operations {
		ops += n
	}
	fmt.Fprintf(w, "Table   %s, %s, %s repaired, %s; last compared in full: %s\n",
		text.Count(ops, "operation"), text.Count(k.Errors, "error"), text.Count(k.Drift, "row"), text.Count(k.Foreign, "foreign service"), ago(st.Time, k.Audited))
	for _, f := range st.Foreign {
		fmt.Fprintf(w, "        not lvsd's: %s\n", text.Printable(f))
	}
	fmt.Fprintf(w, "Config  %s, digest %s, applied %s; read %d×, refused %d×\n", text.Printable(r.Path),
		text.Printable(cut(r.Digest, 13)), ago(st.Time, r.Applied), r.Succeeded+r.Failed, r.Failed)
}

// keeperState tells how the keeper is: "pid 812, restarted 2×, 4m12s ago".
func keeperState(st *api.Status) string {
	k, state := &st.Keeper, "not running"
	if k.PID != 0 {
		state = fmt.Sprintf("pid %d", k.PID)
	}
	if len(k.Processors) > 0 {
		numbers := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(k.Processors)), ", "), "[]")
		state += fmt.Sprintf(", on processor %s", numbers)
	}
	if k.Restarts == 0 {
		return state + ", never restarted"
	}
	return fmt.Sprintf("%s, restarted %d×, %s", state, k.Restarts, ago(st.Time, k.Restarted))
}

func join(prefixes []netip.Prefix) string {
	all := make([]string, len(prefixes))
	for i, p := range prefixes {
		all[i] = p.String()
	}
	return strings.Join(all, ", ")
}
