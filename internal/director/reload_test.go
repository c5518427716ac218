package director

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/ipvsctl"
)

func TestReload(t *testing.T) {
	two := checked(tcpTarget)
	two.Servers = append(two.Servers, webService(ipvsctl.NAT, web1, web2).Servers[1])
	changed := clusterOf(two)
	changed.Digest = "second"
	for _, tt := range []struct {
		name    string
		load    Loaded
		servers string
		ok      bool
		digest  string
	}{
		{"a changed file changes only what changed", Loaded{Config: changed}, "192.168.1.4:80 192.168.1.5:80", true, "second"},
		{"an unchanged one changes nothing", Loaded{}, "192.168.1.4:80", true, "first"},
		{"a broken one is refused, and the old one runs", Loaded{Err: errors.New("web.hcl:3: no such thing")}, "192.168.1.4:80", false, "first"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newOutsides()
				f.loads = []Loaded{tt.load}
				d, stop, ended := begin(t, f, clusterOf(checked(tcpTarget)), nil)
				f.hear(tcpTarget, checker.Passed)
				d.Reload()
				synctest.Wait()
				if got := f.servers(); got != tt.servers {
					t.Errorf("table has %q, want %q", got, tt.servers)
				}
				s, err := d.Status(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if s.Reload.OK != tt.ok || s.Reload.Digest != tt.digest {
					t.Errorf("status: ok %v with %q, want %v with %q", s.Reload.OK, s.Reload.Digest, tt.ok, tt.digest)
				}
				if got, want := f.told(), "READY RELOADING READY"; got != want {
					t.Errorf("told %q, want %q", got, want)
				}
				stop()
				<-ended
			})
		})
	}
}

func TestReloadsThatComeFasterThanTheyAreReadAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.loadTime = time.Second
		f.loads = []Loaded{{}, {}}
		d, stop, ended := begin(t, f, clusterOf(), nil)
		for range 10 {
			d.Reload()
			synctest.Wait()
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(f.loads) != 0 {
			t.Errorf("%d of 2 loads left, want 0: one at once, one for all that came meanwhile", len(f.loads))
		}
		stop()
		<-ended
	})
}

func TestAReloadWhoseTableTheKernelRefusesIsReportedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		changed := clusterOf(checked(tcpTarget))
		changed.Digest = "second"
		f.loads = []Loaded{{Config: changed}}
		d, stop, ended := begin(t, f, clusterOf(checked(tcpTarget)), nil)
		f.hear(tcpTarget, checker.Passed)
		f.mu.Lock()
		f.unconverged = true
		f.mu.Unlock()
		d.Reload()
		synctest.Wait()
		if got, want := f.told(), "READY RELOADING"; got != want {
			t.Errorf("told %q before the table is in the kernel, want %q", got, want)
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if got, want := f.told(), "READY RELOADING READY"; got != want {
			t.Errorf("told %q after start_delay, want %q: systemd must not wait for ever", got, want)
		}
		stop()
		<-ended
	})
}

func TestAReadingThatHangsIsGivenUpAndTheNextOneCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.loadTime = time.Hour
		changed := clusterOf()
		changed.Digest = "second"
		f.loads = []Loaded{{}, {Config: changed}}
		d, stop, ended := begin(t, f, clusterOf(), nil)
		d.Reload()
		time.Sleep(loadPatience + 2*time.Second)
		synctest.Wait()
		s, err := d.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Reload.OK || !strings.Contains(s.Reload.Error, "longer than") || f.told() != "READY RELOADING READY" {
			t.Errorf("status: ok %v, %q, told %q; want a refusal that says why", s.Reload.OK, s.Reload.Error, f.told())
		}
		f.mu.Lock()
		f.loadTime = 0
		f.mu.Unlock()
		d.Reload()
		synctest.Wait()
		if s, err = d.Status(t.Context()); err != nil || s.Reload.Digest != "second" {
			t.Errorf("after the next reload: %+v, %v; want the second configuration", s.Reload, err)
		}
		stop()
		<-ended
		time.Sleep(time.Hour) // the one that hung ends at last
	})
}

func TestReadingsThatEndedAtLastAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.loadTime = loadPatience + time.Second
		f.loads = make([]Loaded, maxHung+1)
		d, stop, ended := begin(t, f, clusterOf(), nil)
		for range maxHung {
			d.Reload()
			time.Sleep(time.Hour)
		}
		f.mu.Lock()
		f.loadTime = 0
		f.mu.Unlock()
		d.Reload()
		synctest.Wait()
		if s, err := d.Status(t.Context()); err != nil || !s.Reload.OK {
			t.Errorf("after %d slow readings, all ended: %+v, %v; want it read again", maxHung, s.Reload, err)
		}
		stop()
		<-ended
	})
}

func TestReadingsThatHangAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.loadTime = 24 * time.Hour
		f.loads = make([]Loaded, maxHung+1)
		d, stop, ended := begin(t, f, clusterOf(), nil)
		for range maxHung + 1 {
			d.Reload()
			time.Sleep(time.Minute)
		}
		if s, err := d.Status(t.Context()); err != nil || !strings.Contains(s.Reload.Error, "still hang") || len(f.loads) != 1 {
			t.Errorf("%d readings, last error %q, %v; want %d, and the next one refused", maxHung+1-len(f.loads), s.Reload.Error, err, maxHung)
		}
		stop()
		<-ended
		time.Sleep(24 * time.Hour)
	})
}

func TestAReloadAskedForWhileOneHangsIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.loadTime = time.Hour
		changed := clusterOf()
		changed.Digest = "second"
		f.loads = []Loaded{{}, {Config: changed}}
		d, stop, ended := begin(t, f, clusterOf(), nil)
		d.Reload()
		synctest.Wait()
		d.Reload()
		synctest.Wait()
		f.mu.Lock()
		f.loadTime = 0
		f.mu.Unlock()
		time.Sleep(loadPatience + 2*time.Second)
		synctest.Wait()
		if s, err := d.Status(t.Context()); err != nil || s.Reload.Digest != "second" {
			t.Errorf("%+v, %v; want the configuration that the second signal meant", s.Reload, err)
		}
		stop()
		<-ended
		time.Sleep(time.Hour)
	})
}

func TestAReloadDoesNotSayReadyForTheStart(t *testing.T) {
	for _, load := range []Loaded{{}, {Err: errors.New("web.hcl:3: no such thing")}} {
		synctest.Test(t, func(t *testing.T) {
			f := newOutsides()
			f.unconverged = true
			f.loads = []Loaded{load}
			d, stop, ended := begin(t, f, clusterOf(checked(tcpTarget)), nil)
			d.Reload()
			synctest.Wait()
			if f.told() != "" {
				t.Errorf("told %q while the table is not loaded, want nothing", f.told())
			}
			stop()
			<-ended
		})
	}
}

func TestTheDirectorBlockWaitsForTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		changed := clusterOf(checked(tcpTarget))
		changed.Digest, changed.Director.KeepTable = "second", false
		f.loads = []Loaded{{Config: changed}}
		d, stop, ended := begin(t, f, clusterOf(checked(tcpTarget)), nil)
		d.Reload()
		synctest.Wait()
		s, err := d.Status(t.Context())
		if err != nil || !strings.Contains(strings.Join(s.Warnings, "\n"), "next start") {
			t.Errorf("warnings %q, %v; want one of the block", s.Warnings, err)
		}
		stop()
		<-ended
		if f.cleared {
			t.Error("the stop cleared the table, as only the next start's would")
		}
	})
}
