package ipvsadm_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

// A fakeKernel is the simulated table with what else ipvsadm asks of a kernel.
type fakeKernel struct {
	*sim.IPVS
	timeouts ipvsctl.Timeouts
	daemons  []ipvsctl.SyncDaemon
	batches  []int
}

func (k *fakeKernel) Info(context.Context) (ipvsctl.Info, error) {
	return ipvsctl.Info{Version: 0x010201, Size: 4096}, nil
}

func (k *fakeKernel) Apply(ctx context.Context, ops []ipvsctl.Op) ([]ipvsctl.Failure, error) {
	k.batches = append(k.batches, len(ops))
	return k.IPVS.Apply(ctx, ops)
}

func (k *fakeKernel) ListServices(context.Context) (all []ipvsctl.ListedService, err error) {
	for i, key := range k.Table().Keys() {
		all = append(all, listed(key, k.Table()[key].Service, i))
	}
	return all, nil
}

func (k *fakeKernel) ListService(_ context.Context, key ipvsctl.ServiceKey) (ipvsctl.ListedService, error) {
	vs, known := k.Table()[key]
	if !known {
		return ipvsctl.ListedService{}, fmt.Errorf("no such service: %w", fs.ErrNotExist)
	}
	return listed(key, vs.Service, 0), nil
}

func (k *fakeKernel) ListDestinations(_ context.Context, key ipvsctl.ServiceKey) (all []ipvsctl.ListedDestination, err error) {
	for i, row := range k.Table()[key].Destinations {
		all = append([]ipvsctl.ListedDestination{listed(row.Key, row.Value, i+3)}, all...)
	}
	return all, nil
}

// listed is a row with counters that show how numbers are abbreviated.
func listed[K, C any](key K, config C, i int) ipvsctl.Listed[K, C] {
	n := []uint64{7, 99999999, 100000000, 1234567890, 123456789012, 1234567890123456}[i%6]
	return ipvsctl.Listed[K, C]{Key: key, Config: config,
		Counters: ipvsctl.Counters{Active: 3, Inactive: 4, Persistent: 5, Connections: n, PacketsIn: n / 2, PacketsOut: 0, BytesIn: n * 100, BytesOut: 1},
		Rates:    ipvsctl.Rates{Connections: n, PacketsIn: 2, PacketsOut: 3, BytesIn: n, BytesOut: 5}}
}

func (k *fakeKernel) Flush(context.Context) error { k.IPVS.Flush(); return nil }

func (k *fakeKernel) Zero(ctx context.Context, key ipvsctl.ServiceKey) error {
	_, err := k.ListService(ctx, key)
	return err
}

func (k *fakeKernel) ZeroAll(context.Context) error { return nil }

func (k *fakeKernel) Timeouts(context.Context) (ipvsctl.Timeouts, error) { return k.timeouts, nil }

func (k *fakeKernel) SetTimeouts(_ context.Context, t ipvsctl.Timeouts) error {
	k.timeouts = t
	return nil
}

func (k *fakeKernel) Daemons(context.Context) ([]ipvsctl.SyncDaemon, error) { return k.daemons, nil }

func (k *fakeKernel) StartDaemon(_ context.Context, d ipvsctl.SyncDaemon) error {
	k.daemons = append(k.daemons, d)
	return nil
}

func (k *fakeKernel) StopDaemon(context.Context, ipvsctl.SyncRole) error {
	return errors.New("no such daemon")
}

const someConnections = `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP C0000207 9C40 0A000001 0050 0A000101 1F90 ESTABLISHED     899
UDP 0A0D0001 0000 0A000001 13C4 0A000101 13C4 UDP             3599 sip abc@example.com
TCP 2001:0db8:0000:0000:0000:0000:0000:0007 9C40 2001:0db8:0000:0000:0000:0000:0000:0001 0050 0A000101 0050 SYN_RECV          60
`

