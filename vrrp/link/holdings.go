package link

import (
	"errors"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/vrrp"
)

// Hold makes it so that the addresses are on their interfaces, and then that the routes
// and the rules are there, which may need them. It begins the lease of the addresses
// anew and goes on after an error. It returns what had not been there, and what is not
// there now.
func (l *Link) Hold(h vrrp.Holdings) (added, missing vrrp.Holdings, err error) {
	l.await(h)
	var addresses, routes, rules error
	mute := l.mute(h)
	added.Addresses, missing.Addresses, addresses = l.holdAddresses(h)
	added.Routes, missing.Routes, routes = l.holdRoutes(h.Routes)
	added.Rules, missing.Rules, rules = l.holdRules(h.Rules)
	return added, missing, fault.Of(errors.Join(mute, addresses, routes, rules))
}

// Release makes it so that they are not there, the other way round, and returns what
// had been.
func (l *Link) Release(h vrrp.Holdings) (removed vrrp.Holdings, err error) {
	var rules, routes, addresses error
	removed.Rules, rules = l.releaseRules(h.Rules)
	removed.Routes, routes = l.releaseRoutes(h.Routes)
	removed.Addresses, addresses = l.releaseAddresses(h)
	return removed, fault.Of(errors.Join(rules, routes, addresses, l.lower(h)))
}
