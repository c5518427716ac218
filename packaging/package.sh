#!/bin/sh
# Builds a package of a built lvsd: package.sh deb|rpm BINARY VERSION DIRECTORY.
set -eu

from=$(cd "$(dirname "$0")" && pwd)
directory=$(cd "$4" && pwd)
PACKAGE_VERSION=$3
ARCH=$(go env GOARCH)
PACKAGE_ROOT=$(mktemp -d)
export PACKAGE_VERSION ARCH PACKAGE_ROOT
trap 'rm -rf "$PACKAGE_ROOT"' EXIT

case $1 in deb) zsh=/usr/share/zsh/vendor-completions ;; *) zsh= ;; esac
DESTDIR=$PACKAGE_ROOT PREFIX=/usr ZSH_COMPLETIONS=$zsh "$from/install.sh" "$2" >/dev/null
go -C "$from/nfpm" tool nfpm package --config nfpm.yaml --packager "$1" --target "$directory/"