// session returns a session with a fake kernel, where its output goes, and the kernel.
func session(in string) (*ipvsadm.Session, *bytes.Buffer, *fakeKernel) {
	var out bytes.Buffer
	k := &fakeKernel{IPVS: sim.NewIPVS(), timeouts: ipvsctl.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}}
	return &ipvsadm.Session{
		Program: "ipvsadm", Version: "lvsd", Names: names, In: strings.NewReader(in), Out: bufio.NewWriter(&out), Err: &out,
		Open:        func() (ipvsadm.Kernel, error) { return k, nil },
		Connections: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(someConnections)), nil },
		Owner:       func(string) (*ipvsadm.Owner, error) { return nil, nil },
	}, &out, k
}

const rules = `# a comment
-A -t 10.0.0.1:http -s wrr -p 60 -M 255.255.0.0

ipvsadm -a -t 10.0.0.1:80 -r 10.0.1.1:8080 -m -w 3 -x 9 -y 7
-a -t 10.0.0.1:80 -r 192.0.2.7 -i --tun-type gue --tun-port 6080 --tun-remcsum
-A -t 200.0.0.1:80 -s sh -b flag-3
-A -u [2001:db8::1]:5060 -o -s sh -b sh-port
-a -u [2001:db8::1]:5060 -r [::10.1.2.3]:5060 -w 0
-A -f 4294967295 -p --pe sip -s mh -b mh-fallback,mh-port
-A -f 7 -6
-a -t 10.0.0.1:80 -r 10.0.1.1:8080 -m
-a -t 10.0.0.9:80 -r 10.0.1.1:8080 -m
-l -n
-d -t 10.0.0.1:80 -r 10.0.1.9 -m -Q
-D -t 10.0.0.9:80
`

func TestTranscript(t *testing.T) {
	s, out, _ := session(rules)
	for _, line := range []string{
		"-R", "", "-L -n --stats", "-L --rate -n", "-L -n --stats --exact", "-L --thresholds -n", "-L --persistent-conn", "-L --tun-info -n", "-L -n --nosort",
		"-L -t 10.0.0.1:80", "-L -t 10.0.0.9:80", "-S", "-Sn", "-L -c", "-L -cn --persistent-conn", "-L -c -o json", "-L -t 10.0.0.1:80 -o json",
		"-L --timeout", "-L --timeout -o json", "--set 1 2 3", "-L --timeout", "--start-daemon master --mcast-interface eth1 --syncid 7", "--start-daemon backup --sync-maxlen 1400 --mcast-group 224.0.0.99 --mcast-port 9000 --mcast-ttl 3",
		"-L --daemon", "-L --daemon -o json", "--stop-daemon master", "-Z", "-Z -t 10.0.0.1:80", "-Z -t 10.0.0.9:80", "-Z -t 0.0.0.0", "-C", "-L", "-v",
	} {
		fmt.Fprintf(out, "$ ipvsadm %s\n", line)
		if status := s.Run(t.Context(), strings.Fields(line)); status != 0 {
			fmt.Fprintf(out, "status %d\n", status)
		}
	}
	golden.Check(t, "testdata/transcript.golden", out.String())
}

func TestHelp(t *testing.T) {
	s, out, _ := session("")
	if status := s.Run(t.Context(), []string{"-h"}); status != 0 {
		t.Errorf("status %d", status)
	}
	golden.Check(t, "testdata/help.golden", out.String())
}

// A whole table is a few batches for the kernel, and the exit status is the last line's.
func TestRestoreInBatches(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "-A -t 10.0.%d.%d:80 -s wlc\n", i/256, i%256)
	}
	s, out, k := session(text.String())
	if status := s.Run(t.Context(), []string{"-R"}); status != 0 || len(k.Table()) != 5000 || len(k.batches) > 10 {
		t.Errorf("status %d, %d services in batches of %v, %s", status, len(k.Table()), k.batches, out)
	}
	for _, tt := range []struct {
		text   string
		status int
	}{
		{"-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n", 255},
		{"-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n-D -t 10.0.0.1:80", 0},
		{"-A -t 10.0.0.1:80 -Q\n-A -t 10.0.0.1:80\n", 0},
		{"-A -t nonsense\n-A -t 10.0.0.1:80\n", 2},
		{"-n\n-A -t 10.0.0.1:80\n", 255},
		{"-R\n", 255},
		{"-h\n-Q\n", 0},
		{"-L -t 10.0.0.1:80\n-C\n", 1},
		{"-A -f -7\n-D -f 4294967289\n", 0},
		{"", 0},
	} {
		s, out, _ := session(tt.text)
		if status := s.Run(t.Context(), []string{"-R"}); status != tt.status {
			t.Errorf("%q: status %d, want %d: %s", tt.text, status, tt.status, out)
		}
	}
}

