package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// validateTime is the goal of a check of the large configuration, on two
// processors.
const validateTime = 120 * time.Millisecond

// layouts are how the large configuration is written.
const (
	oneFile   = "one file"
	manyFiles = "1,000 files"
)

// measureConfig lets both daemons check the large configuration: lvsd also
// where each service has a file of its own.
func measureConfig(ctx context.Context, o options) ([]Figure, error) {
	say("config: checking 1,000 services")
	dir, err := os.MkdirTemp("", "lvsd-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	one, many, peer := filepath.Join(dir, "one"), filepath.Join(dir, "many"), filepath.Join(dir, "keepalived.conf")
	if err := writeLarge(one, many, peer); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	columns := [2]column{{}, {}}
	for range o.runs {
		err := errors.Join(
			validate(ctx, columns[0], oneFile, o.lvsd, "validate", one),
			validate(ctx, columns[0], manyFiles, o.lvsd, "validate", many),
			validate(ctx, columns[1], oneFile, "keepalived", "-t", "-f", peer),
		)
		if err != nil {
			return nil, err
		}
	}
	figures := []Figure{
		{Name: "validate, " + oneFile, Unit: unitTime, Goal: atMost(validateTime.Seconds())},
		{Name: "validate, CPU, " + oneFile, Unit: unitTime},
		{Name: "validate, " + manyFiles, Unit: unitTime, Goal: atMost(validateTime.Seconds())},
		{Name: "validate, CPU, " + manyFiles, Unit: unitTime},
	}
	return complete("config", figures, columns), nil
}

// writeLarge writes the large fleet for lvsd into one file, and into one for
// each service; and for keepalived.
func writeLarge(one, many, peer string) error {
	err := errors.Join(os.Mkdir(one, 0o755), os.Mkdir(many, 0o755),
		os.WriteFile(filepath.Join(one, "services.hcl"), []byte(large.hcl()), 0o644),
		os.WriteFile(peer, []byte(large.keepalived()), 0o644))
	for i := range large.services {
		path := filepath.Join(many, fmt.Sprintf("s%04d.hcl", i))
		err = errors.Join(err, os.WriteFile(path, []byte(large.serviceHCL(i)), 0o644))
	}
	return err
}

// validate notes what it takes a daemon to check a configuration, with the
// processes that it starts for that and waits for.
func validate(ctx context.Context, c column, layout string, command ...string) error {
	p := exec.CommandContext(ctx, command[0], command[1:]...)
	begin := time.Now()
	if out, err := p.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, out)
	}
	c.addTime("validate, "+layout, time.Since(begin))
	c.addTime("validate, CPU, "+layout, p.ProcessState.UserTime()+p.ProcessState.SystemTime())
	return nil
}
