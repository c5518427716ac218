package director

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A reloading is a director whose configuration is read again, among fakes.
type reloading struct {
	*testing.T
	*outsides
	director *Director
	log      strings.Builder
}

// reloads runs a director whose readings take a time and find the loads, and
// stops it when the story has been told.
func reloads(t *testing.T, c *config.Config, takes time.Duration, loads []Loaded, story func(r *reloading)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.loadTime, f.loads = takes, loads
		r := &reloading{T: t, outsides: f}
		f.log = plain(&r.log)
		d, stop, ended := begin(t, f, c, nil)
		r.director = d
		story(r)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		time.Sleep(24 * time.Hour) // Readings that hang end at last.
	})
}

// reload asks for one, and lets some time pass.
func (r *reloading) reload(wait time.Duration) {
	r.director.Reload()
	time.Sleep(wait)
	synctest.Wait()
}

// wantStatus holds the reload that the status tells of.
func (r *reloading) wantStatus(when string, ok bool, digest, because string) {
	r.Helper()
	got := statusOf(r.T, r.director).Reload
	if got.OK != ok || got.Digest != digest || !strings.Contains(got.Error, because) {
		r.Errorf("%s: ok %v with %q, error %q; want %v with %q, error %q", when, got.OK, got.Digest, got.Error, ok, digest, because)
	}
}

// wantTold holds what the service manager was told so far.
func (r *reloading) wantTold(when, want string) {
	r.Helper()
	if got := r.told(); got != want {
		r.Errorf("%s: told %q, want %q", when, got, want)
	}
}

// reads sets how long readings take from now on.
func (r *reloading) reads(takes time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loadTime = takes
}

// statusOf is the status of a director that runs.
func statusOf(t *testing.T, d *Director) *api.Status {
	t.Helper()
	s, err := d.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// second is another configuration than clusterOf's.
func second(services ...config.Service) *config.Config {
	c := clusterOf(services...)
	c.Digest = "second"
	return c
}

func TestReload(t *testing.T) {
	two := checked(tcpTarget)
	two.Servers = append(two.Servers, webService(ipvsctl.NAT, web1, web2).Servers[1])
	for _, tt := range []struct {
		name    string
		load    Loaded
		servers string
		ok      bool
		digest  string
	}{
		{"a changed file changes only what changed", Loaded{Config: second(two)}, "192.168.1.4:80 192.168.1.5:80", true, "second"},
		{"an unchanged one changes nothing", Loaded{}, "192.168.1.4:80", true, "first"},
		{"a broken one is refused, and the old one runs", Loaded{Err: errors.New("web.hcl:3: no such thing")}, "192.168.1.4:80", false, "first"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reloads(t, clusterOf(checked(tcpTarget)), 0, []Loaded{tt.load}, func(r *reloading) {
				r.hear(tcpTarget, checker.Passed)
				r.reload(0)
				if got := r.servers(); got != tt.servers {
					t.Errorf("table has %q, want %q", got, tt.servers)
				}
				r.wantStatus("afterwards", tt.ok, tt.digest, "")
				r.wantTold("afterwards", "READY RELOADING READY")
			})
		})
	}
}

