package reader_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/reader"
)

// BenchmarkRead reads 1,000 services of 10 real servers each: for the first
// time, after one of them has changed, after none has, and only to validate it.
// cpu-ms/op is the processor time of parent and child.
func BenchmarkRead(b *testing.B) {
	for _, oneFile := range []bool{true, false} {
		b.Run(fmt.Sprintf("one-file=%v", oneFile), func(b *testing.B) {
			path := b.TempDir()
			write := func(weight int) { writeCluster(b, path, oneFile, weight) }
			write(1)
			q := reader.Query{Path: path, Node: "lvs1"}
			b.Run("first", func(b *testing.B) {
				measure(b, func() { read(b, newReader(reader.DefaultLimits), q) })
			})
			b.Run("validate", func(b *testing.B) {
				q := q
				q.ValidateOnly = true
				measure(b, func() { read(b, newReader(reader.DefaultLimits), q) })
			})
			r := newReader(reader.DefaultLimits)
			running := read(b, r, q).Config
			b.Run("one-changed", func(b *testing.B) {
				weight := 1
				measure(b, func() {
					b.StopTimer()
					weight++
					write(weight)
					b.StartTimer()
					read(b, r, q)
				})
			})
			b.Run("unchanged", func(b *testing.B) {
				write(1)
				q.RunningNode, q.RunningDigest = running.Node, running.Digest
				measure(b, func() { read(b, r, q) })
			})
		})
	}
}

func read(b *testing.B, r *reader.Reader, q reader.Query) reader.Reading {
	b.Helper()
	got, err := r.Read(b.Context(), q)
	if err != nil || got.Diagnostics.HasErrors() {
		b.Fatal(err, got.Diagnostics)
	}
	return got
}

func measure(b *testing.B, f func()) {
	var used time.Duration
	n := 0
	for b.Loop() {
		before := cpu()
		f()
		used += cpu() - before
		n++
	}
	b.ReportMetric(float64(used.Microseconds())/1000/float64(n), "cpu-ms/op")
}

// cpu returns the processor time of this process and of its children that have
// ended.
func cpu() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		_ = syscall.Getrusage(who, &u)
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// writeCluster writes 1,000 services, of which the first one's first server has
// the weight given.
func writeCluster(b *testing.B, dir string, oneFile bool, weight int) {
	b.Helper()
	var all strings.Builder
	for i := range 1000 {
		var s strings.Builder
		fmt.Fprintf(&s, "virtual_service \"s%d\" {\n  address   = \"10.%d.%d.1\"\n  port      = 80\n  scheduler = \"wrr\"\n  forward   = \"nat\"\n", i, i/250, i%250)
		for j := range 10 {
			w := j + 1
			if i == 0 && j == 0 {
				w = weight
			}
			fmt.Fprintf(&s, "  real_server \"node-%d\" {\n    address = \"172.%d.%d.%d\"\n    port    = 8080\n    weight  = %d\n  }\n", j, i/250, i%250, j+1, w)
		}
		s.WriteString("}\n\n")
		if oneFile {
			all.WriteString(s.String())
		} else if i == 0 || weight == 1 {
			put(b, filepath.Join(dir, fmt.Sprintf("s%04d.hcl", i)), s.String())
		}
	}
	if oneFile {
		put(b, filepath.Join(dir, "all.hcl"), all.String())
	}
}

func put(b *testing.B, path, text string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}
