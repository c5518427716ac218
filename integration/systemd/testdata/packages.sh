# Installs, upgrades and removes the packages, as dpkg and rpm do.
. /run/share/lib.sh

# The programs' folder is the test's machine's: what changes is kept in memory.
/run/modules/modprobe overlay
mkdir /run/upper /run/work
mount -t overlay overlay -o lowerdir=/usr,upperdir=/run/upper,workdir=/run/work /usr
mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/triggers /var/lib/rpm
touch /var/lib/dpkg/status /var/lib/dpkg/available
pid() { systemctl show lvsd -p MainPID --value; }
version() { lvsd status -o json | grep -o '"version":"[^"]*"'; }
user() { getent passwd lvsd | cut -d: -f1,6,7; }
# left lists what the package has left, but for what systemd keeps in /run. What is
# new below /usr lies in /run/upper; looking through all of /usr takes half a minute.
left() {
	find /etc /run/upper /var/lib -xdev -name '*lvsd*' ! -type c ! -path '/var/lib/dpkg/*' ! -path '/run/upper/share/doc/lvsd/*' | sort
}

# life of a package: KIND INSTALL UPGRADE REMOVE
life() {
	kind=$1
	sh -c "$2" >/run/said 2>&1
	say "$kind, install exits" $?
	say "$kind, user" "$(user)"
	say "$kind, after the installation" "$(state), $(systemctl is-enabled lvsd 2>&1)"
	echo 'LVSD_OPTIONS="--node lvs1"' >/etc/default/lvsd
	cp /run/share/cluster.hcl /etc/lvsd/
	chown root:lvsd /etc/lvsd/cluster.hcl
	chmod 0640 /etc/lvsd/cluster.hcl
	systemctl enable --now lvsd 2>/dev/null
	say "$kind, enable exits" $?
	within 10 holding
	say "$kind, address held" "$(holds)"
	before=$(pid)
	sh -c "$3" >/run/said 2>&1
	say "$kind, upgrade exits" $?
	say "$kind, upgrade says" "$(grep -c 'systemctl restart lvsd' /run/said)"
	[ "$(pid)" = "$before" ] && running=same || running=another
	say "$kind, process after the upgrade" "$running, $(state), $(systemctl is-enabled lvsd)"
	say "$kind, options after the upgrade" "$(cat /etc/default/lvsd)"
	say "$kind, version that runs" "$(version)"
	systemctl reload lvsd
	say "$kind, reload of the old by the new exits" $?
	systemctl restart lvsd
	say "$kind, restart exits" $?
	say "$kind, version after the restart" "$(version)"
	sh -c "$4" >/run/said 2>&1
	say "$kind, remove exits" $?
	say "$kind, after the removal" "$(state), $(holds) addresses, $(ps -u lvsd -o pid= 2>/dev/null | wc -l) processes"
	say "$kind, configuration after the removal" "$(ls /etc/lvsd)"
}

life deb 'dpkg -i /run/share/*1.0*.deb' 'dpkg -i /run/share/*1.1*.deb' 'dpkg -r lvsd'
dpkg -P lvsd >/run/said 2>&1
say "deb, purge exits" $?
say "deb, left by the purge" "$(left)"
say "deb, user after the purge" "$(user)"

rpm="rpm --dbpath /var/lib/rpm --force-debian --nodeps" # of a machine whose other packages are not rpm's
life rpm "$rpm -i /run/share/*1.0*.rpm" "$rpm -U /run/share/*1.1*.rpm" "$rpm -e lvsd"
say "rpm, left by the removal" "$(left)"
over
