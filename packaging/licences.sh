#!/bin/sh
# Prints lvsd's licence, and those of everything that is linked into it: Go's own,
# and every licence and notice beside a linked package or above it in its module.
set -eu
cd "$(dirname "$0")/.."

section() { # TITLE FILE...
	printf '\n%s\n%s\n\n' "================================================================" "$1"
	shift
	cat "$@"
}

# licences DIRECTORY TOP lists the licences in a directory and above it, up to TOP.
licences() {
	find "$1" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' -o -iname 'patents*' \) ! -name '*.go'
	[ "$1" = "$2" ] || licences "$(dirname "$1")" "$2"
}

section "lvsd" LICENSE
section "Go, its run time and standard library" "$(go env GOROOT)/LICENSE"
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}} {{$.Dir}}{{end}}{{end}}' ./cmd/lvsd |
	sort | while read -r module version top package; do
	found=$(licences "$package" "$top")
	[ -n "$found" ] || {
		echo "licences.sh: $module $version has no licence" >&2
		exit 1
	}
	echo "$found" | while read -r file; do echo "$module $version $file"; done
done | sort -u | while read -r module version file; do
	section "$module $version" "$file"
done
