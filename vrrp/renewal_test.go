package vrrp

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

// leased is a job of which nothing but a lease of six seconds is to be looked after.
func leased(n byte, due time.Duration) *job {
	a := InterfaceAddress{"eth0", netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 24)}
	j := &job{key: routerKey{Port: Port{"eth0", 4}, vrid: n}, want: Holdings{Addresses: []InterfaceAddress{a}, Lease: 6 * second}}
	j.have = j.want
	j.layers[ofAddresses] = progress{complete: true, auditAt: at(due)}
	return j
}

func TestLeasesAreRenewedTogether(t *testing.T) {
	longer := leased(2, 0)
	longer.want.Lease = 9 * second
	for _, tt := range []struct {
		name string
		jobs []*job
		want int
	}{
		{"one that is due", []*job{leased(1, 0)}, 1},
		{"one that is not", []*job{leased(1, 2*second)}, 0},
		{"all that are due before half of their time is over", []*job{leased(1, 0), leased(2, second), leased(3, second+1)}, 2},
		{"those that are as long", []*job{leased(1, 0), longer}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jobs := make(map[routerKey]*job)
			for _, j := range tt.jobs {
				jobs[j.key] = j
			}
			r := renewalOf(jobs, epoch)
			if len(r.jobs) != tt.want || len(r.of.Addresses) != tt.want {
				t.Errorf("%d jobs and %d addresses, want %d", len(r.jobs), len(r.of.Addresses), tt.want)
			}
			for _, j := range r.jobs {
				if j.want.Lease != r.of.Lease {
					t.Errorf("a lease of %v is renewed for %v", j.want.Lease, r.of.Lease)
				}
			}
		})
	}
}

// What else is to be done for a router is done by a task of its own.
func TestWhatIsMoreThanALeaseIsNotRenewedTogether(t *testing.T) {
	other := Holdings{Addresses: []InterfaceAddress{{"eth0", netip.MustParsePrefix("10.0.0.99/24")}}}
	if !leased(1, 0).renewable() {
		t.Error("a lease alone is not renewed")
	}
	for name, edit := range map[string]func(j *job, p *progress){
		"something was missing":    func(_ *job, p *progress) { p.complete = false },
		"something has changed":    func(_ *job, p *progress) { p.due = true },
		"the kernel refused it":    func(_ *job, p *progress) { p.failure = "no such device" },
		"it is to be announced":    func(j *job, _ *progress) { j.announce = true },
		"its router is gone":       func(j *job, _ *progress) { j.forgotten = true },
		"it has no lease":          func(j *job, _ *progress) { j.want.Lease = 0 },
		"somebody added addresses": func(j *job, _ *progress) { j.foreign = other.Addresses },
		"something is to go":       func(j *job, _ *progress) { j.have = j.have.with(other) },
	} {
		j := leased(1, 0)
		if edit(j, &j.layers[ofAddresses]); j.renewable() {
			t.Errorf("%s: it is renewed with others", name)
		}
	}
}

// An address that is not there any more is added by a task.
func TestWhatARenewalFindsMissing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		missing byte
		err     error
		tasks   [2]bool
	}{
		{"none", 9, nil, [2]bool{false, false}},
		{"one", 2, nil, [2]bool{false, true}},
		{"the kernel refuses it", 9, errors.New("interrupted"), [2]bool{true, true}},
	} {
		jobs := []*job{leased(1, 0), leased(2, 0)}
		renewal{jobs: jobs}.done(epoch, leased(tt.missing, 0).want.Addresses, tt.err)
		for i, j := range jobs {
			p := j.layers[ofAddresses]
			if p.due != tt.tasks[i] || !p.due && !p.auditAt.Equal(at(2*second)) {
				t.Errorf("%s: the task of %d is due: %t, and its lease is looked at again at %v", tt.name, i+1, p.due, p.auditAt)
			}
		}
	}
}

// What goes on with a router is told of in each report: figures of it change by themselves.
func TestWhatGoesOnIsToldInEachReport(t *testing.T) {
	r := NewRouter(testConfig())
	r.Startup(epoch, ours)
	receive(r, epoch, higher, advertOf(150))
	alone, split := &group{}, &group{splitAt: at(-time.Hour)}
	for _, tt := range []struct {
		name  string
		group *group
		after time.Duration
		lasts bool
	}{
		{"it follows a Master", alone, second, false},
		{"the Master is overdue", alone, 4 * second, true},
		{"its group is split", split, second, true},
		{"its group is split, and the Master is overdue", split, 4 * second, true},
	} {
		m := &member{router: r, group: tt.group}
		if got := (&Session{}).lasts(at(tt.after), m); got != tt.lasts {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
