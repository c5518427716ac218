package vrrp

import "testing"

// A password is of a virtual router with version 2. Both directors have the same one
// or none; a Backup that refuses an advert for it stands aside, as guard_test.go has
// it.
func TestAdvertsWithAPassword(t *testing.T) {
	for _, tt := range []struct {
		name         string
		ours, theirs string
		want         Reason // why it is refused; empty: it is not
	}{
		{"neither has one", "", "", ""},
		{"both have the same", "secret12", "secret12", ""},
		{"both have the same, a short one", "1111", "1111", ""},
		{"theirs is another one", "secret12", "secret13", ReasonPassword},
		{"theirs begins as ours", "secret1", "secret12", ReasonPassword},
		{"ours begins as theirs", "secret12", "secret1", ReasonPassword},
		{"they have none", "secret12", "", ReasonAuthentication},
		{"we have none", "", "secret12", ReasonAuthentication},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Version, c.Authentication.Password = 2, tt.ours
			r := NewRouter(c)
			r.Startup(epoch, ours)
			ad := advertOf(200)
			ad.Version = 2
			copy(ad.Password[:], tt.theirs)
			receive(r, epoch, higher, ad)
			s := r.Status()
			if accepted := s.Counters.AdvertsReceived == 1; accepted != (tt.want == "") {
				t.Errorf("accepted %t, want the reason %q", accepted, tt.want)
			}
			if tt.want != "" && (s.Counters.Discarded[tt.want] != 1 || s.Senders[tt.want] != higher) {
				t.Errorf("counted %v of %v, want one of the reason %q", s.Counters.Discarded, s.Senders, tt.want)
			}
		})
	}
}

// A Master sends its password in every advert, the one with which it leaves included.
func TestAMasterSendsItsPassword(t *testing.T) {
	c := testConfig()
	c.Version, c.Authentication.Password = 2, "1111"
	r := NewRouter(c)
	acts := r.Resume(epoch, ours)
	acts = append(acts, r.End(epoch, Stopped)...)
	sent := 0
	for _, a := range acts {
		if a, ok := a.(Send); ok {
			sent++
			b := a.Advert.Append(nil, ours, Group4)
			got, err := Decode(b, ours, Group4)
			if want := (Password{'1', '1', '1', '1'}); err != nil || got.Password != want || b[4] != authPassword {
				t.Errorf("sent %x, read as %+v, %v", b, got, err)
			}
		}
	}
	if sent != 2 {
		t.Errorf("sent %d adverts, want 2", sent)
	}
}

// Another protocol carries it, so its adverts reach no socket of ours; a packet that
// claims the type all the same is refused.
func TestAnAuthenticationHeaderIsRefused(t *testing.T) {
	c := testConfig()
	c.Version = 2
	r := NewRouter(c)
	r.Startup(epoch, ours)
	ad := advertOf(200)
	ad.Version = 2
	b := ad.Append(nil, higher, Group4)
	b[4] = 2
	sealed(b)
	r.Receive(epoch, Packet{Src: higher, Dst: Group4, TTL: TTL, Payload: b})
	if n := r.Status().Counters.Discarded[ReasonAuthentication]; n != 1 {
		t.Errorf("%d packets counted for their authentication, want 1", n)
	}
}