func TestReloadsThatComeFasterThanTheyAreReadAreOne(t *testing.T) {
	reloads(t, clusterOf(), time.Second, []Loaded{{}, {}}, func(r *reloading) {
		for range 10 {
			r.reload(0)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(r.loads) != 0 {
			t.Errorf("%d of 2 loads left, want 0: one at once, one for all that came meanwhile", len(r.loads))
		}
	})
}

func TestAReloadWhoseTableTheKernelRefusesIsReportedAllTheSame(t *testing.T) {
	reloads(t, clusterOf(checked(tcpTarget)), 0, []Loaded{{Config: second(checked(tcpTarget))}}, func(r *reloading) {
		r.hear(tcpTarget, checker.Passed)
		r.mu.Lock()
		r.unconverged = true
		r.mu.Unlock()
		r.reload(0)
		r.wantTold("before the table is in the kernel", "READY RELOADING")
		time.Sleep(12 * time.Second)
		synctest.Wait()
		r.wantTold("after start_delay, for systemd must not wait for ever", "READY RELOADING READY")
	})
}

func TestAReadingThatHangsIsGivenUpAndTheNextOneCounts(t *testing.T) {
	reloads(t, clusterOf(), time.Hour, []Loaded{{}, {Config: second()}}, func(r *reloading) {
		r.reload(loadPatience + 2*time.Second)
		r.wantStatus("a refusal that says why", false, "first", "longer than")
		r.wantTold("when it was given up", "READY RELOADING READY")
		r.reads(0)
		r.reload(0)
		r.wantStatus("after the next reload", true, "second", "")
	})
}

func TestReadingsThatEndedAtLastAreForgotten(t *testing.T) {
	reloads(t, clusterOf(), loadPatience+time.Second, make([]Loaded, maxHung+1), func(r *reloading) {
		for range maxHung {
			r.reload(time.Hour)
		}
		r.reads(0)
		r.reload(0)
		r.wantStatus("after slow readings, all ended, it is read again", true, "first", "")
	})
}

func TestReadingsThatHangAreBounded(t *testing.T) {
	reloads(t, clusterOf(), 12*time.Hour, make([]Loaded, maxHung+1), func(r *reloading) {
		for range maxHung + 1 {
			r.reload(time.Minute)
		}
		r.wantStatus("the one too many", false, "first", "have not ended")
		if len(r.loads) != 1 {
			t.Errorf("%d readings, want %d", maxHung+1-len(r.loads), maxHung)
		}
	})
}

func TestAReloadAskedForWhileOneHangsIsDone(t *testing.T) {
	reloads(t, clusterOf(), time.Hour, []Loaded{{}, {Config: second()}}, func(r *reloading) {
		r.reload(0)
		r.reload(0)
		r.reads(0)
		time.Sleep(loadPatience + 2*time.Second)
		synctest.Wait()
		r.wantStatus("the configuration that the second signal meant", true, "second", "")
	})
}

func TestAReloadDoesNotSayReadyForTheStart(t *testing.T) {
	for _, load := range []Loaded{{}, {Err: errors.New("web.hcl:3: no such thing")}} {
		// No target has had a result.
		reloads(t, clusterOf(checked(tcpTarget)), 0, []Loaded{load}, func(r *reloading) {
			r.reload(0)
			r.wantTold("while the start is not over", "")
		})
	}
}

func TestTheDirectorBlockTakesEffectByReload(t *testing.T) {
	changed := second(checked(tcpTarget))
	changed.Director.KeepTable, changed.Director.ProbesInFlight, changed.Director.HTTP.Listen = false, 7, ":9112"
	again := *changed
	again.Digest = "third"
	var after *outsides
	reloads(t, clusterOf(checked(tcpTarget)), 0, []Loaded{{Config: changed}, {Config: &again}}, func(r *reloading) {
		r.reload(0)
		if len(r.configured) != 1 {
			t.Errorf("the reload that changed it told the edges %v", r.configured)
		}
		r.reload(0)
		if s := statusOf(r.T, r.director); strings.Contains(fmt.Sprint(s.Findings), "director block") {
			t.Errorf("findings %q, want none of a restart", s.Findings)
		}
		after = r.outsides
	})
	if !after.cleared {
		t.Error("the stop did not clear the table, though keep_table is false by now")
	}
	if diff := cmp.Diff([]config.Director{changed.Director}, after.configured, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("the edges were told (-want +got):\n%s", diff)
	}
}

// asked is a reload that somebody waits for.
func (r *reloading) asked() <-chan api.Reloaded {
	ended := make(chan api.Reloaded, 1)
	go func() {
		o, err := r.director.ReloadAndWait(r.Context())
		if err != nil {
			r.Errorf("no outcome: %v", err)
		}
		ended <- o
	}()
	synctest.Wait()
	return ended
}

func TestWhoAsksForAReloadIsToldHowItEnded(t *testing.T) {
	two := checked(tcpTarget)
	two.Name = "two"
	for _, tt := range []struct {
		name string
		load Loaded
		want api.Reloaded
	}{
		{"accepted", Loaded{Config: second(two), Warnings: []string{"web.hcl:1: odd"}},
			api.Reloaded{OK: true, Changes: []string{"added virtual service two"}, Warnings: []string{"web.hcl:1: odd"}}},
		{"unchanged", Loaded{}, api.Reloaded{OK: true}},
		{"refused", Loaded{Err: errors.New("web.hcl:3: no such thing"), Diagnosis: "Error: no such thing"},
			api.Reloaded{Error: "web.hcl:3: no such thing", Diagnosis: "Error: no such thing"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reloads(t, clusterOf(), time.Second, []Loaded{tt.load}, func(r *reloading) {
				ended := r.asked()
				if len(ended) != 0 {
					t.Error("answered before the reading has ended")
				}
				if got := <-ended; !cmp.Equal(got, tt.want) {
					t.Errorf("answered %+v, want %+v", got, tt.want)
				}
			})
		})
	}
}

// What is under way may have read the files before they were changed.
func TestWhoAsksDuringAReloadIsToldOfTheNextOne(t *testing.T) {
	reloads(t, clusterOf(), time.Second, []Loaded{{}, {Err: errors.New("the second")}}, func(r *reloading) {
		first, later := r.asked(), r.asked()
		if o := <-first; !o.OK {
			t.Errorf("the first was refused: %+v", o)
		}
		if o := <-later; o.Error != "the second" {
			t.Errorf("the one during it was answered %+v, want the second reading's", o)
		}
	})
}

func TestAReloadThatHangsIsAnsweredWhenItIsGivenUp(t *testing.T) {
	reloads(t, clusterOf(), time.Hour, []Loaded{{}}, func(r *reloading) {
		if o := <-r.asked(); o.OK || !strings.Contains(o.Error, "was given up") {
			t.Errorf("answered %+v", o)
		}
	})
}

func TestAStopAnswersWhoWaitsForAReload(t *testing.T) {
	s := tellOf(t, clusterOf())
	var answers []api.Reloaded
	asker := func(o api.Reloaded) { answers = append(answers, o) }
	s.handle(Reload{asker})
	s.handle(Reload{asker})
	s.handle(Stop{})
	s.handle(Reload{asker})
	if want := []api.Reloaded{stopping, stopping, stopping}; !cmp.Equal(answers, want) {
		t.Errorf("answered %+v, want %+v", answers, want)
	}
}
