package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// ticks is USER_HZ, the unit of processor time in /proc: 100 on every Linux.
const ticks = 100

// eachProcess reads one file of /proc of every process on the host, and adds
// up what value finds in it. A process that ends meanwhile does not count.
func eachProcess(h *cluster.Host, file string, value func(string) (float64, error)) (sum float64, err error) {
	pids, err := h.PIDs()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("reading of a daemon: %w", err)
		}
		v, err := value(string(text))
		if err != nil {
			return 0, fmt.Errorf("reading /proc/%d/%s: %w", pid, file, err)
		}
		sum += v
	}
	return sum, nil
}

// cpu is the processor time, user's and system's, that the processes on the
// host have used, in seconds. The children that they waited for are in it.
func cpu(h *cluster.Host) (float64, error) {
	return eachProcess(h, "stat", processorTimeIn)
}

// processorTimeIn is the processor time in a stat file of /proc.
func processorTimeIn(text string) (sum float64, err error) {
	// The name, in parentheses, may hold anything; utime is the 12th field after it.
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:])
	if len(fields) < 15 {
		return 0, fmt.Errorf("%d fields", len(fields))
	}
	for _, f := range fields[11:15] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += float64(n) / ticks
	}
	return sum, nil
}

// emulatorStat is where the lab shows what an emulated machine costs the one that it
// runs on.
const emulatorStat = "/run/emulator/stat"

// emulated is the processor time that this machine has cost the one that emulates it, in
// seconds. What else runs there does not count.
func emulated() (float64, error) {
	text, err := os.ReadFile(emulatorStat)
	if err != nil {
		return 0, err
	}
	return processorTimeIn(string(text))
}

// pss is the memory of the processes on the host, in bytes; what several share
// is divided among them.
func pss(h *cluster.Host) (float64, error) {
	return eachProcess(h, "smaps_rollup", func(text string) (float64, error) {
		_, rest, _ := strings.Cut(text, "\nPss:")
		var kib float64
		if _, err := fmt.Sscanf(rest, "%f kB", &kib); err != nil {
			return 0, fmt.Errorf("no Pss: %w", err)
		}
		return kib * 1024, nil
	})
}

// atRest is the most that a daemon at rest uses of a processor: it looks at a
// part of its table every second, which costs about ten times as much on an
// emulated machine.
func atRest() float64 {
	if cluster.InQEMU() {
		return 0.5
	}
	return 0.1
}

// settle waits until the processes on the host have been at rest for so long,
// and returns when that time began.
func settle(ctx context.Context, h *cluster.Host, quiet time.Duration) (time.Time, error) {
	const look = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	began, used := time.Now(), 0.0
	for {
		now, err := cpu(h)
		if err != nil {
			return began, err
		}
		if now-used >= quiet.Seconds()*atRest() {
			began, used = time.Now(), now
		}
		if time.Since(began) >= quiet {
			return began, nil
		}
		if err := pause(ctx, look); err != nil {
			return began, fmt.Errorf("waiting for the daemon on %s to come to rest; it has used %.2f s since %v: %w",
				h.Name, now-used, time.Since(began), err)
		}
	}
}

// busy is how long the machine's processors have not been idle since it began,
// in seconds.
func busy() (float64, error) {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, err
	}
	var up, idle float64
	if _, err := fmt.Sscan(string(text), &up, &idle); err != nil {
		return 0, fmt.Errorf("reading /proc/uptime: %w", err)
	}
	return up*float64(runtime.NumCPU()) - idle, nil
}
