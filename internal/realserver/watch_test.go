package realserver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/internal/machine"
)

// TestWatch repairs what was changed, at the latest after five seconds, and says so once.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{facts: *facts("192.168.1.4")}
		changed, configs, told := make(chan struct{}), make(chan *Cluster), make(chan Result, 10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go Watch(ctx, f, f, of(service("web", "10.13.0.200", "192.168.1.4", direct)), changed, configs, func(_ Role, r Result) { told <- r })
		want := func(when string, changes int) {
			t.Helper()
			synctest.Wait()
			select {
			case r := <-told:
				if len(r.Done) != changes || r.Err != nil {
					t.Errorf("%s: %d changes, want %d: %v", when, len(r.Done), changes, r.Err)
				}
			default:
				t.Errorf("%s: nothing was told", when)
			}
		}
		quiet := func(when string) {
			t.Helper()
			synctest.Wait()
			if len(told) > 0 {
				t.Errorf("%s: %+v was told", when, <-told)
			}
		}
		want("at the start", 3)
		time.Sleep(10 * Again)
		quiet("nothing has changed")
		f.mu.Lock()
		delete(f.facts.Parts, AddressOn(Loopback, addr("10.13.0.200")))
		f.mu.Unlock()
		changed <- struct{}{}
		want("an address was removed, of which the kernel tells", 1)
		f.mu.Lock()
		f.facts.Parts[ParameterOf(machine.ARPIgnore(all))] = "0"
		f.mu.Unlock()
		quiet("a parameter was set, of which the kernel does not tell")
		time.Sleep(Again)
		want("five seconds later", 1)
		configs <- of(service("web", "10.13.0.201", "192.168.1.4", direct))
		want("the address is another one", 2)
		cancel()
		synctest.Wait()
		if len(f.memory) != 3 {
			t.Errorf("after the end, remembered is %v", f.memory)
		}
	})
}
