#!/bin/sh
# Before the removal (Debian: remove, RPM: 0), not before an upgrade: the daemon
# hands its addresses over and ends.
set -e
case "$1" in
remove | 0) [ ! -d /run/systemd/system ] || systemctl --quiet disable --now lvsd.service lvsd-realserver.service ;;
esac
