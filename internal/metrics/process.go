package metrics

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// The figures of the Go runtime and of the process have the names that dashboards
// for Go programs expect, of which these are what an administrator looks at.
var (
	goInfo    = family{"go_info", "Always 1; the release of Go that lvsd was built with.", "gauge"}
	goThreads = family{"go_threads", "Threads of the process.", "gauge"}
	gcPauses  = family{"go_gc_duration_seconds", "How often, and for how long in all, the garbage collector stopped the program.", "summary"}

	// runtimeFamilies are figures of the Go runtime.
	runtimeFamilies = []struct {
		family
		value func(*runtime.MemStats) uint64
	}{
		{family{"go_goroutines", "Goroutines.", "gauge"}, func(*runtime.MemStats) uint64 { return uint64(runtime.NumGoroutine()) }},
		{family{"go_memstats_alloc_bytes_total", "Bytes that the program has allocated in its heap since it started.", "counter"}, func(m *runtime.MemStats) uint64 { return m.TotalAlloc }},
		{family{"go_memstats_heap_inuse_bytes", "Bytes of the heap that hold something.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.HeapInuse }},
		{family{"go_memstats_next_gc_bytes", "Size of the heap at which the next garbage collection begins.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.NextGC }},
		{family{"go_memstats_sys_bytes", "Bytes that the Go runtime has from the kernel.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.Sys }},
	}

	processCPU      = family{"process_cpu_seconds_total", "Processor time of the process.", "counter"}
	processOpen     = family{"process_open_fds", "File descriptors that are open.", "gauge"}
	processMaxOpen  = family{"process_max_fds", "File descriptors that may be open.", "gauge"}
	processResident = family{"process_resident_memory_bytes", "Memory of the process that is in RAM.", "gauge"}
	processVirtual  = family{"process_virtual_memory_bytes", "Address space of the process.", "gauge"}
	processStarted  = family{"process_start_time_seconds", "When the process started.", "gauge"}
)

// started is when the process started, as nearly as it can tell.
var started = time.Now()

// process adds the figures of the Go runtime and of this process.
func (s scrape) process() {
	s.number(goInfo, 1, label("version", runtime.Version()))
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, f := range runtimeFamilies {
		s.number(f.family, float64(f.value(&m)), none)
	}
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	s.part(gcPauses, "_sum", gc.PauseTotal.Seconds(), none)
	s.part(gcPauses, "_count", float64(gc.NumGC), none)

	s.number(processStarted, moment(started), none)
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		s.number(processOpen, float64(len(open)-1), none) // without that of the directory itself
	}
	s.limits()
	s.stat()
}

// limits adds what /proc/self/limits says (proc_pid_limits(5)).
func (s scrape) limits() {
	text, _ := os.ReadFile("/proc/self/limits") // Where there is none, this is missing.
	_, rest, _ := strings.Cut(string(text), "Max open files")
	if f := strings.Fields(rest); len(f) > 0 {
		if n, err := strconv.ParseUint(f[0], 10, 64); err == nil {
			s.number(processMaxOpen, float64(n), none)
		}
	}
}

// stat adds what /proc/self/stat says (proc_pid_stat(5)).
func (s scrape) stat() {
	const ticks = 100 // a second, on every Linux that Go runs on
	text, err := os.ReadFile("/proc/self/stat")
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if err != nil || len(fields) < 22 {
		return
	}
	// field returns a field by its number in the manual; the first here is 3.
	field := func(n int) float64 {
		v, _ := strconv.ParseFloat(fields[n-3], 64)
		return v
	}
	s.number(processCPU, (field(14)+field(15))/ticks, none)
	s.number(goThreads, field(20), none)
	s.number(processVirtual, field(23), none)
	s.number(processResident, field(24)*float64(os.Getpagesize()), none)
}
