// Package modules tests what happens when modules leave the kernel and come back, on a
// machine of its own: IPVS has another number among netlink's families then, by which
// nobody finds it who has asked for it before.
package modules
