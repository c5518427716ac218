package vrrp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// "I set missed_adverts to 5 on a network that loses packets." Master_Down has five
// intervals and the skew then, and a Master that leaves waits for six.
func TestMoreAdvertsMayBeMissed(t *testing.T) {
	patient := func(c *vrrp.Config) { c.MissedAdverts = 5 }
	play(t, func(s *kernel) {
		s.session.Set(one(patient))
		time.Sleep(5400 * time.Millisecond)
		if st := s.status(); st.State != vrrp.Backup || st.MissedAdverts != 5 {
			t.Errorf("before five intervals and the skew: %s, %d", st.State, st.MissedAdverts)
		}
		time.Sleep(100 * time.Millisecond)
		if st := s.status(); st.State != vrrp.Master {
			t.Errorf("after five intervals and the skew: %s", st.State)
		}
		s.script()
		began := time.Now()
		s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
		<-s.ended
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("it waited %s for a successor", took)
		}
		if all := strings.Join(s.script(), "\n"); !strings.Contains(all, "advert 0 from") {
			t.Errorf("it left so:\n%s", all)
		}
	})
}
