package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// waitTable waits until the host's table has the fleet's servers with their
// weights, and returns how long it took since begin. Between two looks it leaves
// the processor alone for four times as long as a look takes.
func waitTable(ctx context.Context, h *cluster.Host, f fleet, begin time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	want := f.procRows()
	for {
		look := time.Now()
		// It costs a tenth of listing the table by netlink.
		text, err := cluster.ReadTable(h)
		if err != nil {
			return 0, err
		}
		seen := time.Now() // to count the rows takes as long as the daemon lets it
		right, others := countRows(text, want)
		if right == len(want) && others == 0 {
			return seen.Sub(begin), nil
		}
		if err := pause(ctx, max(4*seen.Sub(look), time.Millisecond)); err != nil {
			return 0, fmt.Errorf("waiting for the table to have %d servers; it has %d of them, and %d others: %w", len(want), right, others, err)
		}
	}
}

// countRows counts the servers' lines of /proc/net/ip_vs that are wanted, and
// those that are not.
func countRows(text []byte, want map[string]bool) (right, others int) {
	for line := range bytes.Lines(text) {
		switch {
		case len(line) < procRow || !bytes.HasPrefix(line, []byte("  -> ")) || line[5] == 'R': // the title
		case want[string(line[:procRow])]:
			right++
		default:
			others++
		}
	}
	return right, others
}

// equalTable compares the host's table, as ipvsadm reads it, with the fleet.
func equalTable(ctx context.Context, h *cluster.Host, f fleet) error {
	got, err := cluster.Table(ctx, h)
	if err != nil {
		return err
	}
	slices.Sort(got)
	want := f.rows()
	if slices.Equal(got, want) {
		return nil
	}
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	return errors.New("the table is not what was configured: ipvsadm has " +
		strings.Join(got[i:min(i+1, len(got))], "") + ", want " + strings.Join(want[i:min(i+1, len(want))], ""))
}
