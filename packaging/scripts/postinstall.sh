#!/bin/sh
# After the installation or an upgrade. A daemon that runs goes on as it is: when
# each director hands over is for the administrator to say.
set -e
systemd-sysusers lvsd.conf
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
if systemctl --quiet is-active lvsd.service; then
	echo 'lvsd goes on with the version that was started. Run "systemctl restart lvsd" on the Backup first.'
fi
