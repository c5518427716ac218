package vrrp_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A wire is a kernel whose packets reach another one.
type wire struct {
	*kernel
	to *kernel
}

func (w *wire) Send(p vrrp.Packet) error {
	p.Payload = bytes.Clone(p.Payload)
	w.to.mu.Lock()
	w.to.queue = append(w.to.queue, p)
	w.to.mu.Unlock()
	select {
	case w.to.wake <- struct{}{}:
	default:
	}
	return w.kernel.Send(p)
}

// A pair of whole Sessions, each with its kernel, is given its keys and rotates them
// by reloads, the one some time after the other, while every second an advert goes
// from the Master to the Backup.
func TestAPairOfSessionsIsGivenKeysAndRotatesThem(t *testing.T) {
	keys := func(ids ...uint8) (all []vrrp.Key) {
		for _, id := range ids {
			all = append(all, vrrp.Key{ID: id, Secret: vrrp.NewSecret(fmt.Sprintf("key %d of more than thirty-two bytes", id))})
		}
		return all
	}
	signed := func(mode vrrp.AuthMode, signer uint8, ids ...uint8) vrrp.Authentication {
		return vrrp.Authentication{Mode: mode, Signer: signer, Keys: keys(ids...), Window: 5 * time.Second}
	}
	desired := func(priority uint8, a vrrp.Authentication) vrrp.Desired {
		return one(func(c *vrrp.Config) { c.Priority, c.Authentication = priority, a })
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		kernels := [2]*kernel{}
		for i := range kernels {
			kernels[i] = &kernel{t: t, begin: time.Now(), wake: make(chan struct{}, 1), ended: make(chan struct{}),
				devices: map[string]vrrp.Interface{"eth0": {Up: true, Addresses: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.9.0.%d/24", i+1))}}}}
			kernels[i].publish()
		}
		priorities := [2]uint8{150, 100}
		for i, k := range kernels {
			k.session = vrrp.NewSession(&wire{k, kernels[1-i]}, k, k.event)
			go func() { defer close(k.ended); k.session.Run(ctx) }()
			k.session.Set(desired(priorities[i], vrrp.Authentication{}))
		}
		time.Sleep(10 * time.Second)
		for i, a := range []vrrp.Authentication{
			signed(vrrp.Permissive, 1, 1),
			signed(vrrp.Enforce, 1, 1),
			signed(vrrp.Enforce, 1, 1, 2),
			signed(vrrp.Enforce, 2, 1, 2),
			signed(vrrp.Enforce, 2, 2),
		} {
			first := i % 2 // The Master, or the Backup.
			for _, j := range []int{first, 1 - first} {
				kernels[j].session.Set(desired(priorities[j], a))
				time.Sleep(2500 * time.Millisecond)
			}
			for j, k := range kernels {
				st := k.status()
				refused := uint64(0)
				for _, n := range st.Counters.Discarded {
					refused += n
				}
				if (st.State == vrrp.Master) != (j == 0) || st.Counters.BecameMaster+st.Counters.LeftMaster != uint64(1-j) || refused > 0 {
					t.Fatalf("step %d: director %d is %s, became Master %d times, refused %v", i+1, j+1, st.State, st.Counters.BecameMaster, st.Counters.Discarded)
				}
				if got := st.Authentication; got == nil || got.Mode != string(a.Mode) || got.Signer != a.Signer || len(got.Keys) != len(a.Keys) {
					t.Errorf("step %d: the status has %+v", i+1, got)
				}
			}
			if p := kernels[1].status().Peers; len(p) != 1 || p[0].Key != a.Signer {
				t.Errorf("step %d: the Backup has heard %+v", i+1, p)
			}
		}
		for _, k := range kernels {
			for _, line := range k.script() {
				if strings.Contains(line, "failure") && !strings.Contains(line, "sign") {
					t.Error(line)
				}
			}
		}
		cancel()
		for _, k := range kernels {
			<-k.ended
		}
	})
}
