#!/bin/sh
# The first process of a user-mode Linux: prepares what Debian's boot would, and
# becomes systemd. @SHARE@ is the test's folder on the machine that runs it.
for d in /run /tmp /var/lib /var/log /var/tmp; do mount -t tmpfs tmpfs $d; done
mount -t proc proc /proc
cp -a /etc /run/etc && mount --bind /run/etc /etc
mount -t sysfs sys /sys
mkdir -p /run/share /run/modules/lib /run/systemd/system
mount -t hostfs none /run/share -o @SHARE@
# What makes units of fstab, of runlevels and the like takes seconds at each
# daemon-reload, and makes none that is needed.
mount -t tmpfs tmpfs /usr/lib/systemd/system-generators

# The modules of this kernel lie elsewhere than modprobe looks.
ln -s /usr/lib/uml/modules /run/modules/lib/modules
printf '#!/bin/sh\nexec /sbin/modprobe -d /run/modules "$@"\n' >/run/modules/modprobe
chmod +x /run/modules/modprobe
echo /run/modules/modprobe >/proc/sys/kernel/modprobe
/run/modules/modprobe ip_vs

ip link set lo up
ip link add out0 type veth peer name out1
ip link set out1 up
ip link set out0 up
ip addr add 10.13.0.15/24 dev out0

cat >/run/systemd/system/check.service <<END
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh /run/share/check.sh
StandardOutput=append:/run/share/results
StandardError=append:/run/share/results
END
printf '[Unit]\nDefaultDependencies=no\nWants=check.service\n' >/run/systemd/system/check.target
# systemd does this itself, unless it takes itself for a container: where the machine
# that runs the test is one, its /.dockerenv is here too. Credentials need it.
mount --make-rshared /
exec /lib/systemd/systemd --unit=check.target --log-target=console --log-level=notice --show-status=no
