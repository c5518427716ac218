package hook

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/internal/text"
)

const (
	// maxQueued bounds the lines that wait for a program to read them: more than two for
	// each of a thousand routers that change their states together.
	maxQueued = 3000
	// A program that ends is started again after firstPause, and after twice as long each
	// time up to longestPause. One that has lived for steady begins anew.
	firstPause   = time.Second
	longestPause = time.Minute
	steady       = time.Minute
)

// A stream is a program that stays, and the lines that it has not read yet.
type stream struct {
	config.Stream
	// want is what is configured; nil: nothing is, so it is to end.
	want   *config.Stream
	status api.Stream
	run    uint64 // the number of its run; zero: it does not run
	// ending: its input has no more lines than those that wait. It is ended at until.
	ending bool
	until  time.Time
	// pause was the last one, and again is when it is over; zero: at once.
	pause time.Duration
	again time.Time

	sequence uint64
	// fresh: it has read nothing yet. Anew: what is present comes before all else, and no
	// lines wait.
	fresh, anew bool
	skipped     uint64 // of those that would wait
	lines       [][]byte
}

// settle starts the program, or has it end, as is wanted. Next numbers a run.
func (s *stream) settle(now time.Time, next func() uint64) []Effect {
	switch {
	case s.run != 0 && !s.ending && (s.want == nil || !reflect.DeepEqual(*s.want, s.Stream)):
		s.ending, s.until = true, now.Add(s.StopTimeout)
		return []Effect{Feed{s.run}}
	case s.run != 0 && s.ending && !now.Before(s.until):
		s.until = now.Add(24 * time.Hour) // It is being ended.
		return []Effect{Cancel{s.run}}
	case s.run == 0 && s.want != nil && !now.Before(s.again):
		return s.start(now, next())
	}
	return nil
}

// start starts the program.
func (s *stream) start(now time.Time, id uint64) []Effect {
	s.Stream, s.run = *s.want, id
	s.ending, s.until, s.again = false, time.Time{}, time.Time{}
	s.fresh, s.anew, s.sequence, s.skipped, s.lines = true, true, 0, 0, nil
	starts := s.status
	s.status = api.Stream{Name: s.Name, Router: s.Router, SyncGroup: s.Group, Program: s.Run[0], User: s.User, Running: true, Since: now,
		Starts: starts.Starts + 1, Lines: starts.Lines, Skipped: starts.Skipped}
	return []Effect{
		s.tell(now, event.Info, "stream-started", "the program of a stream was started"),
		Keep{id, spawn.Command{Args: s.Run, User: s.User, KillChildren: s.KillChildren}},
	}
}

// add adds a line, unless what is present comes anew anyway.
func (s *stream) add(now time.Time, line api.StreamLine) []Effect {
	switch {
	case s.run == 0 || s.ending:
		return nil
	case s.anew && s.skipped > 0:
		s.skip(0)
		return nil
	case s.anew:
		return nil // It is part of what is present.
	case len(s.lines) >= maxQueued:
		s.skip(len(s.lines))
		s.anew, s.lines, s.status.Behind = true, nil, true
		return []Effect{s.tell(now, event.Warning, "stream-behind", "the program of a stream does not read, so lines are left out until it does", slog.Int("lines", maxQueued))}
	}
	s.lines = append(s.lines, s.encode(line))
	return []Effect{Feed{s.run}}
}

// skip leaves a line out, and so many that wait, which have their numbers.
func (s *stream) skip(waiting int) {
	s.sequence++
	s.skipped += uint64(waiting) + 1
	s.status.Skipped += uint64(waiting) + 1
}

// encode makes text of a line.
func (s *stream) encode(line api.StreamLine) []byte {
	s.sequence++
	line.Sequence = s.sequence
	text, _ := json.Marshal(line) // of strings, numbers and times, which cannot fail
	return append(text, '\n')
}

// take returns the lines that the program is to read next, nil if there are none, and
// whether they are the last ones. Present are the states that there are.
func (s *stream) take(now time.Time, present func() []*api.StreamState) (lines []byte, last bool, effects []Effect) {
	all := s.lines
	s.lines = nil
	if s.fresh {
		all = append(all, s.encode(api.StreamLine{Event: api.StreamStart, At: now, SchemaVersion: api.StreamSchema, Stream: s.Name}))
	}
	if s.skipped > 0 {
		all = append(all, s.encode(api.StreamLine{Event: api.StreamSkipped, At: now, Skipped: s.skipped}))
		effects = append(effects, s.tell(now, event.Info, "stream-caught-up", "the program of a stream reads again, and is told the present states", slog.Uint64("skipped", s.skipped)))
	}
	if s.anew {
		for _, p := range present() {
			all = append(all, s.encode(api.StreamLine{Event: api.StreamPresent, At: now, StreamState: p}))
		}
	}
	s.fresh, s.anew, s.skipped, s.status.Behind = false, false, 0, false
	s.status.Lines += uint64(len(all))
	for _, line := range all {
		lines = append(lines, line...)
	}
	return lines, s.ending, effects
}

// ended takes how a run has ended, or why there was none.
func (s *stream) ended(now time.Time, o spawn.Outcome, err error) (effects []Effect) {
	effects = s.said(now, o.Output, o.Cut)
	result := o.String()
	if err != nil {
		result = err.Error()
	}
	lived := now.Sub(s.status.Since)
	age := slog.Duration("lived", lived.Round(time.Millisecond))
	attrs := []slog.Attr{slog.String("result", result), age}
	s.run, s.lines, s.again = 0, nil, time.Time{}
	s.status.Running, s.status.Behind, s.status.Since = false, false, now
	switch {
	case s.ending && o.Canceled:
		return append(effects, s.tell(now, event.Warning, "stream-ended", fmt.Sprintf("the program of a stream was ended, because it has not ended by itself within %v of the end of its input", s.StopTimeout), age))
	case s.ending:
		return append(effects, s.tell(now, event.Info, "stream-ended", "the program of a stream has ended, at the end of its input", attrs...))
	}
	if s.pause = min(max(2*s.pause, firstPause), longestPause); lived >= steady {
		s.pause = firstPause
	}
	s.again = now.Add(s.pause)
	s.status.Failure, s.status.Retry = result, s.again
	return append(effects, s.tell(now, event.Warning, "stream-ended", "the program of a stream has ended, and is started again after a pause", append(attrs, slog.Duration("pause", s.pause))...))
}

// said takes what the program has written, and how many bytes more it was.
func (s *stream) said(now time.Time, output []byte, cut int64) (effects []Effect) {
	for _, line := range spawn.Lines(output) {
		effects = append(effects, s.tell(now, event.Info, "stream-output", "stream: "+text.Printable(line)))
	}
	if cut > 0 {
		effects = append(effects, s.tell(now, event.Info, "stream-output", "the program of a stream has written more than is logged", slog.Int64("output_cut", cut)))
	}
	return effects
}

func (s *stream) tell(now time.Time, level slog.Level, code, what string, attrs ...slog.Attr) Effect {
	return Tell{event.Event{At: now, Severity: level, Code: code, Subject: s.Name, Text: what,
		Attributes: append([]slog.Attr{slog.String("stream", s.Name), slog.String("program", s.Run[0])}, attrs...)}}
}
