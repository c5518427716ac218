package vrrp_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// loading is what the director says while it waits for the first table.
var loading = []vrrp.Condition{{Name: "table loaded", Reason: "waiting for the first IPVS table"}}

// resuming lets the router be Master again at once until a time.
func resuming(before time.Time) vrrp.Desired {
	d := one()
	d.Resume = []vrrp.Resumption{{Router: "outside", Before: before}}
	return d
}

// Decision 10: it "resumes its role if the peer cannot have taken over yet",
// and listens first whether it has.
func TestKeeperThatIsReplacedInTimeResumes(t *testing.T) {
	for _, c := range []struct {
		name    string
		left    time.Duration
		heard   []uint8 // the priorities of the adverts that are heard meanwhile
		then    vrrp.State
		finally vrrp.State
	}{
		{"in time", 2 * time.Second, nil, vrrp.Initialize, vrrp.Master},
		{"too late to listen", time.Second, nil, vrrp.Backup, vrrp.Backup},
		{"too late", -time.Millisecond, nil, vrrp.Backup, vrrp.Backup},
		{"in time, as was thought, but somebody has taken over", 2 * time.Second, []uint8{100}, vrrp.Initialize, vrrp.Backup},
		{"in time, and a Master that is heard leaves", 2 * time.Second, []uint8{100, 0}, vrrp.Initialize, vrrp.Master},
		{"in time, and a Master that left has come back", 2 * time.Second, []uint8{100, 0, 100}, vrrp.Initialize, vrrp.Backup},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.session.Set(resuming(time.Now().Add(c.left)))
				if synctest.Wait(); s.status().State != c.then {
					t.Errorf("at first it is %s, want %s", s.status().State, c.then)
				}
				for _, priority := range c.heard {
					s.arrive(priority, true)
				}
				time.Sleep(1200 * time.Millisecond)
				if synctest.Wait(); s.status().State != c.finally {
					t.Errorf("after listening it is %s, want %s", s.status().State, c.finally)
				}
			})
		})
	}
}

// The first IPVS table takes its time; a Master would be heard meanwhile.
func TestListeningBeforeTheTableIsReadyCounts(t *testing.T) {
	for _, c := range []struct {
		name  string
		heard bool
		want  string
	}{
		{"nobody is heard: the time since 0 s counts", false, "3.414s  Master: no adverts from any Master"},
		{"a Master is heard: it is given its full time", true, "6.414s  Master: no adverts from any Master"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				waiting := one()
				waiting.Conditions = loading
				s.session.Set(waiting)
				time.Sleep(2 * time.Second)
				if c.heard {
					s.arrive(100, true)
				}
				time.Sleep(time.Second)
				s.session.Set(one())
				time.Sleep(4 * time.Second)
				if lines := s.script(); !slices.Contains(lines, c.want) {
					t.Errorf("no %q in\n%s", c.want, strings.Join(lines, "\n"))
				}
			})
		})
	}
}

// A time that is over and stays would keep the loop busy, at a priority above
// everything else.
func TestKeeperThatCannotResumeWaitsAtRest(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(resuming(time.Now().Add(3 * time.Second)))
		time.Sleep(time.Second)
		s.set("eth0", false)
		time.Sleep(time.Second)
		s.set("eth0", true)
		s.want("its interface goes for a second, and then it is too late to listen anew",
			"1s      failure: cannot start: interface eth0 is down", "2s      Backup: started")
	})
}

func TestResumesAfterAnIntervalAndAnEighth(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(resuming(time.Now().Add(2 * time.Second)))
		synctest.Wait()
		if st := s.status(); st.Fault != "listening for another Master before it resumes" {
			t.Errorf("meanwhile: %q", st.Fault)
		}
		time.Sleep(1200 * time.Millisecond)
		s.want("it is Master at once", "1.125s  advert 150 from 10.9.0.1 to 224.0.0.18", "1.125s  Master: resumed as Master",
			"1.125s  ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s", "1.125s  arping -U -I eth0 10.9.0.200")
	})
}

// Decision 8: nobody knows whether the peer has taken over meanwhile.
func TestAKeeperThatWakesUpTooLateDoesNotResume(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(resuming(s.begin.Add(2 * time.Second)))
		time.Sleep(time.Second)
		s.mu.Lock()
		s.nap = 1500 * time.Millisecond // It would resume after 1.125 s.
		s.mu.Unlock()
		s.wake <- struct{}{}
		time.Sleep(2 * time.Second)
		s.want("it listens as any other", "2.5s    Backup: started")
	})
}
