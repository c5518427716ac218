package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// busyAdverts are the intervals of the adverts of a director beside two busy processes for
// each processor. Each is listened to for a minute.
var busyAdverts = []interval{interval(100 * time.Millisecond), interval(30 * time.Millisecond)}

const listenedFor = time.Minute

// An interval is that between adverts.
type interval time.Duration

// name names a figure of it.
func (i interval) name(figure string) string {
	return fmt.Sprintf("adverts each %s: %s", quantity(time.Duration(i).Seconds(), unitTime), figure)
}

// The figures of an interval, of which each part has some.
const (
	lateMedian  = "lateness, median"
	late99      = "lateness, 99 of 100 are below"
	late999     = "lateness, 999 of 1,000 are below"
	lateWorst   = "lateness, the latest"
	missing     = "that did not come"
	falseAdvert = "of the other director, which is to have none"
	stoodStill  = "the machine stood still"
)

// A listening hears the Master's adverts where its backup is, and those that the backup
// should not send where the Master is, by the time stamps of the kernel.
type listening struct {
	masters, others cluster.Adverts
	stalls          *cluster.Stalls
}

// listen begins to listen to a cluster whose first director is Master.
func listen(c *cluster.Cluster) (l listening, err error) {
	if l.masters, err = cluster.ListenAdverts(c.Directors[1], "eth0"); err != nil {
		return l, err
	}
	if l.others, err = cluster.ListenAdverts(c.Directors[0], "eth0"); err == nil {
		l.stalls = cluster.WatchStalls()
	}
	return l, err
}

// note ends the listening, and notes what was heard.
func (i interval) note(l listening, into column) error {
	defer l.masters.Close()
	defer l.others.Close()
	l.stalls.Stop()
	times, reading := l.masters.Times()
	others, err := l.others.Times()
	if err := errors.Join(reading, err); err != nil {
		return err
	}
	late := cluster.Lateness(times, time.Duration(i), l.stalls)
	if len(late) == 0 {
		return fmt.Errorf("%d adverts arrived", len(times))
	}
	slices.Sort(late)
	lost := time.Duration(0)
	for _, by := range late {
		lost += by.Round(time.Duration(i)) / time.Duration(i)
	}
	first, last := times[0], times[len(times)-1]
	into.addTime(i.name(lateMedian), late[len(late)/2])
	into.addTime(i.name(late99), late[len(late)*99/100])
	into.addTime(i.name(late999), late[len(late)*999/1000])
	into.addTime(i.name(lateWorst), late[len(late)-1])
	into.add(i.name(missing), float64(lost))
	into.add(i.name(falseAdvert), float64(len(others)))
	into.add(i.name(stoodStill), l.stalls.Between(first, last).Seconds()/last.Sub(first).Seconds())
	return nil
}
