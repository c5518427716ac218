package integration

import (
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// outside is the virtual router of a pair, at 100 ms adverts, and the metrics.
const outside = `
director {
  http { listen = "127.0.0.1:9112" }
}

virtual_router "outside" {
  interface       = "eth0"
  id              = 51
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["10.13.0.200/24"]

  extra_address "192.168.1.254/24" { interface = "eth1" }
  extra_address "192.168.2.254/24" { interface = "eth1" }
}
`

// web is the seed's service: three servers by NAT with weights 3, 3 and 1.
const web = `
virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"

  check "http" {
    interval = "500ms"
    timeout  = "300ms"
    fall     = 3
    rise     = 2
  }

  real_server "web1" {
    address = "192.168.1.4"
    weight  = 3
  }
  real_server "web2" {
    address = "192.168.1.5"
    weight  = 3
  }
  real_server "web3" {
    address = "192.168.2.2"
    weight  = 1
  }

  fallback {
    address = "10.13.0.15"
    port    = 8080
  }
}
`

// vipPort is the service as its clients know it.
var vipPort = netip.AddrPortFrom(cluster.VIP, 80)

// startWebs starts the web servers of the pair's cluster.
func (p *pair) startWebs() []*cluster.Process {
	p.t.Helper()
	webs, err := p.StartWebs()
	if err != nil {
		p.t.Fatal(err)
	}
	return webs
}

// kill ends a process as a crash would.
func (p *pair) kill(d *cluster.Process) {
	p.t.Helper()
	if err := d.Kill(); err != nil {
		p.t.Fatal(err)
	}
}

// restartWeb brings a killed web server back.
func (p *pair) restartWeb(i int) *cluster.Process {
	p.t.Helper()
	w, err := cluster.StartWeb(p.Servers[i])
	if err != nil {
		p.t.Fatal(err)
	}
	return w
}

// The checks of the tests that measure how long a failed server stays: slow
// enough that one probe more or less is far beyond what the lab's processor
// takes for itself.
const (
	probeInterval = time.Second
	probeTimeout  = 300 * time.Millisecond
	probeFall     = 2
	// tableMargin is the lab's, for what is seen at once in the table.
	tableMargin = 300 * time.Millisecond
)

// waitProbe waits for the next result of a server of director i's first
// service, so that the next probe is one interval away.
func (p *pair) waitProbe(i, server int) {
	p.t.Helper()
	var first time.Time
	p.until("the next probe", func() (bool, error) {
		s, err := p.status(i)
		if err != nil {
			return false, err
		}
		last := s.Services[0].Servers[server].Checks[0].Last.At
		if first.IsZero() {
			first = last
		}
		return last.After(first), nil
	})
}

// waitOut lets something happen to a server and returns how long it stayed in
// director i's table. The table is read from /proc: ipvsadm takes the lab too
// long to start.
func (p *pair) waitOut(i int, server string, happen func()) time.Duration {
	p.t.Helper()
	begin := time.Now()
	happen()
	p.until(server+" to be out of the table", func() (bool, error) {
		weights, err := cluster.Weights(p.Directors[i])
		_, in := weights[netip.MustParseAddrPort(server)]
		return !in, err
	})
	return time.Since(begin)
}

// wantOut fails the test where a failed server stayed for too long, or was
// given up before it had failed as often as it may.
func wantOut(t *testing.T, took, early, bound time.Duration) {
	t.Helper()
	t.Logf("out after %v (bound %v + %v for the lab)", took.Round(time.Millisecond), bound, tableMargin)
	if took > bound+tableMargin || took < early {
		t.Errorf("out after %v, want %v + %v for the lab at most, and more than %v", took, bound, tableMargin, early)
	}
}

func TestTheTableIsWhatTheConfigurationAndTheServersHealthSay(t *testing.T) {
	timed := strings.NewReplacer(`"500ms"`, fmt.Sprintf("%q", probeInterval), `"300ms"`, fmt.Sprintf("%q", probeTimeout),
		"fall     = 3", fmt.Sprintf("fall     = %d", probeFall)).Replace(web)
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": timed})
	webs := p.startAlone()
	p.wantWeights(t)

	t.Run("a server that refuses connections is out well within fall × interval + timeout + 100 ms", func(t *testing.T) {
		p.waitProbe(0, 2)
		took := p.waitOut(0, "192.168.2.2:80", func() { p.kill(webs[2]) })
		const again = (probeFall - 1) * probeInterval / 4 // after a refusal the next try comes soon
		wantOut(t, took, again, probeInterval+again+probeTimeout+100*time.Millisecond)
		p.waitTable(0, "web3")
	})
	t.Run("one that hangs is out within fall × (interval + timeout)", func(t *testing.T) {
		p.waitProbe(0, 1)
		took := p.waitOut(0, "192.168.1.5:80", func() { p.must(webs[1].Signal(syscall.SIGSTOP)) })
		wantOut(t, took, (probeFall-1)*probeInterval, probeFall*(probeInterval+probeTimeout))
		p.waitTable(0, "web2", "web3")
		p.must(webs[1].Signal(syscall.SIGCONT))
		p.waitTable(0, "web3")
	})
	t.Run("the fallback is in the table exactly while no other server is", func(t *testing.T) {
		p.kill(webs[0])
		p.kill(webs[1])
		p.waitTable(0, "web1", "web2", "web3")
		if !strings.Contains(p.table(0), "10.13.0.15:8080") {
			t.Errorf("no fallback in\n%s", p.table(0))
		}
	})
	t.Run("a recovered server is back with its weight, and the fallback gone", func(t *testing.T) {
		for i := range webs {
			webs[i] = p.restartWeb(i)
		}
		p.waitTable(0)
		p.wantWeights(t)
	})
	t.Run("ipvsadm -C by hand is noticed within 2 s and repaired", func(t *testing.T) {
		before := p.weights(0)
		for range 2 { // the second time right after a look: the next one is as far away as can be
			p.run(0, "ipvsadm", "-C")
			begin := time.Now()
			p.until("the repair", func() (bool, error) { return maps.Equal(before, p.weights(0)), nil })
			took := time.Since(begin)
			t.Logf("repaired after %v", took.Round(time.Millisecond))
			if bound := 2 * time.Second; took > bound+tableMargin {
				t.Errorf("repaired after %v, want at most %v + %v for the lab", took, bound, tableMargin)
			}
		}
		p.waitTable(0)
	})
	t.Run("lvsd ipvs changes by force alone what is the daemon's", func(t *testing.T) {
		before := p.table(0)
		edit := []string{p.lvsd.Binary, "ipvs", "-e", "-t", "10.13.0.200:80", "-r", "192.168.1.4:80", "-m", "-w", "77", "--state-dir", filepath.Join(p.Directors[0].Dir, "state")}
		if out, err := p.Directors[0].Run(t.Context(), edit...); err == nil || !strings.Contains(err.Error()+out, "belongs to the lvsd that runs as process") {
			t.Errorf("without: %v, %s", err, out)
		}
		if after := p.table(0); after != before {
			t.Errorf("the table was\n%s\nand is\n%s", before, after)
		}
		p.run(0, append(edit, "--force")...)
		p.until("the repair", func() (bool, error) { return p.table(0) == before, nil })
	})
	t.Run("a weight changed by hand is repaired too, a row of others is left alone", func(t *testing.T) {
		p.run(0, "ipvsadm", "-e", "-t", "10.13.0.200:80", "-r", "192.168.1.4:80", "-m", "-w", "77")
		p.run(0, "ipvsadm", "-A", "-u", "10.13.0.200:53", "-s", "rr")
		p.until("the repair", func() (bool, error) {
			return !strings.Contains(p.table(0), "-w 77"), nil
		})
		time.Sleep(2 * time.Second) // two audits
		if !strings.Contains(p.table(0), "-A -u 10.13.0.200:53 -s rr") {
			t.Errorf("the row of others is gone:\n%s", p.table(0))
		}
		p.run(0, "ipvsadm", "-D", "-u", "10.13.0.200:53")
	})
	t.Run("after kill -9 the next start adopts: counters survive, nothing is written", func(t *testing.T) { p.testAdoption(t) })
}

// weights reads the weights in director i's table, as often as is wanted.
func (p *pair) weights(i int) map[netip.AddrPort]int {
	p.t.Helper()
	weights, err := cluster.Weights(p.Directors[i])
	p.must(err)
	return weights
}

// wantWeights fails the test unless the first director's table has web's
// servers with the weights that web names. waitTable asks the daemon's own code
// for the plan, which these are not.
func (p *pair) wantWeights(t *testing.T) {
	t.Helper()
	want := map[netip.AddrPort]int{
		netip.MustParseAddrPort("192.168.1.4:80"): 3,
		netip.MustParseAddrPort("192.168.1.5:80"): 3,
		netip.MustParseAddrPort("192.168.2.2:80"): 1,
	}
	if got := p.weights(0); !maps.Equal(got, want) {
		t.Errorf("the table's weights are %v, want %v", got, want)
	}
}

// run runs a command on director i.
func (p *pair) run(i int, args ...string) string {
	p.t.Helper()
	out, err := p.Directors[i].Run(p.t.Context(), args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// tap opens a tap on director i.
func (p *pair) tap(i int) *netlinkTap {
	p.t.Helper()
	var n *netlinkTap
	if err := p.Directors[i].In(func() (err error) { n, err = openTap(); return err }); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(n.close)
	return n
}

func (p *pair) testAdoption(t *testing.T) {
	for range 20 {
		if r := cluster.Get(p.Client, vipPort, 2*time.Second); r.Err != nil {
			t.Fatalf("asking the cluster for a page: %v", r.Err)
		}
	}
	var before int
	p.until("the kernel to count the connections", func() (bool, error) {
		before = p.connections(0)
		return before >= 20, nil
	})
	tap := p.tap(0)
	p.kill(p.daemons[0])
	p.start(0)
	p.waitReady(0)
	p.waitTable(0)
	if w := tap.writes(t); len(w) > 0 {
		t.Errorf("the new start wrote %v, want nothing: the table was right", w)
	}
	if after := p.connections(0); after < before {
		t.Errorf("%d connections counted, %d before the kill: a row was deleted and added again", after, before)
	}
}

// connections is how many connections the servers of director i's table have
// had together.
func (p *pair) connections(i int) int {
	p.t.Helper()
	sum := 0
	for line := range strings.Lines(p.run(i, "ipvsadm", "-Ln", "--stats", "--exact")) {
		var server string
		var conns int
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "-> %s %d", &server, &conns); n == 2 {
			sum += conns
		}
	}
	return sum
}
