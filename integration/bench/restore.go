package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// restored are the tables of the restore part. The second is the size that keepalived's
// documentation calls the worst it knows.
var restored = []struct {
	services, servers int
	goal              *Goal
}{
	{1000, 10000, nil}, // A large part is the program's start.
	{2277, 37205, ratioAtMost(0.05)},
}

// measureRestore has lvsd ipvs and ipvsadm, in keepalived's place, take turns to restore a
// whole table, each in a network namespace of its own.
func measureRestore(ctx context.Context, o options) ([]Figure, error) {
	columns := [2]column{{}, {}}
	var figures []Figure
	for _, t := range restored {
		name := fmt.Sprintf("-R of %d services with %d servers, beside ipvsadm", t.services, t.servers)
		figures = append(figures, Figure{Name: name, Unit: unitTime, Goal: t.goal})
		rules := saved(t.services, t.servers)
		for n := range o.share(3) {
			for i, program := range []string{o.lvsd + " ipvs", "ipvsadm"} {
				say("restore: run %d of %d, %s, %d servers", n+1, o.share(3), program, t.servers)
				took, err := restoreOnce(ctx, program, rules)
				if err != nil {
					return complete("restore", figures, columns), fmt.Errorf("%s: %w", program, err)
				}
				columns[i].addTime(name, took)
			}
		}
	}
	return complete("restore", figures, columns), nil
}

// saved is a table as ipvsadm -Sn prints it.
func saved(services, servers int) string {
	var b strings.Builder
	for i := range services {
		vip := fmt.Sprintf("10.1.%d.%d:80", i/250, i%250+1)
		fmt.Fprintf(&b, "-A -t %s -s wlc\n", vip)
		for j := i; j < servers; j += services {
			fmt.Fprintf(&b, "-a -t %s -r 10.2.%d.%d:80 -m -w 1\n", vip, j/250, j%250+1)
		}
	}
	return b.String()
}

// restoreOnce restores rules in a new network namespace, and compares.
func restoreOnce(ctx context.Context, program, rules string) (took time.Duration, err error) {
	c, err := cluster.New()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	h := c.Directors[0]
	file := filepath.Join(h.Dir, "table")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		return 0, err
	}
	begin := time.Now()
	if _, err := h.Run(ctx, "sh", "-c", "exec "+program+" -R <"+file); err != nil {
		return 0, err
	}
	took = time.Since(begin)
	lines, err := cluster.Table(ctx, h)
	if want := strings.Count(rules, "\n"); err == nil && len(lines) != want {
		err = fmt.Errorf("%d rows in the table, want %d", len(lines), want)
	}
	return took, err
}
