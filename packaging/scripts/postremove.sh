#!/bin/sh
# After the removal; Debian's purge leaves nothing behind.
set -e
case "$1" in
purge)
	rm -rf /etc/lvsd /var/lib/lvsd /var/lib/lvsd-realserver
	! getent passwd lvsd >/dev/null || userdel lvsd
	! getent group lvsd >/dev/null || groupdel lvsd
	;;
esac
[ ! -d /run/systemd/system ] || systemctl daemon-reload
