# What the checks have in common: they say what they see, a "name: value" a line.
say() { value=$(echo $2); echo "$1: ${value:-nothing}"; }
state() { systemctl show lvsd -p ActiveState --value; }
pids() { cat /sys/fs/cgroup/system.slice/lvsd.service/cgroup.procs 2>/dev/null || cat /sys/fs/cgroup/*/system.slice/lvsd.service/cgroup.procs; }
holds() { ip -br addr show out0 | grep -c 10.13.0.200; }
journal() { journalctl --sync; journalctl -q -u lvsd -o cat "$@"; }
within() { # SECONDS COMMAND... until it succeeds
	n=$(($1 * 10)); shift
	while [ $n -gt 0 ] && ! "$@" >/dev/null 2>&1; do sleep 0.1; n=$((n - 1)); done
}
holding() { [ "$(holds)" = 1 ]; }
stopping() { [ "$(state)" = deactivating ]; }
stopped() { [ "$(state)" = inactive ]; }
restarted() { [ "$(systemctl show lvsd -p NRestarts --value)" = 1 ] && [ "$(state)" = active ]; }

# over ends the machine, with the daemon's log in the test's folder.
over() {
	journalctl -u lvsd -o short-monotonic >/run/share/log
	echo o >/proc/sysrq-trigger
	sleep 10
}

# A machine that hangs is ended by the test after four minutes. Before that, it tells what
# its processes do, and what the daemon was doing.
(
	sleep 200
	{ ps -eLo pid,tid,user,stat,wchan:24,args; grep -H . /proc/$(systemctl show lvsd -p MainPID --value)/task/*/wchan; } >/run/share/log 2>&1
	kill -QUIT "$(systemctl show lvsd -p MainPID --value)"
	sleep 3
	journalctl -u lvsd -o short-monotonic >>/run/share/log
) &
