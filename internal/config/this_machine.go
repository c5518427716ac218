package config

import "github.com/lvsd/lvsd/vrrp"

// A Machine is what is known of the machine on which the configuration is read.
type Machine struct {
	// Addresses are those on its interfaces; nil: they are not known. Whose tells for
	// what they count.
	Addresses []vrrp.InterfaceAddress
	Whose     Whose
	// Host is the machine's name where it is not the director's. If the files name
	// it, it is another director, and its addresses do not count at all.
	Host string
	// Interfaces holds the names of its interfaces, for the warning about one
	// that does not exist; nil: no such warning. The daemon gives none: a virtual
	// router that misses its interface says so as long as it does.
	Interfaces []string
	// Program returns why a program, of which the path is given, cannot be run on this
	// machine; nil: they are not looked at.
	Program func(path string) error
	// Processors are those that it has; empty: they are not known.
	Processors Processors
	// NoUsers: no program can be run as another user than lvsd's own.
	NoUsers bool
	// Unsynchronized: nothing keeps its clock.
	Unsynchronized bool
	// NoWatchdog: lvsd cannot open the device of one.
	NoWatchdog bool
	// Key, Password and PrivateKey return what is wrong with a key, with a password of
	// checks, or with the key of a certificate that they show, that is read from a file, or
	// from a credential where no file is named, or what is only doubtful; nil: none is
	// judged. The secret is never returned.
	Key, Password, PrivateKey func(file, credential string) (doubt bool, err error)
}

// Whose are the addresses of a machine: why they count, and for what. There are warnings
// about addresses of services that nobody holds, and of virtual routers that are in no
// network; and a virtual router is refused that would give the director's own address
// away.
type Whose int

const (
	// OfDirector: the machine is the director. They count for all.
	OfDirector Whose = iota
	// OfStart: the director starts, and they may be what a daemon that has crashed
	// left. They refuse nothing, since what they say may pass.
	OfStart
	// OfHost: the machine may be another one than the director whose files are read on
	// it. They warn of nothing, but its own address is nobody's virtual one.
	OfHost
)

// warning are the addresses that warnings are about.
func (m *Machine) warning() []vrrp.InterfaceAddress {
	if m.Whose == OfHost {
		return nil
	}
	return m.Addresses
}

// refusing are those for which a virtual router is refused.
func (m *Machine) refusing() []vrrp.InterfaceAddress {
	if m.Whose == OfStart {
		return nil
	}
	return m.Addresses
}
