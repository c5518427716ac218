// Package filter keeps lvsd's own table of nftables, which gives packets their firewall
// marks and translates their sources. It is the only edge to the kernel's packet filter for
// virtual services; accept = false of virtual routers has a table of the keeper's.
//
//	filter.go   the table as a whole
//	rule.go     a rule for one service
//	lookup.go   one rule for many
package filter
