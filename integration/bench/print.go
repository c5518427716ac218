package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// titles say of each part where and how it was measured.
var titles = map[string]string{
	"config":    "Configuration of 1,000 services × 10 servers, ",
	"failover":  "Failover of a pair of directors: the Master's link is cut, the client sends an echo every 2 ms, ",
	"handover":  "Hand-over in a pair of directors, adverts every second, the client sends an echo every 2 ms, ",
	"flood":     "A pair of directors on one processor, adverts every 100 ms, and VRRP packets of a third host, ",
	"crowd":     "The same with 100 virtual routers, of which 99 have 20 addresses each, ",
	"forged":    "The same with one virtual router, whose adverts the third host forges, ",
	"steady":    "A pair of directors without services, beside two busy processes for each processor, ",
	"scale":     "1,000 virtual routers on four interfaces, adverts every second, ",
	"scale-mac": "The same with virtual MACs, and without answers but for services (accept = false), ",
	"start":     "A pair of directors with one service, three servers and HTTP checks, adverts every second, ",
	"servers":   "A pair with three servers, HTTP checks every second, three tries, and a client that asks for 50 pages a second, ",
	"detection": "A pair with three servers, HTTP checks every second, three tries 0.1 s apart, and a client that asks for 50 pages a second, ",
	"table":     "1,000 services × 10 servers, ",
	"checks":    "TCP checks of 200 answering servers, one a second each, ",
	"storm":     "1,000 services × 10 servers with a TCP check every 10 seconds, adverts every 100 ms, ",
	"churn":     "100 services × 10 servers whose weights and services change twice a second, and whose servers fail and return, ",
	"adverts":   "Adverts of a director that reads 1,000 services × 10 servers again each second, and is scraped, ",
}

// notes say what a reader must know to believe a part's figures.
var notes = map[string]string{
	"failover": `The moment is random within the advert interval. "Silence" is from the last advert that the backup
received, by the kernel's time stamp on its interface, to the first answer at the client, and Master_Down is what VRRP
has the backup wait. The client's gap depends on the moment, too. "Holders" counts the directors that hold the address
when the watch ends: one is right. Where the backup sent an advert before the cut, that is a false failover, and counts as
nothing else. The pairs of a daemon run at the same time, never beside the other daemon's.`,
	"handover": `An echo is lost if it is not answered within 0.1 s. keepalived has no order for a failover or a standby.
The pairs of a daemon run at the same time, never beside the other daemon's.`,
	"flood": `The share is that of the daemon's processes on the backup, less what they use at rest: strangers are adverts
for another id, broken ones have the pair's id and a wrong checksum. Both directors are bound to one processor, and
the sender is not. Whether the backup had the address was asked all the time: that count is to be 0.`,
	"forged": `A packet of priority 255 takes the address from both directors, as VRRP has it; what is bounded is what they
do about it.`,
	"steady": `An advert is late by what it comes after an interval from the one before it, at the other director and by its
kernel's clock, in one minute; the time in which real-time threads of the bench slept too long, because the machine
stood still, is not counted.`,
	"scale": `Shares and memory are those of all processes of a director, at rest for 20 s; memory is their PSS. Then the
Master's four links are cut. The client hears of each take-over by the first gratuitous ARP for its address. What a
second apart the Master's adverts were, the take-overs are too: those of lvsd are in step, as they started.`,
	"start": `The client asks every 20 ms. 3.41 s of the time are VRRP's: the first director, of priority 150, must not have
heard a Master for so long. lvsd serves no page before each server was checked once, keepalived takes them for up.`,
	"servers": `The servers are nginx, by NAT, with weights 3, 3 and 1.
lvsd: interval = "1s", timeout = "500ms", fall = 3, rise = 1. keepalived: delay_loop 1, connect_timeout 0.5,
retry 2 (after the first try), delay_before_retry 1, fast_recovery. A server that refuses is asked again after a
second by keepalived, after a quarter of the interval by lvsd. For one that hangs the settings are not alike either:
keepalived gives each step of a check 0.5 s, and counts the second to the next check from the end of the last;
lvsd gives the whole check 0.5 s, and counts from its beginning. A server fails at the same moment between two of
its checks for both daemons, and at another one in each run. A request is given 1 s, and is slow after 0.2 s.
The times are of the table of the director that serves; "never" is not within 10 s. The broken file lacks a closing
quote, and only the first director is told to read it.`,
	"detection": `lvsd: interval = "1s", fast_interval = "100ms", timeout = "200ms", fall = 3, rise = 1; of three servers
one fails at a time, at any moment. A request is given 1 s. The times are of the table of the director that serves.`,
	"table": `Both have TCP checks of all 10,000 servers, once an hour, which a listener answers. keepalived spreads the
first ones over the hour; lvsd makes them all at once as soon as the table is loaded, and its memory is looked
at when they are done. Memory is the PSS of all processes of a daemon together.`,
	"checks": `200 checks a second are to be made: where a daemon makes less than 95 % of them, the part fails. The
machine's time is that in which it was not idle, by the idle clock: both ends of the connections are in it, and
whatever else it did. That of the machine that emulates it is qemu's own, which neither what else runs there
nor the wait of one emulated processor for the other adds to. In user-mode Linux a process's own time is not known: its kernel looks who runs every 10 ms,
which is when timers, and so checks, begin.`,
	"storm": `All servers are one listening socket, which is closed, and opened again: each refuses from its next check on. The
last verdict is the last change of a server's health that the status tells.`,
	"churn": `It lasts as long as -flood says, less a tenth for the first look. Servers fail or return all at once every 4 s; all
is as it was in the beginning for 10 s before it is looked at, in all processes together.`,
	"adverts": `Two processes for each processor are busy beside it, and each second another third of the weights is
configured and loaded; lvsd is scraped as often, with the metrics of each server. The other director has the virtual router
alone. An advert is late by what it comes after an interval from the one before it, at the other
director and by its kernel's clock; the time in which real-time threads of the bench slept too long, because the
machine stood still, is not counted. A peer takes over after more than three intervals of silence.`,
}

