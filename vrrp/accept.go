package vrrp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"
)

// Receive handles a packet that arrived for this router. One that is not
// accepted is counted by its reason and changes nothing.
func (r *Router) Receive(now time.Time, p Packet) []Action {
	ad, proof, err := r.accept(now, p)
	if err != nil {
		reason := ReasonOf(err)
		r.count(&r.counters.Discarded, reason, plain(p.Src))
		if ad.Version != 0 { // Nothing else is wrong with it.
			r.peers.hear(now, plain(p.Src), ad.Priority, reason, 0)
			r.misunderstand(now, plain(p.Src), ad, err)
		}
		return append(r.reconsider(now), r.note(now, PacketDiscarded, reason, "packet from %s discarded: %v", plain(p.Src), err)...)
	}
	r.counters.AdvertsReceived++
	r.peers.hear(now, plain(p.Src), ad.Priority, "", proof.key)
	r.adverts.plainSum = ad.PlainChecksum
	if ad.Priority == 0 {
		r.counters.PriorityZeroReceived++
	}
	return append(r.hear(now, plain(p.Src), ad), r.compare(now, plain(p.Src), ad, proof)...)
}

// Claim handles the word of another machine that it has one of this router's
// addresses.
func (r *Router) Claim(now time.Time, c Claim) []Action {
	switch {
	case r.state == Master:
		return r.contest(now, c)
	case r.state == Backup && c.Address == r.guard.address:
		return append(r.standAside(now, c.MAC), r.reconsider(now)...)
	default:
		return nil
	}
}

// Asked handles that a question was put to the neighbours, or why it was not.
// A Backup that cannot ask whether somebody has the addresses does not take them.
func (r *Router) Asked(now time.Time, a Ask, err error) []Action {
	r.claims.put(now, a.Address, err == nil)
	was := r.unasked
	if err == nil {
		r.unasked = ""
		if was != "" {
			return []Action{r.event(now, NeighboursAsked, slog.LevelInfo, "can ask the neighbours again who else has its addresses")}
		}
		return nil
	}
	r.unasked = err.Error()
	if r.state == Backup {
		return append(r.standAside(now, ""), r.reconsider(now)...)
	}
	if was != "" {
		return nil
	}
	return []Action{r.event(now, NeighboursUnasked, slog.LevelWarn, "cannot ask the neighbours who else has its addresses: %s", r.unasked)}
}

// accept decodes a packet and makes all the checks of RFC 9568 section 7.1, and those
// of its authentication. Its errors are of type *DecodeError. An advert that is
// refused for its version or its authentication alone is returned all the same,
// unless only those that are signed count: anybody could have sent it then.
func (r *Router) accept(now time.Time, p Packet) (Advert, proof, error) {
	ad, err := Decode(p.Payload, p.Src, p.Dst)
	if err != nil && ReasonOf(err) != ReasonAuthentication {
		return Advert{}, proof{}, err
	}
	if err := r.checkSender(p, ad); err != nil {
		return Advert{}, proof{}, err
	}
	if err == nil && ad.Version != r.c.Version {
		_, err = refuse(ReasonVersion, "it has VRRP version %d, but this router uses %d: configure the same version on both", ad.Version, r.c.Version)
	}
	var proved proof
	if err == nil {
		proved, err = r.authenticate(now, p, ad)
	}
	if err != nil && (r.c.Authentication.enforced() || ReasonOf(err) == ReasonLength) {
		ad = Advert{}
	}
	return ad, proved, err
}

// authenticate makes the checks of a packet's authentication.
func (r *Router) authenticate(now time.Time, p Packet, ad Advert) (proved proof, err error) {
	a := &r.c.Authentication
	if ad.Version == 2 {
		err = a.checkPassword(ad)
	}
	switch {
	case err != nil:
	case len(a.Keys) > 0 && ad.Signed:
		return r.seals.check(a, now, plain(p.Src), p.Payload, len(r.c.Peers))
	case a.enforced():
		_, err = refuse(ReasonHMACMissing, "it is not signed, and only adverts that are signed are accepted: give the other director the same keys, or set mode = \"permissive\" until it has them")
	case ad.Signed && !known(p.Payload[len(p.Payload)-trailerLen:]):
		_, err = refuse(ReasonLength, "%d bytes follow its end", trailerLen)
	}
	return proof{}, err
}

