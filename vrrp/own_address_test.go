package vrrp_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// What becomes of the director's own address, where it is a virtual one as well.

func ownerOf(addresses ...string) vrrp.Desired {
	return one(func(c *vrrp.Config) {
		c.Priority, c.Addresses = 255, nil
		for _, a := range addresses {
			c.Addresses = append(c.Addresses, netip.MustParsePrefix(a))
		}
	})
}

// "The DHCP client configured its lease again, and at the next fault the machine was
// gone from the network."
func TestAnOwnersAddressThatWasAwayIsStillItsOwn(t *testing.T) {
	play(t, func(s *kernel) {
		d := ownerOf("10.9.0.1/24", "10.9.0.200/24")
		s.session.Set(d)
		time.Sleep(time.Second)
		s.own()
		time.Sleep(100 * time.Millisecond)
		s.own("10.9.0.1/24") // It comes after the other one now.
		time.Sleep(time.Minute)
		d.Conditions = []vrrp.Condition{{Name: "isolated", Reason: "nobody answers"}}
		s.session.Set(d)
		time.Sleep(10 * time.Second)
		s.set("eth1", false) // Anything that has it look at the interfaces.
		time.Sleep(time.Second)
		script := strings.Join(s.script(), "\n")
		if !strings.Contains(script, "ip addr del 10.9.0.200/24") || strings.Contains(script, "ip addr del 10.9.0.1/24") {
			t.Errorf("when it stands back only the other address is to go:\n%s", script)
		}
		if strings.Contains(script, "from 10.9.0.200") {
			t.Errorf("no advert is to come from the other address:\n%s", script)
		}
	})
}

// The status counts it as held while it is there, with whatever prefix length.
func TestAnOwnersAddressIsHeldWithTheLengthThatItHas(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(ownerOf("10.9.0.1/32"))
		time.Sleep(time.Second)
		if st := s.status(); st.State != vrrp.Master || st.Held != 1 || st.Missing != "" {
			t.Errorf("%s, held %d, missing %q", st.State, st.Held, st.Missing)
		}
		s.own()
		synctest.Wait()
		if st := s.status(); st.State != vrrp.Master || st.Held != 0 || st.Missing != "10.9.0.1/32 on eth0" {
			t.Errorf("after it went: %s, held %d, missing %q", st.State, st.Held, st.Missing)
		}
	})
}

func TestAnOwnerWhoseInterfaceHasNoAddressYet(t *testing.T) {
	play(t, func(s *kernel) {
		s.own()
		s.session.Set(ownerOf("10.9.0.1/24"))
		synctest.Wait()
		if st := s.status(); st.State != vrrp.Initialize || !strings.Contains(st.Fault, "interface eth0 has no IPv4 address of its own") {
			t.Errorf("it is %s: %q", st.State, st.Fault)
		}
		s.own("10.9.0.1/24")
		time.Sleep(time.Second)
		if st := s.status(); st.State != vrrp.Master || st.Held != 1 {
			t.Errorf("once the address is there, it is %s and holds %d", st.State, st.Held)
		}
	})
}

// Nothing tells which of them is the director's own, and neither may be.
func TestVirtualAddressesAloneAreNobodysOwn(t *testing.T) {
	play(t, func(s *kernel) {
		s.own()
		s.addAddress("10.9.0.200/24")
		s.addAddress("10.9.0.201/24")
		s.session.Set(one(func(c *vrrp.Config) { c.Addresses = append(c.Addresses, netip.MustParsePrefix("10.9.0.201/24")) }))
		synctest.Wait()
		if st := s.status(); st.Held != 2 {
			t.Errorf("%d of the two addresses are there that an earlier process left", st.Held)
		}
	})
}

// "It sent from another address after somebody had added one."
func TestTheSourceInUseStays(t *testing.T) {
	play(t, func(s *kernel) {
		s.settle(one())
		s.own("10.9.0.9/24", "10.9.0.1/24")
		time.Sleep(time.Second)
		if got := s.status().Master; got != netip.MustParseAddr("10.9.0.1") {
			t.Errorf("with another address before it, adverts come from %s", got)
		}
	})
}

func TestAReloadWithoutTheSourceChoosesAnew(t *testing.T) {
	play(t, func(s *kernel) {
		s.own("10.9.0.9/24", "10.9.0.1/24")
		s.settle(one(func(c *vrrp.Config) { c.Source = netip.MustParseAddr("10.9.0.1") }))
		s.session.Set(one())
		time.Sleep(time.Second)
		if got := s.script(); !slices.ContainsFunc(got, func(l string) bool { return strings.HasSuffix(l, "advert 150 from 10.9.0.9 to 224.0.0.18") }) {
			t.Errorf("the adverts do not come from the first address: %q", got)
		}
	})
}

// An address that an earlier keeper left is adopted once the interface was looked at,
// however long that takes, and is no stray before.
func TestWhatAnEarlierKeeperLeftStaysWhileTheSocketIsOpened(t *testing.T) {
	play(t, func(s *kernel) {
		s.leaveAddress()
		s.opening = true
		s.session.Set(one())
		time.Sleep(time.Second)
		s.want("nothing is known yet")
		s.mu.Lock()
		s.opening = false
		s.publish()
		s.mu.Unlock()
		time.Sleep(time.Second)
		if st := s.status(); st.State != vrrp.Backup || st.Held != 1 || st.Counters.AddressesRemoved != 0 {
			t.Errorf("it is %s, has %d, removed %d", st.State, st.Held, st.Counters.AddressesRemoved)
		}
	})
}

// leaveAddress adds the virtual address, as an earlier keeper left it.
func (s *kernel) leaveAddress() { s.addAddress("10.9.0.200/24") }

// addAddress adds an address, as somebody else does.
func (s *kernel) addAddress(prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices["eth0"]
	d.Addresses = append(d.Addresses, netip.MustParsePrefix(prefix))
	s.devices["eth0"] = d
	s.publish()
}
