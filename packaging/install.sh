#!/bin/sh
# Installs a built lvsd: install.sh BINARY, beside which are the licences of what is
# linked into it, in the file copyright. install.sh --uninstall removes what was
# installed. DESTDIR is put before every path, PREFIX is /usr/local unless given;
# packages give PREFIX=/usr. A configuration that exists is left alone, as is
# /etc/default/lvsd, and nothing is started.
set -eu

binary=${1:?usage: [DESTDIR=…] [PREFIX=…] install.sh BINARY|--uninstall}
prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}
from=$(dirname "$0")
share=$root$prefix/share
zsh=${ZSH_COMPLETIONS:-$prefix/share/zsh/site-functions} # Debian's packages have another place

# systemd reads units of the administrator's programs from /usr/local/lib.
lib=$root$prefix/lib

put() { # MODE FILE TARGET
	echo "  $3"
	if [ "$binary" = --uninstall ]; then
		rm -f "$3"
	else
		install -D -m "$1" "$2" "$3"
	fi
}

complete() { # SHELL TARGET
	if [ "$binary" = --uninstall ]; then
		put 0644 "" "$2"
		return
	fi
	install -d "$(dirname "$2")"
	"$binary" completion "$1" >"$2.new"
	chmod 0644 "$2.new"
	mv "$2.new" "$2"
	echo "  $2"
}

if [ "$binary" = --uninstall ] && [ -z "$root" ] && systemctl --quiet is-active lvsd 2>/dev/null; then
	echo "lvsd is running: first run systemctl disable --now lvsd" >&2
	exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in lvsd.service lvsd-realserver.service lvsd.8 lvsd-ipvs.8 lvsd-status.8 lvsd-realserver.8 lvsd-doctor.8 lvsd-import.7 lvsd.hcl.5; do
	sed "s|/usr/local/|$prefix/|g" "$from/$file" >"$work/$file"
done

put 0755 "$binary" "$root$prefix/sbin/lvsd"
put 0644 "$work/lvsd.service" "$lib/systemd/system/lvsd.service"
put 0644 "$work/lvsd-realserver.service" "$lib/systemd/system/lvsd-realserver.service"
put 0644 "$from/lvsd.sysusers" "$lib/sysusers.d/lvsd.conf"
put 0644 "$from/modules-load.conf" "$lib/modules-load.d/lvsd.conf"
put 0644 "$work/lvsd.8" "$share/man/man8/lvsd.8"
put 0644 "$work/lvsd-ipvs.8" "$share/man/man8/lvsd-ipvs.8"
put 0644 "$work/lvsd-status.8" "$share/man/man8/lvsd-status.8"
put 0644 "$work/lvsd-realserver.8" "$share/man/man8/lvsd-realserver.8"
put 0644 "$work/lvsd-doctor.8" "$share/man/man8/lvsd-doctor.8"
put 0644 "$work/lvsd.hcl.5" "$share/man/man5/lvsd.hcl.5"
put 0644 "$work/lvsd-import.7" "$share/man/man7/lvsd-import.7"
complete bash "$share/bash-completion/completions/lvsd"
complete zsh "$root$zsh/_lvsd"
complete fish "$share/fish/vendor_completions.d/lvsd.fish"
for dropin in programs.conf watchdog.conf; do
	put 0644 "$from/$dropin" "$share/doc/lvsd/examples/$dropin"
done
put 0644 "$(dirname -- "$binary")/copyright" "$share/doc/lvsd/copyright"
for file in README.md ARCHITECTURE.md CHANGELOG.md; do
	put 0644 "$from/../$file" "$share/doc/lvsd/$file"
done
for example in "$from"/../examples/README.md "$from"/../examples/*.hcl "$from"/../examples/*/*.hcl; do
	[ -f "$example" ] || continue
	put 0644 "$example" "$share/doc/lvsd/examples/${example#"$from"/../examples/}"
done
if [ "$binary" = --uninstall ]; then
	find "$share/doc/lvsd" -depth -type d -empty -delete 2>/dev/null || true
	[ -n "$root" ] || echo "Left: /etc/lvsd, /etc/default/lvsd, /var/lib/lvsd, and the user lvsd."
	exit
fi
install -d -m 0755 "$root/etc/lvsd"
[ -e "$root/etc/default/lvsd" ] || put 0644 "$from/lvsd.default" "$root/etc/default/lvsd"

[ -n "$root" ] || cat <<END

Now: write /etc/lvsd/*.hcl (examples in $share/doc/lvsd/examples), then
  lvsd validate
  modprobe ip_vs
  systemd-sysusers && systemctl daemon-reload && systemctl enable --now lvsd
  lvsd status
END