// checkSender refuses an advert that is not for this virtual router, or that none
// of its directors can have sent.
func (r *Router) checkSender(p Packet, ad Advert) (err error) {
	switch src := plain(p.Src); {
	case len(r.c.Peers) == 0 && !p.Dst.IsMulticast():
		_, err = refuse(ReasonNotPeer, "sent to this director alone, but no peers are configured: configure peers on both directors or on neither")
	case ad.VRID != r.c.VRID:
		_, err = refuse(ReasonVRID, "it has virtual router id %d, but this router has %d", ad.VRID, r.c.VRID)
	case len(ad.Addresses) == 0 && len(r.c.Addresses) > 0:
		// "If the received count is 0, the VRRP advertisement MUST be ignored"
		// (RFC 9568 section 5.2.5). It is what a router without addresses sends.
		_, err = refuse(ReasonNoAddress, "it advertises no address, but this router has some: configure the same addresses on both directors")
	case src.Is6() != (r.c.Family() == 6):
		_, err = refuse(ReasonFamily, "it is %s, but this router's addresses are not", familyName(src))
	case src == r.source:
		_, err = refuse(ReasonOwnAddress, "its source is this director's own address: it came back in a loop, or another machine uses the address")
	default:
		err = r.checkSource(src, p.Dst, p.TTL)
	}
	return err
}

// compare counts in what an accepted advert disagrees with our configuration.
// For that the receiver "SHOULD log the event" (RFC 9568 section 7.1), no more:
// discarding the advert would make two Masters of a mistake in a file.
func (r *Router) compare(now time.Time, src netip.Addr, ad Advert, proved proof) []Action {
	if ad.Priority == 0 {
		return nil
	}
	var acts []Action
	differs := func(reason Reason, format string, args ...any) {
		r.count(&r.counters.Mismatched, reason, src)
		acts = append(acts, r.note(now, AdvertDiffers, reason, format, args...)...)
	}
	if ad.Interval != r.c.Interval {
		differs(ReasonInterval, "%s advertises every %s, this director every %s: configure the same advert_interval on both",
			src, ad.Interval, r.c.Interval)
	}
	if !sameAddrs(ad.Addresses, r.addresses) {
		differs(ReasonAddresses, "%s advertises %s, this director %s: configure the same addresses on both",
			src, listAddrs(ad.Addresses), listAddrs(r.addresses))
	}
	switch a := &r.c.Authentication; {
	case len(a.Keys) == 0 && ad.Signed:
		differs(ReasonUnverified, "%s signs its adverts, and this director has no keys to verify them with: configure the same authentication on both", src)
	case len(a.Keys) > 0 && !ad.Signed:
		differs(ReasonUnsigned, "%s does not sign its adverts: let it do so before mode = \"enforce\" is set here", src)
	case a.Window > 0 && proved.age.Abs() > a.Window/2:
		differs(ReasonClock, "an advert from %s was signed %s, and beyond %s it would be refused: synchronize the clocks of both directors (NTP)", src, moment(proved.age), a.Window)
	}
	switch {
	case ad.Priority != r.c.Priority:
	case ad.Priority == ownerPriority:
		differs(ReasonOwner, "%s has priority 255 too: only one director can own the addresses; give the other a lower priority", src)
	case r.c.Preempt:
		differs(ReasonPriority, "%s has priority %d too, so which of them is Master is left to chance: give the directors different priorities", src, ad.Priority)
	}
	return acts
}

// Dispute handles an advert for a virtual router that is not configured here, and
// that has an address of this router. It comes from a director whose id differs by
// mistake, so that both are Master.
func (r *Router) Dispute(now time.Time, src netip.Addr, ad Advert, address netip.Addr) []Action {
	if ad.Priority == 0 {
		return nil // It lets them go.
	}
	if r.state == Master {
		r.counters.OtherMasters++
	}
	r.dispute.heard(now, plain(src), ad, address, r.c.VRID)
	return r.note(now, DisputedAddress, "", "%s: configure the same id on both directors", r.dispute.text)
}

// listAddrs writes addresses for the log.
func listAddrs(addrs []netip.Addr) string {
	if len(addrs) <= maxListed {
		return fmt.Sprintf("the addresses %v", addrs)
	}
	return fmt.Sprintf("%d addresses from %v on", len(addrs), addrs[:maxListed])
}

// sameAddrs compares without regard to the order.
func sameAddrs(a, b []netip.Addr) bool {
	if slices.Equal(a, b) {
		return true
	}
	sorted := func(s []netip.Addr) []netip.Addr { return slices.SortedFunc(slices.Values(s), netip.Addr.Compare) }
	return slices.Equal(sorted(a), sorted(b))
}