// What is gathered is carried out as soon as there is nothing more to read for now.
func TestRestoreDoesNotWaitForMore(t *testing.T) {
	r, w := io.Pipe()
	s, _, k := session("")
	s.In = r
	ended := make(chan int)
	go func() { ended <- s.Run(context.Background(), []string{"-R"}) }()
	for i := range 3 {
		fmt.Fprintf(w, "-A -t 10.0.0.%d:80\n", i+1) // returns when it was read
	}
	fmt.Fprint(w, "#\n") // is asked for when the third was carried out
	if n := len(k.Table()); n != 3 {
		t.Errorf("%d services, want 3", n)
	}
	_ = w.Close()
	if status := <-ended; status != 0 {
		t.Errorf("status %d", status)
	}
}

func TestIpvsadmRestoreChangesNothingForAMistake(t *testing.T) {
	s, out, k := session("-A -t 10.0.0.2:80\n-A -t nonsense\n")
	if err := k.ByHand(ipvsctl.Op{Kind: ipvsctl.AddService, Service: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.0.0.1"), Port: 80},
		Config: ipvsctl.Service{Scheduler: "rr", Netmask: 32}}); err != nil {
		t.Fatal(err)
	}
	before := k.String()
	if status := s.RunRestore(t.Context(), nil); status != 2 || k.String() != before || !strings.Contains(out.String(), "line 2: ") {
		t.Errorf("status %d, %s, and the table is\n%s", status, out, k)
	}
	s.In = strings.NewReader("#\n-A -t 10.0.0.2:80\n")
	if status := s.RunRestore(t.Context(), nil); status != 0 || k.String() != "-A -t 10.0.0.2:80 -s wlc\n" {
		t.Errorf("status %d, %s, and the table is\n%s", status, out, k)
	}
	out.Reset()
	if status := s.RunSave(t.Context(), []string{"-n"}); status != 0 || out.String() != "-A -t 10.0.0.2:80 -s wlc\n" {
		t.Errorf("saved, with status %d: %s", status, out)
	}
	if status := s.RunSave(t.Context(), []string{"-x"}); status != 1 {
		t.Errorf("an option that there is not: status %d", status)
	}
}

// A running daemon's rows are changed by force alone, and others as ever.
func TestRowsOfTheDaemon(t *testing.T) {
	s, out, k := session("-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.2:80\n")
	s.Owner = func(dir string) (*ipvsadm.Owner, error) {
		if dir != "" && dir != "/dir" {
			return nil, errors.New("cannot tell whose it is")
		}
		return &ipvsadm.Owner{Name: "the lvsd", Owns: func(k ipvsctl.ServiceKey) bool { return k.Addr == netip.MustParseAddr("10.0.0.1") }}, nil
	}
	for _, tt := range []struct {
		line   string
		status int
		says   string
	}{
		{"-A -t 10.0.0.1:80", 255, "tcp 10.0.0.1:80 belongs to the lvsd, which would repair it"},
		{"-R", 0, "line 1: tcp 10.0.0.1:80 belongs"},
		{"-A -t 10.0.0.3:80", 0, ""},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1", 255, "belongs"},
		{"-C", 255, "the table belongs"},
		{"-Z", 0, ""},
		{"-A -t 10.0.0.1:80 --force", 0, "which will repair it"},
		{"-C --force", 0, ""},
	} {
		out.Reset()
		status := s.Run(t.Context(), strings.Fields(tt.line))
		if status != tt.status || !strings.Contains(out.String(), tt.says) || tt.says == "" && out.Len() > 0 {
			t.Errorf("%s: status %d, %q, want %d and %q", tt.line, status, out, tt.status, tt.says)
		}
	}
	if k.String() != "" {
		t.Errorf("in the end there is %s", k)
	}
	s, out, _ = session("")
	s.Owner = func(string) (*ipvsadm.Owner, error) { return nil, errors.New("cannot tell whose it is") }
	if status := s.Run(t.Context(), []string{"-C"}); status != 255 || !strings.Contains(out.String(), "cannot tell whose it is; with --force") {
		t.Errorf("an owner that is not known: status %d, %s", status, out)
	}
	if status := s.Run(t.Context(), []string{"-C", "--force"}); status != 0 {
		t.Errorf("that, by force: status %d, %s", status, out)
	}
}

