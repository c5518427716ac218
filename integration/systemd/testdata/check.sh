# Runs the unit through its life.
. /run/share/lib.sh

# told is what the hook that runs as a user has said.
told() { journal | sed -n "/msg=\"hook: $1 /{s/.*msg=\"hook: \([^\"]*\)\".*/\1/p;q}"; }

# The unit as it is installed, with another program.
cp /run/share/lvsd /run/lvsd-binary
systemd-sysusers /run/share/lvsd.sysusers
mkdir /run/conf
cp /run/share/cluster.hcl /run/conf/
chown root:lvsd /run/conf /run/conf/*
chmod 0750 /run/conf
chmod 0640 /run/conf/*
sed 's|/usr/local/sbin/lvsd |/run/lvsd-binary |' /run/share/lvsd.service >/run/systemd/system/lvsd.service
echo 'LVSD_OPTIONS="--node lvs1 --config /run/conf"' >/etc/default/lvsd

systemctl daemon-reload
systemctl start lvsd
say "start exits" $?
say "started" "$(state)"
within 10 holding
say "address held" "$(holds)"
within 5 sh -c 'systemctl show lvsd -p StatusText --value | grep -q Master'
say "shown by systemctl status" "$(systemctl show lvsd -p StatusText --value)"
say "table" "$(ipvsadm -Sn | grep -c -- '-A -t 10.13.0.200:80 -s wrr')"
within 20 sh -c 'journalctl -q -u lvsd -o cat | grep -q event=hook-run'
say "hook" "$(told lvsd)"
/run/lvsd-binary status >/dev/null
say "status exits" $?
say "runs as" "$(for pid in $(pids); do stat -c '%U:%G' /proc/$pid; done | sort -u)"
say "control socket" "$(stat -c '%U:%G %a' /run/lvsd/lvsd.sock)"
say "state directory" "$(stat -c '%U:%G %a' /var/lib/lvsd)"
setpriv --reuid nobody --regid nogroup --groups lvsd /run/lvsd-binary status >/dev/null
say "status of a member of the group exits" $?
setpriv --reuid nobody --regid nogroup --clear-groups /run/lvsd-binary status >/dev/null 2>&1
say "status of anybody else exits" $?
say "shown as" "$(for pid in $(pids); do tr '\0' ' ' </proc/$pid/cmdline | cut -d ' ' -f 1,2; done | sort | tr '\n' ,)"
for pid in $(pids); do
	role=director
	tr '\0' ' ' </proc/$pid/cmdline | grep -q ' keeper ' && role=keeper
	say "$role capabilities" "$(sed -n 's/^CapEff://p' /proc/$pid/status)"
	say "$role system calls are filtered" "$(awk '/^Seccomp:/ { print ($2 == 2) ? "yes" : "no" }' /proc/$pid/status)"
	say "$role threads by scheduling class" "$(ps -Lo cls= -p $pid | sort -u)"
	say "$role locked" "$(awk '/^VmLck/ { print ($2 > 0) ? "yes" : "no" }' /proc/$pid/status)"
done

sed -i 's/wrr/wlc/' /run/conf/cluster.hcl
systemctl reload lvsd
say "reload exits" $?
within 5 sh -c 'ipvsadm -Sn | grep -q -- "-s wlc"'
say "table after the reload" "$(ipvsadm -Sn | grep -c -- '-A -t 10.13.0.200:80 -s wlc')"
cp /run/conf/cluster.hcl /run/good
echo broken >>/run/conf/cluster.hcl
systemctl reload lvsd
say "reload of a broken file exits" $?
say "after a broken file" "$(state)"
within 5 sh -c 'systemctl show lvsd -p StatusText --value | grep -q REFUSED'
say "shown by systemctl status then" "$(systemctl show lvsd -p StatusText --value)"
say "refusals in status" "$(/run/lvsd-binary status | grep -c 'RELOAD REFUSED')"
say "refused in the journal as an error" "$(journal -p err | grep -c event=configuration-refused)"
say "told by the journal only once" "$(journal | grep -c 'msg="configuration: ')"
say "below a warning in the journal" "$(journal -p warning | grep -c level=INFO)"
say "in the journal anyway" "$(journal | grep -c 'event=ready')"
cat /run/good >/run/conf/cluster.hcl
chmod 0600 /run/conf/cluster.hcl
systemctl reload lvsd
say "reload of a file for root alone exits" $?
say "what is to be done about it" "$(journal -p err | grep 'reload refused' | tail -1 | grep -o 'give it to that group')"
chmod 0640 /run/conf/cluster.hcl
systemctl reload lvsd
say "reload of the corrected file exits" $?

kill -9 $(systemctl show lvsd -p MainPID --value)
gone=no
n=40
while [ $n -gt 0 ] && ! restarted; do holding || gone=yes; n=$((n - 1)); done
say "address gone meanwhile" $gone
say "after kill -9" "$(state)"
within 10 holding
say "address held again" "$(holds)"

systemctl stop lvsd
say "stop exits" $?
say "stopped" "$(state), $(systemctl show lvsd -p Result --value)"
say "address after the stop" "$(holds)"
say "promote_secondaries" "$(cat /proc/sys/net/ipv4/conf/out0/promote_secondaries)"
say "processes left" "$(ps -eo args= | grep -c '[k]eeper --lock\|[l]vsd-binary run')"
/run/lvsd-binary status 2>/dev/null
say "status exits without a daemon" $?

echo broken >>/run/conf/cluster.hcl
systemctl start lvsd
say "start with a broken file exits" $?
sleep 3
say "a broken file is tried again" "$(systemctl show lvsd -p NRestarts --value) times, $(systemctl show lvsd -p ActiveState,ExecMainStatus --value)"
say "a broken file is an error in the journal" "$(journal -p err | grep -c 'is not valid for node')"
printf '[Service]\nExecStart=/bin/sleep 1000\n' >/run/systemd/system/probe.service
mkdir /run/disk
sed 's|^  on "master" { \(run = .*\) }$|  on "master" {\n\1\nuser = "nobody"\n}\n  on "master" {\n\1\nuser = "root"\n}\n  on "master" { run = ["/bin/sh", "-c", "while ! test -e /run/stopping; do sleep 0.1; done; echo under way until it ended"] }\n  on "stop" { run = ["/bin/sh", "-c", "sleep 2; echo stopping took its time"] }\nresource "mount" "/run/disk" {\ndevice = "tmpfs"\ntype = "tmpfs"\n}\nresource "systemd" "probe.service" {}|' /run/good >/run/conf/cluster.hcl
mkdir /run/systemd/system/lvsd.service.d
cp /run/share/programs.conf /run/systemd/system/lvsd.service.d/
# A key that is a credential comes from where only root can read.
sed -i 's|^  addresses  .*|&\n  authentication {\n    key "7" { credential = "vrrp" }\n  }|' /run/conf/cluster.hcl
(umask 077; echo "a key of thirty-two bytes or more" >/run/vrrp.key)
printf '[Service]\nLoadCredential=vrrp:/run/vrrp.key\n' >/run/systemd/system/lvsd.service.d/keys.conf
systemctl daemon-reload
systemctl start lvsd
say "start with the corrected file exits" $?
within 20 sh -c 'journalctl -q -u lvsd -o cat | grep -q "hook: root"'
say "signs with the key of a credential" "$(/run/lvsd-binary status -o json | grep -o '"signer": *7')"
say "hook as nobody" "$(told nobody)"
say "hook as root" "$(told root)"
within 20 systemctl --quiet is-active probe.service
say "resources of the Master" "$(/run/lvsd-binary status | grep '^Runs')"
say "unit that is a resource" "$(systemctl is-active probe.service)"
say "mount seen by others" "$(grep -c ' /run/disk ' /proc/self/mountinfo)"
systemctl stop --no-block lvsd
within 10 stopping
sleep 0.5 # systemd would have sent it SIGTERM by then
touch /run/stopping
within 20 stopped
say "hook under way at the stop" "$(told under)"
say "hook of the stop" "$(told stopping)"
say "programs that failed" "$(journal | grep -c -e event=hook-failed -e event=resource-stuck)"
say "stopped then" "$(state), $(systemctl show lvsd -p Result --value)"
say "unit after the stop" "$(systemctl is-active probe.service)"
say "mount after the stop" "$(grep -c ' /run/disk ' /proc/self/mountinfo)"
over
