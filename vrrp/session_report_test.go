package vrrp_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// crowd desires 150 routers.
func crowd() (d vrrp.Desired) {
	for i := range 150 {
		d.Routers = append(d.Routers, one(func(c *vrrp.Config) {
			c.Name, c.VRID = fmt.Sprintf("r%03d", i), uint8(i+1)
			c.Addresses = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 0, byte(i + 51)}), 24)}
		}).Routers...)
	}
	return d
}

// A picture is what somebody knows who gets a Session's reports.
type picture struct {
	t   *testing.T
	all []vrrp.Status
}

// take takes the reports until there is no more, and returns how many statuses each had.
func (p *picture) take(s *vrrp.Session) (sizes []int) {
	p.t.Helper()
	for more := true; more; {
		r := s.Report()
		if r.Renewed {
			p.all = make([]vrrp.Status, r.Total)
		}
		for i, place := range r.Places {
			p.all[place] = r.Statuses[i]
		}
		sizes, more = append(sizes, len(r.Statuses)), r.More
	}
	return sizes
}

func (p *picture) want(s *vrrp.Session, state vrrp.State) {
	p.t.Helper()
	for i, want := range s.Statuses() {
		got := p.all[i]
		if got.Name != want.Name || got.State != state || want.State != state || got.Held != want.Held || got.Fault != want.Fault {
			p.t.Fatalf("router %d is told to be %s %s, holding %d (%s), and is %s %s, holding %d (%s); want %s", i,
				got.Name, got.State, got.Held, got.Fault, want.Name, want.State, want.Held, want.Fault, state)
		}
	}
}

func TestReportsTellWhatHasChangedAndOfTheRestALittle(t *testing.T) {
	play(t, func(s *kernel) {
		p := &picture{t: t}
		s.session.Set(crowd())
		time.Sleep(time.Millisecond)
		if got := p.take(s.session); fmt.Sprint(got) != "[100 100]" {
			t.Errorf("at the start there are reports of %d, want all 150, and 50 of them once more", got)
		}
		p.want(s.session, vrrp.Backup)
		time.Sleep(4 * time.Second)
		p.take(s.session)
		p.want(s.session, vrrp.Master)
		time.Sleep(2 * time.Second)
		sent := p.all[149].Counters.AdvertsSent
		for range 4 { // Of each within six seconds.
			if got := p.take(s.session); fmt.Sprint(got) != "[50]" {
				t.Errorf("at rest there is a report of %d, want 50", got)
			}
			if got := p.take(s.session); fmt.Sprint(got) != "[0]" {
				t.Errorf("and then of %d, want none", got)
			}
			time.Sleep(2 * time.Second)
		}
		if got := p.all[149].Counters.AdvertsSent; got == sent {
			t.Errorf("nothing is told of the adverts that were sent since the first %d", sent)
		}
		s.set("eth0", false)
		time.Sleep(time.Millisecond)
		p.take(s.session)
		p.want(s.session, vrrp.Initialize)
		s.session.Set(one())
		time.Sleep(5 * time.Second)
		p.take(s.session)
		if len(p.all) != 1 || p.all[0].Name != "outside" {
			t.Errorf("after a reload %d are told of, want the only one that is configured", len(p.all))
		}
	})
}

// What is heard of a Master is told at once, although nothing happens to its Backup.
func TestAMasterThatIsHeardIsReported(t *testing.T) {
	play(t, func(s *kernel) {
		p := &picture{t: t}
		s.session.Set(crowd())
		time.Sleep(time.Millisecond)
		p.take(s.session)
		time.Sleep(time.Second)
		if got := p.take(s.session); fmt.Sprint(got) != "[0]" {
			t.Errorf("at rest there is a report of %d", got)
		}
		s.arriveOf(vrrp.Group4, 150, 200, "10.9.0.200", true)
		if got := p.take(s.session); fmt.Sprint(got) != "[1]" || p.all[149].Master != netip.MustParseAddr(peer) || p.all[149].Age != 1001*time.Millisecond {
			t.Errorf("reports of %d: since %v it follows %v", got, p.all[149].Age, p.all[149].Master)
		}
	})
}

// Where there are few routers, each report tells of all.
func TestReportsOfFewRouters(t *testing.T) {
	for routers, want := range map[int]string{50: "[50]", 51: "[0]"} {
		play(t, func(s *kernel) {
			p, d := &picture{t: t}, crowd()
			d.Routers = d.Routers[:routers]
			s.session.Set(d)
			time.Sleep(time.Millisecond)
			p.take(s.session)
			if got := p.take(s.session); fmt.Sprint(got) != want {
				t.Errorf("%d routers: then %d are told of, want %s", routers, got, want)
			}
		})
	}
}
