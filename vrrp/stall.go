package vrrp

import "time"

// A stall is what a router does about having woken up too late. What arrived
// meanwhile may not have been read, or not even been delivered. The router puts
// off the timer that it missed and listens until then.
type stall struct{ listening bool }

// backup returns until when a Backup has to listen whose timer should have
// ended at a time; zero: it woke up in time. A machine that is always a little
// late listens only once.
func (s *stall) backup(now, timer time.Time, interval time.Duration) (until time.Time) {
	late := now.Sub(timer)
	tolerated := listening(interval, false)
	if s.listening {
		tolerated = missedAdverts * interval
	}
	if late <= tolerated {
		return time.Time{}
	}
	s.listening = true
	return now.Add(listening(interval, late >= interval))
}

// master does the same for a Master whose last advert was sent, and whose next
// one was due, at these times. Once its last advert is older than a peer's
// patience at its shortest, another router may be Master.
func (s *stall) master(now, sent, due time.Time, c *Config) (until time.Time) {
	since, interval := sent, c.Interval
	patience := time.Duration(min(c.missed(), missedAdverts)) * interval // A peer may have the RFC's.
	if s.listening {
		since = due
	}
	if now.Sub(since) < patience {
		return time.Time{}
	}
	s.listening = true
	certain := now.Sub(sent) >= patience+interval
	return now.Add(listening(interval, certain))
}

// listening is how long a router listens after a stall: just long enough to
// read what has arrived, or, where adverts of another Master may also have been
// lost, until its next one is overdue.
func listening(interval time.Duration, long bool) time.Duration {
	if long {
		return interval + interval/4
	}
	return interval / 8
}