func TestWithoutIPVS(t *testing.T) {
	s, out, _ := session("")
	s.Open = func() (ipvsadm.Kernel, error) { return nil, ipvsctl.ErrNoIPVS }
	for _, line := range []string{"", "-L", "-C", "-R", "-S", "-A -f 1"} {
		if status := s.Run(t.Context(), strings.Fields(line)); status != 2 {
			t.Errorf("%q: status %d, %s", line, status, out)
		}
	}
}

// Whatever stands in the input of -R, it ends, and changes what its lines say alone.
func FuzzRestore(f *testing.F) {
	f.Add(rules)
	f.Add("-A -t 10.0.0.1:80\n-L\n-S\n-C\n-Z\n--set 1 2 3\n-R\n")
	f.Add(strings.Repeat("x", 70000))
	f.Fuzz(func(t *testing.T, text string) {
		s, _, _ := session(text)
		if status := s.Run(t.Context(), []string{"-R"}); status < 0 || status > 255 {
			t.Errorf("status %d", status)
		}
	})
}

// Whatever stands in /proc/net/ip_vs_conn, listing it ends.
func FuzzConnections(f *testing.F) {
	f.Add(someConnections)
	f.Add("\nTCP")
	f.Fuzz(func(t *testing.T, text string) {
		for _, args := range [][]string{{"-L", "-c", "-n"}, {"-L", "-c", "--persistent-conn"}, {"-L", "-c", "-o", "json"}} {
			s, out, _ := session("")
			s.Connections = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
			if status := s.Run(t.Context(), args); status != 0 && status != 1 {
				t.Errorf("status %d, %s", status, out)
			}
		}
	})
}

// Whatever stands in /etc/services, what it names is found again.
func FuzzServices(f *testing.F) {
	f.Add("http\t80/tcp www # WorldWideWeb\nsip 5060/udp")
	f.Fuzz(func(t *testing.T, text string) {
		s := ipvsadm.ParseServices(text)
		if name, ok := s.Name(80, ipvsctl.TCP); ok {
			if _, ok := s.Port(name, ipvsctl.TCP); !ok {
				t.Errorf("%q: the port of %q is not found", text, name)
			}
		}
	})
}

// BenchmarkRestore reads and carries out 11,000 lines.
func BenchmarkRestore(b *testing.B) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "-A -t 10.0.%d.%d:80 -s wlc\n", i/256, i%256)
		for j := range 10 {
			fmt.Fprintf(&text, "-a -t 10.0.%d.%d:80 -r 192.168.%d.%d:80 -m -w 3\n", i/256, i%256, i%256, j)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s, _, _ := session(text.String())
		s.Open = func() (ipvsadm.Kernel, error) { return void{&fakeKernel{}}, nil }
		if status := s.Run(b.Context(), []string{"-R"}); status != 0 {
			b.Fatal(status)
		}
	}
}

// A void kernel takes everything.
type void struct{ *fakeKernel }

func (void) Apply(context.Context, []ipvsctl.Op) ([]ipvsctl.Failure, error) { return nil, nil }
