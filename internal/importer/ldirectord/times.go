package ldirectord

import (
	"strconv"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// ldirectord's own settings, where nothing is said.
const (
	ownInterval  = 10
	ownConnect   = 5
	ownNegotiate = 30
	longestTime  = 24 * time.Hour
	mostFailures = 1000
)

// setting is a number and the lines that it comes from.
type setting struct {
	n    int
	from []importer.Place
	line *line
}

// time is a setting in seconds.
func (v setting) time() time.Duration { return time.Duration(v.n) * time.Second }

// choose returns the first line of several as a number, or one that stands for none.
func choose(absent int, list ...*line) setting {
	for _, l := range list {
		if l != nil {
			n, _ := strconv.Atoi(l.value)
			return setting{n, places(l), l}
		}
	}
	return setting{n: absent}
}

// limit returns the time limit of a probe that connects, or of one that negotiates: each
// stands for the other one where that is not set.
func (w *walk) limit(s *service, negotiates bool) setting {
	c, n := w.of(s, "checktimeout"), w.of(s, "negotiatetimeout")
	allC, allN := w.last(nil, "checktimeout"), w.last(nil, "negotiatetimeout")
	if negotiates {
		return choose(ownNegotiate, n, c, allN, allC)
	}
	return choose(ownConnect, c, n, allC, allN)
}

// interval returns the time between rounds.
func (w *walk) interval(s *service) setting {
	all := w.last(nil, "checkinterval")
	if !w.forks() {
		return choose(ownInterval, all)
	}
	return choose(ownInterval, w.of(s, "checkinterval"), all)
}

// forks reports whether each service is checked by a process of its own.
func (w *walk) forks() bool { return w.last(nil, "fork").is("yes", "no") }

func (w *walk) failures(s *service) setting { return choose(1, w.either(s, "failurecount")) }

// timed sets how often a check is made, how long it may take, and how many failures count.
func (w *walk) timed(s *service, b *importer.Block, negotiates bool) {
	every, limit, fall := w.interval(s), w.limit(s, negotiates), w.failures(s)
	w.bound(&every, int(longestTime/time.Second))
	w.bound(&limit, int(longestTime/time.Second))
	w.bound(&fall, mostFailures)
	i, t := every.time(), limit.time()
	stretched, comment := asLong(i, t, fall.n)
	b.Set("interval", importer.Duration(i), every.from...)
	b.Set("timeout", importer.Duration(stretched), limit.from...).Comment = comment
	b.Set("rise", importer.Number(1))
	b.Set("fall", importer.Number(fall.n), fall.from...)
	if fall.n > 1 {
		b.Set("fast_interval", importer.Duration(i)) // also for a server that refuses
	}
}

// asLong returns the timeout with which a server that hangs is down after as long as in
// ldirectord, which waits an interval after the end of each probe, and what there is to say
// about it. As it is, it is kept where that makes a tenth at most.
func asLong(interval, timeout time.Duration, fall int) (stretched time.Duration, comment string) {
	n := time.Duration(fall)
	there := n*timeout + (n-1)*interval
	here := func(t time.Duration) time.Duration { return (n-1)*max(interval, t) + t }
	stretched = timeout
	if there-here(timeout) > (there+interval/2)/10 {
		if stretched = there / n; stretched < interval {
			stretched = there - (n-1)*interval
		}
		stretched = min(stretched.Round(10*time.Millisecond), longestTime)
		return stretched, short(timeout) + " and pauses in ldirectord: a server that hangs is down after " + short(there)
	}
	if there != here(timeout) {
		comment = "a server that hangs is down after " + short(here(timeout)) + ", in ldirectord after " + short(there)
	}
	return stretched, comment
}

func short(d time.Duration) string { return importer.Duration(d).Text }

// bound keeps a setting within what lvsd has.
func (w *walk) bound(v *setting, most int) {
	if v.n > most {
		w.lose(importer.Differs, v.line, "the most is "+strconv.Itoa(most)+" here", "")
		v.n = most
	}
}
