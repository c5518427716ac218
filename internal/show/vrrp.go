package show

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteVRRP prints all that is known of virtual routers, for people or as a JSON list:
// of those of these names or sync groups, or of all where none is given.
func (t Terminal) WriteVRRP(out io.Writer, st *api.Status, names []string, asJSON bool) error {
	for _, name := range names {
		if !slices.ContainsFunc(st.Routers, func(r api.Router) bool { return r.Name == name || r.SyncGroup == name }) {
			return fmt.Errorf("no virtual router or sync group %q is configured: \"lvsd vrrp\" lists all", text.Printable(name))
		}
	}
	routers := slices.DeleteFunc(append([]api.Router{}, st.Routers...), func(r api.Router) bool {
		return len(names) > 0 && !slices.Contains(names, r.Name) && !slices.Contains(names, cmp.Or(r.SyncGroup, r.Name))
	})
	if asJSON {
		return json.NewEncoder(out).Encode(routers)
	}
	w := bufio.NewWriter(out)
	if len(routers) == 0 {
		w.WriteString("No virtual router is configured: this director moves no addresses.\n")
	}
	for i := range routers {
		if i > 0 {
			w.WriteByte('\n')
		}
		r := &routers[i]
		for _, g := range st.SyncGroups {
			if g.Name == r.SyncGroup {
				r.Resources = append(slices.Clip(r.Resources), g.Resources...)
			}
		}
		t.writeVRRP(w, st.Time, r)
	}
	return w.Flush()
}

// patienceOf tells how many adverts may be missed, where that is not as usual.
func patienceOf(r *api.Router) string {
	if r.MissedAdverts == 0 || r.MissedAdverts == 3 {
		return ""
	}
	return fmt.Sprintf(", a Master counts as gone after %d", r.MissedAdverts)
}

// writeVRRP prints one virtual router.
func (t Terminal) writeVRRP(w *bufio.Writer, now time.Time, r *api.Router) {
	c := routerCell(r.State)
	fmt.Fprintf(w, "%s: %s for %s, %s\n", t.paint(text.Printable(r.Name), bold), t.paint(c.text, c.paint), age(now, r.Since), text.Printable(cmp.Or(r.Phase, "not reported yet")))
	line := func(title, format string, args ...any) {
		fmt.Fprintf(w, "  %-12s %s\n", title, text.Printable(fmt.Sprintf(format, args...)))
	}
	line("where", "interface %s, id %d, version %d, an advert each %v%s", r.Interface, r.VRID, r.Version, r.Interval, patienceOf(r))
	if r.SyncGroup != "" {
		line("sync group", "%s", r.SyncGroup)
	}
	if r.Fault != "" {
		line("fault", "%s", r.Fault)
	}
	if h := r.HeldBack; h != nil {
		line("holds back", "since a failover that was ordered by %v at %s; lvsd resume ends that", h.By, clock(h.Since))
	}
	line("priority", "%d%s", r.Priority, effects(r))
	for _, c := range r.Conditions {
		line("condition", "%s", conditionOf(&c))
	}
	line("Master", "%s", masterOf(r))
	line("peers", "%s", peersOf(r))
	line("addresses", "%d of %d held: %s", r.Held, len(r.Addresses), join(r.Addresses))
	line("adverts", "%d sent, %d received", r.Counters.AdvertsSent, r.Counters.AdvertsReceived)
	if n := total(&r.AdvertGaps); n > 0 {
		line("gaps", "%.2f intervals on average, %.2f at most; late %s", r.AdvertGaps.Sum/float64(n), r.AdvertGaps.Max, text.Count(r.Counters.AdvertsLate, "time"))
	}
	if n := total(&r.AdvertLateness); n > 0 {
		line("lateness", "sent %s late on average, %s at most", latency(seconds(r.AdvertLateness.Sum/float64(n))), latency(seconds(r.AdvertLateness.Max)))
	}
	for _, x := range r.Resources {
		line("resource", "%s %s is %s%s", x.Kind, x.Name, x.State, resourceNote(&x))
	}
	for _, counted := range trouble(&r.Counters) {
		line("counted", "%s", counted)
	}
	for _, tr := range r.Transitions {
		line("transition", "%s  %s -> %s: %s", clock(tr.At), tr.From, tr.To, tr.Why)
	}
}

// resourceNote is since when a resource is so, and what went wrong last.
func resourceNote(r *api.Resource) (note string) {
	if !r.Since.IsZero() {
		note = ", since " + clock(r.Since)
	}
	if r.Failure != "" {
		note += ": " + r.Failure
	}
	return note
}

func total(h *api.Histogram) (n uint64) {
	for _, b := range h.Buckets {
		n += b
	}
	return n
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// effects tells what the priority comes from, where conditions change it.
func effects(r *api.Router) string {
	sum := 0
	for i := range r.Conditions {
		sum += r.Conditions[i].Effect
	}
	if sum == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d as configured, %+d by conditions)", r.Configured, sum)
}

// conditionOf tells how a condition is, and what it changes.
func conditionOf(c *api.Condition) string {
	state := "met"
	switch {
	case c.Unknown:
		state = "unknown, and counts as met"
	case !c.Met && c.Hard:
		state = "NOT met, so this director is not Master"
	case !c.Met:
		state = "not met"
	}
	line := c.Name + ": " + state
	if c.Effect != 0 {
		line += fmt.Sprintf(", priority %+d", c.Effect)
	}
	if c.Reason != "" {
		line += " (" + c.Reason + ")"
	}
	return line
}

// trouble are the counters that tell of something unusual and have counted, a line
// each.
func trouble(c *api.RouterCounters) []string {
	var all []string
	for _, n := range []struct {
		count uint64
		of    string
	}{
		{c.OtherMasters, "adverts of another Master while this director was Master too"},
		{c.SendErrors, "adverts that the kernel refused to send"},
		{c.Stalls, "wake-ups that came too late"},
		{c.AddressesRestored, "addresses that somebody else had removed"},
		{c.AddressesRemoved, "addresses that somebody else had added"},
	} {
		if n.count > 0 {
			all = append(all, fmt.Sprintf("%d %s", n.count, n.of))
		}
	}
	for _, by := range []struct {
		what   string
		counts map[string]uint64
	}{{"packets discarded", c.Discarded}, {"adverts that disagree", c.Mismatched}} {
		for _, reason := range slices.Sorted(maps.Keys(by.counts)) {
			if n := by.counts[reason]; n > 0 {
				all = append(all, fmt.Sprintf("%d %s: %s", n, by.what, reason))
			}
		}
	}
	return all
}
