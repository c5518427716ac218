package hook

import (
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// Lines returns what the program of a run of Keep is to read next, empty if that is
// nothing at present, and whether nothing more will come.
func (c *Core) Lines(now time.Time, id uint64) (lines []byte, last bool, effects []Effect) {
	x := c.streams.of(id)
	if x == nil {
		return nil, true, nil
	}
	return x.take(now, func() (all []*api.StreamState) {
		for _, o := range slices.SortedFunc(maps.Keys(c.queues), config.Owner.Compare) {
			if q := c.queues[o]; q.state != "" && concerns(x.Stream, o, c.group(o)) {
				s := c.about(o)
				s.State, s.Reason = q.state, q.reason
				all = append(all, s)
			}
		}
		return all
	})
}

// Said takes what the program of a run of Keep has written, and how many bytes more it was.
func (c *Core) Said(now time.Time, id uint64, output []byte, cut int64) []Effect {
	if x := c.streams.of(id); x != nil {
		return x.said(now, output, cut)
	}
	return nil
}

// Streams are how the streams are.
func (c *Core) Streams() []api.Stream { return c.streams.statuses() }
