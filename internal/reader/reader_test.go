package reader_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/reader"
)

// childArgument makes this test's program be the child.
const childArgument = "read-config"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		if err := reader.Main(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// From the main goroutine, the reading begins on the main thread.
	before, _ := os.ReadFile("/proc/self/status")
	_, err := newReader(limits).Read(context.Background(), reader.Query{Path: "/no/such/file"})
	after, _ := os.ReadFile("/proc/self/status")
	for _, name := range []string{"CapPrm", "CapEff", "NoNewPrivs", "SigBlk"} {
		if was, is := field(string(before), name), field(string(after), name); was != is || !strings.Contains(err.Error(), "/no/such/file") {
			fmt.Fprintf(os.Stderr, "after a reading (%v), %s of this process is %s and was %s\n", err, name, is, was)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// limits are small, so that the tests are quick. On a machine that has much else to do, two
// seconds of processor time take long, and what makes garbage needs more memory than
// otherwise, since the collector gets its turn later.
var limits = reader.Limits{Memory: 128 << 20, Processor: 2 * time.Second, Duration: time.Minute, Stack: 1 << 20}

func newReader(l reader.Limits) *reader.Reader {
	if raceEnabled {
		l.Memory = 0 // the race detector's own is far more
	}
	return reader.New([]string{"/proc/self/exe", childArgument}, l)
}

// file writes a configuration and returns its path.
func file(tb testing.TB, text string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "lvsd.hcl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

const service = `
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" { weight = 3 }
  check "http" {
    path = "/health"
    headers = { X-Probe = "lvsd" }
    expect { status = [200] }
  }
}
`

func TestTheChildReadsWhatParseReads(t *testing.T) {
	path := file(t, service+`
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  priority  = env.HOME == "" ? 100 : 150
}
`)
	sources, err := config.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	o := config.Options{Node: "lvs1", Env: os.LookupEnv}
	want, wantDiags := config.Parse(sources, o)
	got, err := newReader(limits).Read(t.Context(), reader.Query{Path: path, Node: "lvs1"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Config, comparers); diff != "" {
		t.Errorf("the configuration (-parsed +read):\n%s", diff)
	}
	if diff := cmp.Diff(wantDiags, got.Diagnostics); diff != "" {
		t.Errorf("the diagnostics (-parsed +read):\n%s", diff)
	}

	again, err := newReader(limits).Read(t.Context(), reader.Query{
		Path: path, Node: "lvs1", RunningNode: "lvs1", RunningDigest: got.Config.Digest, RunningFiles: got.Config.Files,
	})
	if err != nil || !again.Unchanged || again.Config != nil {
		t.Errorf("read again: %+v, %v, want unchanged", again, err)
	}
}

func TestMistakesAreDiagnostics(t *testing.T) {
	got, err := newReader(limits).Read(t.Context(), reader.Query{Path: file(t, strings.Replace(service, "nat", "natt", 1)), Node: "lvs1"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Config != nil || len(got.Diagnostics) != 1 || got.Diagnostics[0].Line != 5 || got.Diagnostics[0].Source == "" {
		t.Errorf("read %+v, want one mistake on line 5 with its source", got)
	}
}

func TestNoSuchFileIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing")
	_, err := newReader(limits).Read(t.Context(), reader.Query{Path: path, Node: "lvs1"})
	if err == nil || !strings.Contains(err.Error(), "no configuration at "+path) {
		t.Errorf("error %v, want that there is no configuration", err)
	}
}

// bombs are configurations that cost too much to read, by what they exceed.
var bombs = []struct{ name, text, want string }{
	{"a value that is squared in size", `
locals {
  a = join("", [for i in range(1000) : "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
  b = length(replace(local.a, "a", local.a))
}`, "memory"},
	{"nested fors", `
locals {
  x = length([for i in range(1024) : [for j in range(1024) : [for k in range(1024) : i + j + k]]])
}`, "memory|time|long"},
	{"inside a block", strings.Replace(service, "path = ", `path = "/${length([for i in range(1024) : [for j in range(1024) : [for k in range(1024) : i + j + k]]])}" # `, 1), "memory|time|long"},
	{"a format as wide as it likes", `
locals {
  x = length([for i in range(1024) : format("%1048576d", i)])
}`, "memory|time|long"},
	{"a template of many copies", `
locals {
  a = format("%1048000d", 1)
  b = "` + strings.Repeat("${local.a}", 1500) + `"
}`, "memory|time|long"},
	{"a list that doubles itself", "\nlocals {\n  l0 = [1]\n" + doubling(40) + "}", "memory|time|long"},
	{"splats", `
locals {
  a = [for i in range(1024) : { n = range(1024) }]
  b = [for i in range(1024) : local.a[*].n]
  c = length(flatten([for x in local.b : [for y in x : [for z in y : [z, z, z]]]]))
}`, "memory|time|long"},
	{"dynamic blocks", `
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  dynamic "real_server" {
    for_each = flatten([for i in range(1024) : [for j in range(1024) : i * 1024 + j]])
    labels   = [cidrhost("10.0.0.0/8", real_server.value)]
    content {}
  }
}`, "memory|time|long|many"},
	{"brackets in a text", `
locals {
  x = try(jsondecode(join("", [for i in range(1000) : "[[[[[[[[[[[[[[[[[[[["])), 1)
}`, "Nested"},
	{"an expression that goes on for ever", `
locals {
  a = join("", [for i in range(1000) : "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
  x = [for i in range(1000) : length(regexall("(a?){400}b", local.a))]
}`, "time|long"},
}

// doubling returns locals of which each is the one before it twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  l%d = concat(local.l%d, local.l%d)\n", i+1, i, i)
	}
	return b.String()
}

func TestABombIsAMistakeWithItsPlace(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's memory is not the program's")
	}
	for _, b := range bombs {
		t.Run(b.name, func(t *testing.T) {
			path := file(t, b.text+service)
			began := time.Now()
			got, err := newReader(limits).Read(t.Context(), reader.Query{Path: path, Node: "lvs1"})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > limits.Duration+3*time.Second {
				t.Errorf("it took %v, and the limit is %v", took, limits.Duration)
			}
			if got.Config != nil || len(got.Diagnostics) != 1 {
				t.Fatalf("read %+v, want one mistake", got)
			}
			d := got.Diagnostics[0]
			t.Log(d)
			if !regexp.MustCompile(b.want).MatchString(d.Summary) || d.File != path || d.Line < 2 || d.Block == "" {
				t.Errorf("%+v: want the summary to say %q, and the place", d, b.want)
			}
		})
	}
}

func TestAReadingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newReader(limits).Read(ctx, reader.Query{Path: file(t, service), Node: "lvs1"})
	if err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("error %v, want that it was canceled", err)
	}
}

// A child that hangs before it has read the query, as one that cannot be killed
// because its program's disk is gone. Here its own child has the pipe.
func TestAReadingEndsThoughNobodyReadsTheQuery(t *testing.T) {
	l := reader.Limits{Duration: 50 * time.Millisecond}
	deaf := reader.New([]string{"/bin/sh", "-c", "exec 4<&0; sleep 8 >/dev/null 2>&1 & wait"}, l)
	began := time.Now()
	got, err := deaf.Read(t.Context(), reader.Query{Path: file(t, service), RunningFiles: []string{strings.Repeat("x", 1<<20)}})
	if err != nil || len(got.Diagnostics) != 1 || !strings.Contains(got.Diagnostics[0].Summary, "too long") {
		t.Errorf("read %+v, error %v, want that it takes too long", got, err)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAChildThatCannotBeStartedIsAnError(t *testing.T) {
	_, err := reader.New([]string{"/no/such/program"}, limits).Read(t.Context(), reader.Query{Path: file(t, service)})
	if err == nil || !strings.Contains(err.Error(), "starting the process") {
		t.Errorf("error %v, want that the process cannot be started", err)
	}
}

// comparers let values be compared that hold addresses.
var comparers = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}
