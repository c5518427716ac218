package event

import (
	"log/slog"
	"time"
)

const (
	// perMinute is how many events of one code pass within a minute. It is far
	// more than a person reads; whatever flaps a hundred times tells no more.
	perMinute = 100
	minute    = time.Minute
)

// A Limit bounds events by their code, so that no flapping, flood or storm of
// signals writes without bound. What it leaves out is counted, and the count is
// an event of the same code. The zero value is ready for use.
type Limit struct {
	minutes map[string]*passing
}

// A passing is what passed of one code since its minute began.
type passing struct {
	began   time.Time
	passed  int
	left    int
	last    Event // that was left out
	gravest slog.Level
}

// Pass reports whether an event is to be passed on. Events that came before
// should have been asked for by Expire.
func (l *Limit) Pass(now time.Time, e Event) bool {
	if l.minutes == nil {
		l.minutes = make(map[string]*passing)
	}
	p := l.minutes[e.Code]
	if p == nil {
		p = &passing{began: now}
		l.minutes[e.Code] = p
	}
	if p.passed < perMinute {
		p.passed++
		return true
	}
	if p.left == 0 {
		p.gravest = e.Severity
	}
	p.gravest = max(p.gravest, e.Severity)
	p.left++
	p.last = e
	return false
}

// Deadline returns when Expire has something to do; zero: nothing passes.
func (l *Limit) Deadline() time.Time {
	var first time.Time
	for _, p := range l.minutes {
		if end := p.began.Add(minute); first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first
}

// Expire ends the minutes that are over, and returns what was left out in them.
func (l *Limit) Expire(now time.Time) []Event {
	var counts []Event
	for code, p := range l.minutes {
		if now.Sub(p.began) < minute {
			continue
		}
		delete(l.minutes, code)
		if p.left > 0 {
			counts = append(counts, p.count(now))
		}
	}
	return counts
}

// count tells what was left out. Of the last one it says all, as it may be how
// things are now.
func (p *passing) count(now time.Time) Event {
	attributes := []slog.Attr{slog.Int("left_out", p.left), slog.String("last", p.last.Text)}
	return Event{At: now, Severity: p.gravest, Code: p.last.Code, Subject: p.last.Subject,
		Text:       "more events of this kind came within a minute than are logged",
		Attributes: append(attributes, p.last.Attributes...)}
}
