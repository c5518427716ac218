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

// The figures of the Go runtime and of the process have the names that
// Prometheus' own client library gives them, so that dashboards for Go programs
// work.
var (
	goInfo    = family{"go_info", "Information about the Go environment.", "gauge"}
	goThreads = family{"go_threads", "Number of OS threads created.", "gauge"}
	gcPauses  = family{"go_gc_duration_seconds", "A summary of the wall-time pause (stop-the-world) duration in garbage collection cycles.", "summary"}

	// runtimeFamilies are figures of the Go runtime.
	runtimeFamilies = []struct {
		family
		value func(*runtime.MemStats) uint64
	}{
		{family{"go_goroutines", "Number of goroutines that currently exist.", "gauge"}, func(*runtime.MemStats) uint64 { return uint64(runtime.NumGoroutine()) }},
		{family{"go_memstats_alloc_bytes", "Number of bytes allocated in heap and currently in use.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.Alloc }},
		{family{"go_memstats_alloc_bytes_total", "Total number of bytes allocated in heap until now, even if released already.", "counter"}, func(m *runtime.MemStats) uint64 { return m.TotalAlloc }},
		{family{"go_memstats_frees_total", "Total number of heap objects frees.", "counter"}, func(m *runtime.MemStats) uint64 { return m.Frees }},
		{family{"go_memstats_gc_sys_bytes", "Number of bytes used for garbage collection system metadata.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.GCSys }},
		{family{"go_memstats_heap_idle_bytes", "Number of heap bytes waiting to be used.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.HeapIdle }},
		{family{"go_memstats_heap_inuse_bytes", "Number of heap bytes that are in use.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.HeapInuse }},
		{family{"go_memstats_heap_objects", "Number of currently allocated objects.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.HeapObjects }},
		{family{"go_memstats_heap_released_bytes", "Number of heap bytes released to OS.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.HeapReleased }},
		{family{"go_memstats_heap_sys_bytes", "Number of heap bytes obtained from system.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.HeapSys }},
		{family{"go_memstats_last_gc_time_seconds", "Number of seconds since 1970 of last garbage collection.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.LastGC / 1e9 }},
		{family{"go_memstats_mallocs_total", "Total number of heap objects allocated, both live and gc-ed.", "counter"}, func(m *runtime.MemStats) uint64 { return m.Mallocs }},
		{family{"go_memstats_next_gc_bytes", "Number of heap bytes when next garbage collection will take place.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.NextGC }},
		{family{"go_memstats_stack_inuse_bytes", "Number of bytes obtained from system for stack allocator in non-CGO environments.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.StackInuse }},
		{family{"go_memstats_sys_bytes", "Number of bytes obtained from system.", "gauge"}, func(m *runtime.MemStats) uint64 { return m.Sys }},
	}

	processCPU      = family{"process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", "counter"}
	processOpen     = family{"process_open_fds", "Number of open file descriptors.", "gauge"}
	processMaxOpen  = family{"process_max_fds", "Maximum number of open file descriptors.", "gauge"}
	processResident = family{"process_resident_memory_bytes", "Resident memory size in bytes.", "gauge"}
	processVirtual  = family{"process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge"}
	processStarted  = family{"process_start_time_seconds", "Start time of the process since unix epoch in seconds.", "gauge"}
)

// started is when the process started, as nearly as it can tell.
var started = time.Now()

// process adds the figures of the Go runtime and of this process.
func (s scrape) process() {
	s.flag(goInfo, true, label("version", runtime.Version()))
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, f := range runtimeFamilies {
		s.number(f.family, float64(f.value(&m)), none)
	}
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	s.part(gcPauses, "_sum", gc.PauseTotal.Seconds(), none)
	s.part(gcPauses, "_count", float64(gc.NumGC), none)

	s.moment(processStarted, started, none)
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
