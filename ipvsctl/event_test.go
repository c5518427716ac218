package ipvsctl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

// An outage makes every exchange with the kernel fail while it lasts, and
// notes when one was tried.
type outage struct {
	mu    sync.Mutex
	lasts bool
	tries []time.Time
}

func (o *outage) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lasts, o.tries = true, nil
}

// end returns the pauses between the tries, in milliseconds.
func (o *outage) end() (pauses []int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lasts = false
	for i := range o.tries[1:] {
		pauses = append(pauses, o.tries[i+1].Sub(o.tries[i]).Milliseconds())
	}
	return pauses
}

func (o *outage) exchange(string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.lasts {
		return nil
	}
	o.tries = append(o.tries, time.Now())
	return syscall.ENOBUFS
}

// A journal collects events as the lines that they become in the log.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) report(e ipvsctl.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(&j.lines, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	log.LogAttrs(context.Background(), e.Level, e.Text, append(e.Attrs, slog.String("code", e.Code))...)
}

// take returns the lines since the last time.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.lines.Reset()
	return j.lines.String()
}

func (j *journal) want(t *testing.T, when, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimLeft(want, "\n"), j.take()); diff != "" {
		t.Errorf("%s: events (-want +got)\n%s", when, diff)
	}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, ledger, j := sim.NewIPVS(), &book{full: errors.New("no space left on device")}, &journal{}
		var kernel outage
		k.Break = kernel.exchange
		r := start(t, k, ledger, j.report)
		j.want(t, "a ledger that cannot be read", `
level=WARN msg="lvsd's record of its IPVS services cannot be read: services that were removed from the configuration since the last start stay in the kernel's table until you delete them (ipvsadm -D)" error="no space left on device" code=ledger-unreadable
`)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 3}), mail: balanced("rr", weights{4: 1})}})
		after(time.Minute)
		j.want(t, "a ledger that cannot be written, for a minute", `
level=ERROR msg="lvsd's record of its IPVS services cannot be saved: if lvsd is killed now, the next start may not know which services were its own" error="no space left on device" code=ledger-unwritable
`)
		ledger.fill(errors.New("read-only file system"))
		after(time.Minute)
		j.want(t, "for another reason", `
level=ERROR msg="lvsd's record of its IPVS services cannot be saved: if lvsd is killed now, the next start may not know which services were its own" error="read-only file system" code=ledger-unwritable
`)
		ledger.fill(nil)
		after(time.Minute)
		j.want(t, "a ledger that was saved", `
level=INFO msg="lvsd's record of its IPVS services is saved again" code=ledger-written
`)

		k.Flush()
		after(2 * time.Second)
		j.want(t, "ipvsadm -C", `
level=WARN msg="the IPVS table was changed by somebody else; repairing it" services=2 rows=5 such_as="-D -t 10.13.0.200:25" code=table-drifted
`)
		_ = k.ByHand(reweigh(web, 5, 7))
		after(2 * time.Second)
		j.want(t, "ipvsadm -e", `
level=WARN msg="the IPVS table was changed by somebody else; repairing it" services=1 rows=1 such_as="-e -t 10.13.0.200:80 -r 192.168.1.5:80 -m -w 7" code=table-drifted
`)
		const unreachable = `
level=ERROR msg="the IPVS table cannot be read or written; trying again" error="no buffer space available" code=kernel-unreachable
`
		for range 2 {
			kernel.begin()
			after(time.Minute)
			j.want(t, "a kernel that does not answer for a minute", unreachable)
			kernel.end()
			after(time.Minute)
			j.want(t, "a kernel that answers again", `
level=INFO msg="the IPVS table can be read and written again" code=kernel-reached
`)
		}
	})
}

// Up to ten refusals of one step are reported one by one.
func TestTenRefusalsAreTenEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, j := sim.NewIPVS(), &journal{}
		r := start(t, k, &book{}, j.report)
		want := ipvsctl.Table{}
		for port := range uint16(10) {
			want[service(port+1)] = balanced("none-such", weights{4: 1})
		}
		r.Set(ipvsctl.Desired{Table: want})
		after(time.Minute)
		var lines strings.Builder
		for _, key := range want.Keys() {
			fmt.Fprintf(&lines, "level=ERROR msg=\"the kernel refused a change to the IPVS table; trying again later\" operation=\"-A -t 10.13.0.200:%d -s none-such\" error=\"the kernel cannot find the scheduler \\\"none-such\\\"\" code=operation-refused\n", key.Port)
		}
		j.want(t, "ten services", lines.String())
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("none-such", nil)}})
		after(time.Minute)
		if got := strings.Count(j.take(), "\n"); got != 1 {
			t.Errorf("%d events for one more refusal in a later step", got)
		}
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", nil)}})
		after(time.Minute)
		j.want(t, "another scheduler", `
level=INFO msg="the kernel accepts changes to the IPVS table again" code=operations-accepted
`)
	})
}

// A kernel that does not answer is asked again after 0.1, 0.2, 0.4 … 10 s, and
// after 0.1 s the next time.
func TestABrokenKernelIsAskedWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		var kernel outage
		k.Break = kernel.exchange
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", nil)}})
		<-r.Applied()
		for range 2 {
			kernel.begin()
			after(50 * time.Second)
			if s := r.Snapshot(); s.Converged || s.Stats.LastError == "" {
				t.Errorf("while it does not answer: %+v", s)
			}
			want := []int64{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000}
			if diff := cmp.Diff(want, kernel.end()); diff != "" {
				t.Errorf("pauses in milliseconds (-want +got)\n%s", diff)
			}
			after(20 * time.Second)
			if s := r.Snapshot(); !s.Converged || s.Stats.LastError != "" {
				t.Errorf("after it answered: %+v", s.Stats)
			}
		}
	})
}
