package integration

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestAdvertsAreInTimeOnABusyDirector lets a Master reload and change its
// table all the time, beside twice as many busy processes as there are
// processors.
func TestAdvertsAreInTimeOnABusyDirector(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startWebs()
	p.startBoth(cluster.VIP)
	adverts, err := cluster.ListenAdverts(p.Directors[1], "eth0")
	p.must(err)
	defer adverts.Close()
	stalls := cluster.WatchStalls()
	p.must(p.Directors[0].Burn(2 * runtime.NumCPU()))
	const reloads, pause = 20, 250 * time.Millisecond
	for i := range reloads {
		p.write("web.hcl", strings.Replace(web, "weight  = 1", fmt.Sprintf("weight  = %d", 10+i), 1))
		p.must(p.daemons[0].Signal(syscall.SIGHUP))
		time.Sleep(pause)
	}
	times, err := adverts.Times()
	p.must(err)
	stalls.Stop()
	late := cluster.Lateness(times, interval, stalls)
	if least := int(reloads * pause / interval / 2); len(late) < least {
		t.Fatalf("%d adverts in %v, want more than %d", len(times), reloads*pause, least)
	}
	slices.Sort(late)
	t.Logf("%d adverts, late by %v (median), %v (the latest)", len(times), late[len(late)/2], late[len(late)-1])
	if worst := late[len(late)-1]; worst > interval/2 {
		t.Errorf("an advert was late by %v, want at most half of the interval of %v", worst, interval)
	}
	p.waitHolder(0, cluster.VIP)
}
