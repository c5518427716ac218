package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClusterServesItsClient(t *testing.T) {
	c := Start(t)
	webs, err := c.StartWebs()
	if err != nil {
		t.Skipf("nginx is needed: %v", err)
	}
	// Without a director, the first one stands in as a plain router.
	for _, gateway := range []string{"192.168.1.254/24", "192.168.2.254/24"} {
		if err := c.Directors[0].addAddress("eth1", gateway); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Client.addDefaultRoute("10.13.0.15"); err != nil {
		t.Fatal(err)
	}
	web3 := netip.MustParseAddrPort("192.168.2.2:80")
	if r := Get(c.Client, web3, time.Second); r.Err != nil || r.Server != "web3" {
		t.Errorf("Get(web3) = %q, %v", r.Server, r.Err)
	}

	t.Run("a stopped server hangs, a killed one refuses", func(t *testing.T) {
		if err := webs[2].Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		if r := Get(c.Client, web3, 300*time.Millisecond); r.Err == nil || r.Took < 250*time.Millisecond {
			t.Errorf("Get of a hung server took %v: %v", r.Took, r.Err)
		}
		if err := webs[2].Kill(); err != nil {
			t.Fatal(err)
		}
		if r := Get(c.Client, web3, time.Second); r.Err == nil || r.Took > 900*time.Millisecond {
			t.Errorf("Get of a killed server took %v: %v", r.Took, r.Err)
		}
	})

	t.Run("a cut cable is a gap for the client", func(t *testing.T) {
		echo, err := StartEcho(c.Client, netip.MustParseAddr("10.13.0.15"))
		if err != nil {
			t.Fatal(err)
		}
		defer echo.Stop()
		time.Sleep(100 * time.Millisecond)
		begin := time.Now()
		if err := c.Directors[0].Cut("eth0"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		if err := c.Directors[0].Restore("eth0"); err != nil {
			t.Fatal(err)
		}
		// The client asks for the neighbour that it lost once a second.
		time.Sleep(1500 * time.Millisecond)
		if gap := echo.Gap(begin); gap < 250*time.Millisecond || gap > 1700*time.Millisecond {
			t.Errorf("the gap was %v, of 300 ms without a cable", gap)
		}
		if gap := echo.Gap(time.Now().Add(-300 * time.Millisecond)); gap > 20*time.Millisecond {
			t.Errorf("with a cable the gap is %v", gap)
		}
	})
}

func TestCloseLeavesNothing(t *testing.T) {
	c := Start(t)
	var pids []int
	for _, h := range c.hosts() {
		// The shell's child is no process that the host knows of.
		_, err := h.Start("sleep", "sh", "-c", "sleep 100 & wait")
		if err != nil {
			t.Fatal(err)
		}
		err = Until(t.Context(), "two processes on "+h.Name, func() (bool, error) {
			all, err := h.PIDs()
			return len(all) == 2, err
		})
		if err != nil {
			t.Fatal(err)
		}
		all, _ := h.PIDs()
		pids = append(pids, all...)
	}
	dir := c.Dir
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := Until(ctx, "all processes to be gone", func() (bool, error) {
		left := 0
		for _, pid := range pids {
			if running(pid) {
				left++
			}
		}
		return left == 0, nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestAProcessThatEndedSaysHow(t *testing.T) {
	c := Start(t)
	for _, tt := range []struct {
		name   string
		signal syscall.Signal
		how    string
	}{
		{"well", syscall.SIGTERM, "exit status 0"},
		{"badly", syscall.SIGKILL, "signal: killed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done"
			p, err := c.Client.Start(tt.name, "sh", "-c", script)
			if err != nil {
				t.Fatal(err)
			}
			err = Until(t.Context(), "it to be ready", func() (bool, error) { return p.Log() != "", p.Ended() })
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			<-p.Done()
			last := strings.TrimSpace(p.Log())
			want := tt.name + " on client ended: " + tt.how + "; its last words:\n" + last
			if err := p.Ended(); err == nil || err.Error() != want {
				t.Errorf("Ended = %v, want %q", err, want)
			}
			if err := p.Wait(time.Second); (err == nil) != (tt.how == "exit status 0") {
				t.Errorf("Wait = %v", err)
			}
		})
	}
}

// running reports whether a process exists and has not ended.
func running(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(text), ") Z ")
}

func TestRequests(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	rs := Requests{
		{Begin: at(0), Err: os.ErrDeadlineExceeded},
		{Begin: at(20), Took: 5 * time.Millisecond, Server: "web1"},
		{Begin: at(10), Took: 30 * time.Millisecond, Server: "web2"},
		{Begin: at(40), Server: "web1"},
	}
	if diff := cmp.Diff(map[string]int{"web1": 2, "web2": 1}, rs.ByServer()); diff != "" {
		t.Errorf("ByServer (-want +got):\n%s", diff)
	}
	if rs.Failed() != 1 || rs.Since(at(10)).Failed() != 0 || len(rs.Since(at(10))) != 3 {
		t.Errorf("Failed = %d, since 10 ms %d of %d", rs.Failed(), rs.Since(at(10)).Failed(), len(rs.Since(at(10))))
	}
}
