package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/internal/config"
)

// unchangedCPU is the goal of a reload that changes nothing.
const unchangedCPU = 50 * time.Millisecond

// measureConfig reads the large configuration in this process: as one file,
// and as one file for each service.
func measureConfig(_ context.Context, o options) ([]Figure, error) {
	say("config: reading 1,000 services")
	dir, err := os.MkdirTemp("", "lvsd-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	one, many := filepath.Join(dir, "one"), filepath.Join(dir, "many")
	if err := writeLarge(one, many); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	c := column{}
	for range o.runs {
		err := errors.Join(parseOnce(one, c), unchanged(one, "one file", c), unchanged(many, "1,000 files", c))
		if err != nil {
			return nil, err
		}
	}
	figures := []Figure{
		{Name: "parse, time", Unit: unitTime},
		{Name: "parse, CPU", Unit: unitTime},
		{Name: "unchanged, CPU, one file", Unit: unitTime, Goal: atMost(unchangedCPU.Seconds())},
		{Name: "unchanged, CPU, 1,000 files", Unit: unitTime, Goal: atMost(unchangedCPU.Seconds())},
	}
	return complete("config", figures, [2]column{c}), nil
}

// writeLarge writes the large fleet into one file, and into one for each
// service.
func writeLarge(one, many string) error {
	err := errors.Join(os.Mkdir(one, 0o755), os.Mkdir(many, 0o755),
		os.WriteFile(filepath.Join(one, "services.hcl"), []byte(large.hcl()), 0o644))
	for i := range large.services {
		path := filepath.Join(many, fmt.Sprintf("s%04d.hcl", i))
		err = errors.Join(err, os.WriteFile(path, []byte(large.serviceHCL(i)), 0o644))
	}
	return err
}

// parseOnce reads and parses a configuration as a start does.
func parseOnce(path string, c column) error {
	runtime.GC()
	begin, used := time.Now(), ownCPU()
	s, err := config.Read(path)
	if err != nil {
		return err
	}
	parsed, diags := config.Parse(s, config.Options{Node: "lvs1"})
	if err := diags.Err(); err != nil {
		return err
	}
	c.addTime("parse, time", time.Since(begin))
	c.addTime("parse, CPU", ownCPU()-used)
	if n := len(parsed.Services); n != large.services {
		return fmt.Errorf("parsed %d services of %d", n, large.services)
	}
	return nil
}

// unchanged reads a configuration as a reload does that changes nothing.
func unchanged(path, layout string, c column) error {
	used := ownCPU()
	s, err := config.Read(path)
	if err != nil {
		return err
	}
	s.Digest(config.Options{Node: "lvs1"})
	c.addTime("unchanged, CPU, "+layout, ownCPU()-used)
	return nil
}

// ownCPU is the processor time that this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // it fails for a bad address only
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
