package tuning_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

// fakeKernel is a kernel's IPVS in memory. It takes settings as the real one does.
type fakeKernel struct {
	*sim.IPVS
	is     map[machine.Setting]string
	before map[machine.Setting]string // as kept beyond the process
	// wrong, if set, says how the setting of one goes wrong, and whether it is set all the
	// same.
	wrong func(machine.Setting) (err error, done bool)
}

func newFakeKernel() *fakeKernel {
	k := &fakeKernel{IPVS: sim.NewIPVS(), is: map[machine.Setting]string{
		machine.TimeoutTCP: "900", machine.TimeoutTCPFin: "120", machine.TimeoutUDP: "300", machine.SyncMaster: "", machine.SyncBackup: "",
	}}
	for name, all := range values {
		k.is[machine.IPVS(name)] = all[0]
	}
	k.is[machine.IPVS("conn_reuse_mode")], k.is[machine.IPVS("sync_threshold")] = "1", "3 50"
	return k
}

func (k *fakeKernel) Look([]netip.Addr, bool) (machine.Facts, error) {
	return machine.Facts{Settings: maps.Clone(k.is), Interfaces: []machine.Interface{
		{Name: "sync0", MTU: 1500}, {Name: "sync1", MTU: 1400}, {Name: "sync9", MTU: 9000}}}, nil
}

func (k *fakeKernel) Tune(values, before map[machine.Setting]string) (refused map[machine.Setting]error, unsaved error) {
	k.before, refused = maps.Clone(before), make(map[machine.Setting]error)
	for _, s := range slices.Sorted(maps.Keys(values)) {
		done := true
		if k.wrong != nil {
			refused[s], done = k.wrong(s)
		}
		if _, exists := k.is[s]; !exists {
			refused[s], done = fmt.Errorf("no %s: %w", s, fs.ErrNotExist), false
		}
		if refused[s] == nil {
			delete(refused, s)
		}
		if done {
			k.is[s] = taken(s, values[s])
		}
	}
	return refused, nil
}

// taken is what becomes of a value.
func taken(s machine.Setting, value string) string {
	role := map[machine.Setting]ipvsctl.SyncRole{machine.SyncMaster: ipvsctl.SyncMaster, machine.SyncBackup: ipvsctl.SyncBackup}[s]
	d, err := ipvsctl.ParseSyncDaemon(role, value)
	if role == 0 || err != nil {
		return value
	}
	headers, least := 28, 1
	if d.Group.Is6() {
		headers = 48
	}
	mtu := 1500
	if role == ipvsctl.SyncBackup {
		least = 1024
		if d.Interface == "sync9" {
			mtu = 9000
		}
	}
	if d.MaxLength == 0 {
		d.MaxLength = uint16(mtu - headers)
	}
	d.MaxLength = uint16(min(max(int(d.MaxLength), least), 65535-headers))
	return d.String()
}

func (k *fakeKernel) table() ipvsctl.Table                 { return k.Table() }
func (k *fakeKernel) apply(ops []ipvsctl.Op) error         { return k.ByHand(ops...) }
func (k *fakeKernel) rules(ipvsctl.Ruleset) bool           { return true }
func (k *fakeKernel) settings() map[machine.Setting]string { return maps.Clone(k.is) }

func TestAnyStateReplacesAnyOther(t *testing.T) {
	for i := range uint64(30) {
		replace(t, newFakeKernel(), *seed+i, 6)
	}
}

// Whatever is refused, or done although it is said not to be, or gone with the module for a
// while: later the settings are as they should be, and at the end as they were before.
func TestSettingsComeToBeAsWantedWhateverGoesWrong(t *testing.T) {
	for i := range uint64(60) {
		seed := *seed + i
		k, r := newFakeKernel(), rand.New(rand.NewPCG(seed, 2))
		before := k.settings()
		broken := func(setting machine.Setting) (error, bool) {
			switch r.IntN(4) {
			case 0:
				return fault.Of(oneOf[error](r, unix.EAGAIN, unix.ENOBUFS, unix.EINTR, unix.EROFS, unix.EEXIST)), false
			case 1: // The answer is lost; a file has none.
				return fault.Of(oneOf[error](r, unix.EAGAIN, unix.ENOBUFS, unix.EINTR)), !setting.Sysctl()
			default:
				return nil, true
			}
		}
		run := begin(t, k)
		for n := range 6 {
			s := random(r)
			k.wrong = broken
			run.want(s)
			if r.IntN(4) == 0 {
				was := k.is
				k.is = map[machine.Setting]string{}
				run.look()
				k.is = was
			}
			run.look()
			k.wrong = nil
			run.look()
			if want := s.settings(t, before); !maps.Equal(want, k.is) {
				t.Errorf("seed %d, state %d: the settings are\n%v\nwant\n%v", seed, n, k.is, want)
			}
			for setting := range k.is {
				if was, kept := k.before[machine.Setting(setting)]; k.is[setting] != before[setting] && (!kept || was != before[setting]) {
					t.Errorf("seed %d, state %d: %s was %q, and %q is kept", seed, n, setting, before[setting], was)
				}
			}
		}
		run.finish()
		if !maps.Equal(before, k.is) {
			t.Errorf("seed %d: at the end\n%v\nwant\n%v", seed, k.is, before)
		}
		if t.Failed() {
			return
		}
	}
}
