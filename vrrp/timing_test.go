package vrrp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHistogram(t *testing.T) {
	var h Histogram
	for _, v := range []float64{0.5, 0.51, 1, 4, 4.1, 9} {
		h.add(GapBounds, v)
	}
	want := Histogram{Buckets: []uint64{1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 2}, Sum: 19.11, Max: 9}
	copied := h.clone()
	h.add(GapBounds, 1)
	if diff := cmp.Diff(want, copied); diff != "" {
		t.Errorf("each value is in the bucket whose bound it does not exceed (-want +got):\n%s", diff)
	}
}

// gaps writes the gaps that a router has counted: "1.1:4 2:1", by bounds.
func gaps(r *Router) string {
	var all []string
	for i, n := range r.Status().AdvertGaps.Buckets {
		bound := "more"
		if i < len(GapBounds) {
			bound = fmt.Sprint(GapBounds[i])
		}
		if n > 0 {
			all = append(all, fmt.Sprintf("%s:%d", bound, n))
		}
	}
	return strings.Join(all, " ")
}

func TestGapsBetweenAdverts(t *testing.T) {
	slow := advertOf(150)
	slow.Interval = 3 * second
	for _, tt := range []struct {
		name    string
		adverts func(r *Router)
		want    string
	}{
		{"the first advert ends no gap", func(r *Router) { receive(r, at(1), higher, advertOf(150)) }, ""},
		{"a steady Master", func(r *Router) {
			for i := range 5 {
				receive(r, at(time.Duration(i)*second), higher, advertOf(150))
			}
		}, "1.1:4"},
		{"one is lost", func(r *Router) {
			receive(r, at(0), higher, advertOf(150))
			receive(r, at(2*second), higher, advertOf(150))
		}, "2:1"},
		{"one is sent at once, as an answer", func(r *Router) {
			receive(r, at(0), higher, advertOf(150))
			receive(r, at(second/4), higher, advertOf(150))
			receive(r, at(second), higher, advertOf(150))
		}, "0.5:1 0.9:1"},
		{"by the Master's interval, once it is believed", func(r *Router) {
			receive(r, at(0), higher, slow)
			receive(r, at(3*second), higher, slow)
			receive(r, at(6*second), higher, slow)
		}, "1.1:1 3:1"},
		{"a worse Master that is to be preempted is as punctual", func(r *Router) {
			receive(r, at(0), lower, advertOf(50))
			receive(r, at(second), lower, advertOf(50))
		}, "1.1:1"},
		{"that it leaves is no regular advert, and nothing is measured from it", func(r *Router) {
			receive(r, at(0), higher, advertOf(150))
			receive(r, at(second/2), higher, advertOf(0))
			receive(r, at(second/2+1), higher, advertOf(150))
		}, ""},
		{"another Master begins anew", func(r *Router) {
			receive(r, at(0), lower, advertOf(150))
			receive(r, at(second), higher, advertOf(200))
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := matrixStates["backup"]()
			if tt.adverts(r); gaps(r) != tt.want {
				t.Errorf("gaps %q, want %q", gaps(r), tt.want)
			}
		})
	}
}

func TestLatenessOfAMaster(t *testing.T) {
	r := matrixStates["master"]()
	for _, late := range []time.Duration{0, 50 * time.Microsecond, 51 * time.Microsecond, 30 * time.Millisecond} {
		r.Expire(r.adverts.nextAt.Add(late))
	}
	receive(r, r.adverts.nextAt.Add(-second/2), lower, advertOf(50)) // is answered at once
	h := r.Status().AdvertLateness
	if h.Buckets[0] != 2 || h.Buckets[1] != 1 || h.Buckets[9] != 1 || h.Max != 0.03 {
		t.Errorf("lateness %+v", h)
	}
}

// Heartbeat's warntime: a Master that is late is told of before it counts as dead.
func TestAMasterIsLate(t *testing.T) {
	const half = 1804687500 * time.Nanosecond // of Master_Down
	slow := advertOf(150)
	slow.Interval = 3 * second
	for _, tt := range []struct {
		name    string
		prepare func(r *Router)
		at      time.Duration // zero: nothing is told
	}{
		{"half of Master_Down after its last advert", func(r *Router) { receive(r, epoch, higher, advertOf(150)) }, half},
		{"each advert puts that off", func(r *Router) {
			receive(r, epoch, higher, advertOf(150))
			receive(r, at(second), higher, advertOf(150))
		}, second + half},
		{"within the delay of preemption too", func(r *Router) {
			c := r.given()
			c.PreemptDelay = 10 * second
			r.Update(epoch, c)
			receive(r, epoch, lower, advertOf(50))
		}, half},
		{"one that advertises less often is late by its own interval", func(r *Router) { receive(r, epoch, higher, slow) },
			3*second + 3*second/4},
		{"one that leaves is not late", func(r *Router) {
			receive(r, epoch, higher, advertOf(150))
			receive(r, epoch, higher, advertOf(0))
		}, 0},
		{"one that is preempted is not followed", func(r *Router) { receive(r, epoch, lower, advertOf(50)) }, 0},
		{"nor one that is to be preempted from now on", func(r *Router) {
			receive(r, epoch, lower, advertOf(150))
			c := r.given()
			c.Priority = 200
			r.Update(epoch, c)
			receive(r, at(second), lower, advertOf(150))
		}, 0},
		{"nobody is waited for at a start", func(*Router) {}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := matrixStates["backup"]()
			tt.prepare(r)
			if tt.at == 0 {
				if !r.election.lateAt.IsZero() {
					t.Errorf("it would tell at %s", r.election.lateAt.Sub(epoch))
				}
				return
			}
			if got := r.Deadline(); !got.Equal(at(tt.at)) {
				t.Fatalf("it tells at %s, want %s", got.Sub(epoch), tt.at)
			}
			before := r.election.masterDownAt
			acts := r.Expire(r.Deadline())
			if e, ok := acts[0].(Event); len(acts) != 1 || !ok || e.Code != AdvertsLate || r.Status().Counters.AdvertsLate != 1 {
				t.Errorf("%v; counted %d", acts, r.Status().Counters.AdvertsLate)
			}
			if got := r.Deadline(); !got.Equal(before) || r.State() != Backup {
				t.Errorf("it changes when this director takes over: %s, not %s", got.Sub(epoch), before.Sub(epoch))
			}
		})
	}
}

func TestALateMasterIsToldOnceAMinuteAndCountedEachTime(t *testing.T) {
	r := matrixStates["backup"]()
	told := 0
	for i := range 60 {
		now := at(time.Duration(i) * 2 * second) // each second advert is lost
		receive(r, now, higher, advertOf(150))
		for _, a := range r.Expire(r.election.lateAt) {
			if _, ok := a.(Event); ok {
				told++
			}
		}
	}
	if got := r.Status().Counters.AdvertsLate; got != 60 || told != 2 {
		t.Errorf("counted %d times and told %d times in two minutes", got, told)
	}
}

// A timer that both were due by, as after a stall, tells of the greater thing only.
func TestADeadMasterIsNotToldToBeLateAsWell(t *testing.T) {
	r := matrixStates["backup, following"]()
	if got := script(r.Expire(r.election.masterDownAt)); got != "send 100, hold, announce, Master" || r.counters.AdvertsLate != 0 {
		t.Errorf("%q, late %d times", got, r.counters.AdvertsLate)
	}
}
