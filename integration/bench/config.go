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
	if err := errors.Join(large.writeHCL(one, false), large.writeHCL(many, true)); err != nil {
		return nil, err
	}
	c := column{}
	for range o.runs {
		err := errors.Join(parseOnce(one, c), unchanged(one, "one file", c), unchanged(many, "1,000 files", c))
		if err != nil {
			return nil, err
		}
	}
	figures := []Figure{
		{Name: "parse, time"},
		{Name: "parse, CPU"},
		{Name: "unchanged, CPU, one file", Goal: atMost(unchangedCPU.Seconds())},
		{Name: "unchanged, CPU, 1,000 files", Goal: atMost(unchangedCPU.Seconds())},
	}
	for i := range figures {
		figures[i].Part, figures[i].Unit, figures[i].LVSD = "config", unitTime, c[figures[i].Name]
	}
	return figures, nil
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