// printTable prints the figures for people.
func printTable(w io.Writer, figures []Figure) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for i, f := range figures {
		if i == 0 || figures[i-1].Part != f.Part {
			if i > 0 {
				printNotes(t, figures[i-1].Part)
			}
			fmt.Fprintf(t, "\n%s\n\n", titles[f.Part]+f.Place)
			fmt.Fprint(t, "  median (least to most)\tlvsd\tkeepalived\tratio\tgoal\t\n")
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", f.Name, spread(f.LVSD, f.Unit), spread(f.Peer, f.Unit), f.ratioText(), f.goalText())
	}
	if n := len(figures); n > 0 {
		printNotes(t, figures[n-1].Part)
	}
	return t.Flush()
}

func printNotes(w io.Writer, part string) {
	if text := notes[part]; text != "" {
		fmt.Fprintf(w, "\n  %s\n", strings.ReplaceAll(text, "\n", "\n  "))
	}
}

// spread is the median with the least and the most of the runs.
func spread(runs []float64, unit string) string {
	if len(runs) == 0 {
		return "–"
	}
	least, most := quantity(slices.Min(runs), unit), quantity(slices.Max(runs), unit)
	if least == most {
		return least
	}
	return fmt.Sprintf("%s (%s–%s)", quantity(median(runs), unit), least, most)
}

// quantity is a value with its unit, to about three digits.
func quantity(v float64, unit string) string {
	switch unit {
	case unitTime:
		if v == never {
			return "never"
		}
		d := time.Duration(v * float64(time.Second))
		for _, grain := range []time.Duration{10 * time.Millisecond, 100 * time.Microsecond, time.Microsecond} {
			if d >= 100*grain {
				return d.Round(grain).String()
			}
		}
		return d.Round(time.Microsecond / 10).String()
	case unitBytes:
		return fmt.Sprintf("%.1f MB", v/1e6)
	case unitShare:
		return fmt.Sprintf("%.0f %%", 100*v)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}

func (f Figure) ratioText() string {
	r, ok := f.ratio()
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.2g", r)
}

func (f Figure) goalText() string {
	if f.Goal == nil {
		return "–\t"
	}
	goal := "≤ " + quantity(f.Goal.Value, f.Unit)
	switch f.Goal.Kind {
	case goalRatio:
		goal = fmt.Sprintf("ratio ≤ %.2g", f.Goal.Value)
	case goalWorst:
		goal = "worst " + goal
		if f.Goal.Beside > 0 {
			goal += ", keepalived's + " + quantity(f.Goal.Beside, f.Unit)
		}
	case goalAlways:
		goal = "always " + quantity(f.Goal.Value, f.Unit)
	}
	if f.met() {
		return goal + "\tmet"
	}
	return goal + "\tMISSED"
}
