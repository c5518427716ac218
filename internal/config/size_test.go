package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/config"
)

// writeCluster writes services of 10 real servers each, in one file or in one
// file for each service, and returns the path to read.
func writeCluster(tb testing.TB, services int, oneFile bool) string {
	tb.Helper()
	dir := tb.TempDir()
	var all strings.Builder
	for i := range services {
		text := service(i)
		if oneFile {
			all.WriteString(text)
			continue
		}
		write(tb, filepath.Join(dir, fmt.Sprintf("s%04d.hcl", i)), text)
	}
	if oneFile {
		write(tb, filepath.Join(dir, "all.hcl"), all.String())
	}
	return dir
}

func service(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "virtual_service \"s%d\" {\n  address   = \"10.%d.%d.1\"\n  port      = 80\n  scheduler = \"wrr\"\n  forward   = \"nat\"\n", i, i/250, i%250)
	b.WriteString("  check \"http\" {\n    path = \"/index.html\"\n    expect { status = [\"200-299\"] }\n  }\n")
	for j := range 10 {
		fmt.Fprintf(&b, "  real_server \"node-%d\" {\n    address = \"172.%d.%d.%d\"\n    port    = 8080\n    weight  = %d\n  }\n", j, i/250, i%250, j+1, j+1)
	}
	b.WriteString("}\n\n")
	return b.String()
}

func write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, oneFile := range []bool{true, false} {
		name := "1000-files"
		if oneFile {
			name = "one-file"
		}
		b.Run(name, func(b *testing.B) {
			path := writeCluster(b, 1000, oneFile)
			b.ReportAllocs()
			var cfg *config.Config
			used := cpu()
			before := heap()
			for b.Loop() {
				s := config.SourcesAt(b, path)
				var diags config.Diagnostics
				if cfg, diags = config.Parse(s, config.Options{Node: "lvs1"}); diags.Err() != nil {
					b.Fatal(diags.Err())
				}
			}
			b.ReportMetric(float64(heap()-before)/1e6, "MB-live")
			b.ReportMetric(float64((cpu()-used).Milliseconds())/float64(b.N), "cpu-ms/op")
			runtime.KeepAlive(cfg)
		})
	}
}

// Once parsed, 10,000 real servers take at most 11 MB; the trees of their
// files would take some 100.
func TestConfigIsSmall(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's memory is not the program's")
	}
	path := writeCluster(t, 1000, true)
	before := heap()
	s := config.SourcesAt(t, path)
	cfg, diags := config.Parse(s, config.Options{Node: "lvs1"})
	if diags.Err() != nil {
		t.Fatal(diags.Err())
	}
	live := heap() - before // with the files, which a daemon may drop
	if n := len(cfg.Services); n != 1000 || live > 11e6 {
		t.Errorf("%d services take %.1f MB, want 1000 in at most 11 MB", n, float64(live)/1e6)
	}
	t.Logf("%.1f MB", float64(live)/1e6)
	runtime.KeepAlive(cfg)
	runtime.KeepAlive(s)
}

// cpu returns the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkUnchanged(b *testing.B) {
	for _, oneFile := range []bool{true, false} {
		b.Run(fmt.Sprintf("one-file=%v", oneFile), func(b *testing.B) {
			path := writeCluster(b, 1000, oneFile)
			used := cpu()
			for b.Loop() {
				s := config.SourcesAt(b, path)
				s.Digest(config.Options{Node: "lvs1"})
			}
			b.ReportMetric(float64((cpu()-used).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// BenchmarkReuse reads 1,000 services of which one has changed.
func BenchmarkReuse(b *testing.B) {
	path := writeCluster(b, 1000, false)
	known := map[config.Key][]byte{}
	read := func() (reused int) {
		s := config.SourcesAt(b, path)
		out, diags := config.ParseWith(s, config.Options{Node: "lvs1"}, config.Machine{}, known)
		if diags.Err() != nil {
			b.Fatal(diags.Err())
		}
		for _, block := range out.Blocks {
			known[block.Key] = block.Summary
			if block.Reused {
				reused++
			}
		}
		return reused
	}
	read()
	used := cpu()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		write(b, filepath.Join(path, "s0500.hcl"), service(500)+fmt.Sprintf("# %d\n", i)+strings.Replace(service(2000+i), "\"s", "\"t", 1))
		if n := read(); n != 1000 {
			b.Fatalf("%d blocks were reused, want 1000", n)
		}
	}
	b.ReportMetric(float64((cpu()-used).Milliseconds())/float64(b.N), "cpu-ms/op")
}
