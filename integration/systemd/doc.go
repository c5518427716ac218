// Package systemd tests the unit file under the real systemd, as the first
// process of a user-mode Linux: whether the daemon's two processes can do all
// they must within the unit's confinement, and whether start, reload, death and
// stop are to systemd what they are to the daemon.
package systemd
