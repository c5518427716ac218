package main

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A measurement is one run of a part with one daemon: it adds what it finds to
// the daemon's column.
type measurement func(context.Context, daemon, column) error

// takeTurns measures the daemons in turn, as many times as there are runs: what
// the machine does beside disturbs both alike. On an error the columns have what
// was found before.
func takeTurns(ctx context.Context, o options, part string, runs int, once measurement) (columns [2]column, err error) {
	columns = [2]column{{}, {}}
	for n := range runs {
		for i, d := range daemons(o) {
			say("%s: run %d of %d, %s", part, n+1, runs, d.name)
			if err := once(ctx, d, columns[i]); err != nil {
				return columns, fmt.Errorf("%s: %w", d.name, err)
			}
		}
	}
	return columns, nil
}

// complete fills in what was measured, and where.
func complete(part string, figures []Figure, columns [2]column) []Figure {
	place := "on this kernel"
	switch {
	case cluster.InUML():
		place = "in user-mode Linux"
	case cluster.InQEMU():
		place = "under Debian's kernel, emulated"
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		place += fmt.Sprintf(" (%s, %d processors)", unix.ByteSliceToString(u.Release[:]), runtime.NumCPU())
	}
	for i := range figures {
		f := &figures[i]
		f.Part, f.Place, f.LVSD, f.Peer = part, place, columns[0][f.Name], columns[1][f.Name]
	}
	return figures
}
