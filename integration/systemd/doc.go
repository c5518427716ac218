// Package systemd tests the unit file under the real systemd, which runs as the
// first process of a user-mode Linux. It checks that the daemon's processes can do
// their work within the confinement of the unit, and that systemd and the daemon
// agree about start, reload, death and stop.
package systemd
