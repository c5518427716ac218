package hook

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
)

// streams are all of them, by their names.
type streams struct {
	all map[string]*stream
	// news are what they have not been told yet: that is told when the facts are known
	// that go with it.
	news []news
}

// A news is a change of a state, or of a priority where the states are equal.
type news struct {
	config.Owner
	change
	at             time.Time
	former, weighs uint8 // the priority before and after
}

// set takes what is configured.
func (s *streams) set(all []config.Stream) {
	if s.all == nil {
		s.all = make(map[string]*stream)
	}
	for _, x := range s.all {
		x.want = nil
	}
	for _, c := range all {
		x := s.all[c.Name]
		if x == nil {
			x = &stream{Stream: c}
			s.all[c.Name] = x
		} else if x.run == 0 && !reflect.DeepEqual(x.Stream, c) {
			x.pause, x.again = 0, time.Time{} // Another one may do better.
		}
		x.want = &c
	}
}

// covers reports whether one of the streams is told of an owner, of a sync group.
func (s *streams) covers(o config.Owner, group string) bool {
	for _, x := range s.all {
		if x.want != nil && concerns(*x.want, o, group) {
			return true
		}
	}
	return false
}

// concerns reports whether a stream is told of an owner: that of a sync group also of
// its routers.
func concerns(c config.Stream, o config.Owner, group string) bool {
	switch {
	case c.Router != "":
		return o.Router == c.Router
	case c.Group != "":
		return group == c.Group
	}
	return true
}

// flush makes lines of the news.
func (s *streams) flush(now time.Time, about func(config.Owner) *api.StreamState) (effects []Effect) {
	if len(s.all) == 0 {
		s.news = nil
		return nil
	}
	for _, n := range s.news {
		state := about(n.Owner)
		line := api.StreamLine{Event: api.StreamTransition, At: n.at, StreamState: state}
		state.State, state.FormerState, state.Reason, state.FormerPriority, state.Priority = n.to, n.from, n.reason, n.former, n.weighs
		if n.from == n.to {
			line.Event = api.StreamPriority
		}
		for _, x := range s.sorted() {
			if concerns(x.Stream, n.Owner, state.SyncGroup) {
				effects = append(effects, x.add(now, line)...)
			}
		}
	}
	s.news = nil
	return effects
}

// settle starts and ends programs as is wanted, and forgets those of which nothing is left.
func (s *streams) settle(now time.Time, next func() uint64) (effects []Effect) {
	for _, x := range s.sorted() {
		effects = append(effects, x.settle(now, next)...)
		if x.want == nil && x.run == 0 {
			delete(s.all, x.Name)
		}
	}
	return effects
}

func (s *streams) sorted() []*stream {
	return slices.SortedFunc(maps.Values(s.all), func(a, b *stream) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
}

// of is the stream that has a run; nil: none has.
func (s *streams) of(run uint64) *stream {
	for _, x := range s.all {
		if x.run == run {
			return x
		}
	}
	return nil
}

// ended takes how a run has ended.
func (s *streams) ended(now time.Time, run uint64, o spawn.Outcome, err error) []Effect {
	if x := s.of(run); x != nil {
		return x.ended(now, o, err)
	}
	return nil
}

// deadline is when settle has something to do; zero: nothing is scheduled.
func (s *streams) deadline() (next time.Time) {
	for _, x := range s.all {
		if x.run != 0 {
			next = earliest(next, x.until)
		} else {
			next = earliest(next, x.again)
		}
	}
	return next
}

// statuses are how all of them are.
func (s *streams) statuses() []api.Stream {
	all := []api.Stream{}
	for _, x := range s.sorted() {
		if x.want != nil {
			all = append(all, x.status)
		}
	}
	return all
}
