package daemon

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/keyfile"
	"github.com/lvsd/lvsd/vrrp"
)

// keysWithin bounds how long a start or a reload waits for the disk that the keys are on:
// a file server that is gone may never answer.
const keysWithin = 10 * time.Second

// keyReading is held while keys are read, so that a disk which hangs has one goroutine
// that waits for it, however often a reload is tried.
var keyReading = make(chan struct{}, 1)

// withKeys is what a start or a reload uses of readKeys: it does not wait for ever.
func withKeys(routers []vrrp.Config) ([]vrrp.Config, error) {
	return inTime(keyReading, func() ([]vrrp.Config, error) { return readKeys(routers) })
}

func inTime(reading chan struct{}, read func() ([]vrrp.Config, error)) ([]vrrp.Config, error) {
	late := time.NewTimer(keysWithin)
	defer late.Stop()
	type result struct {
		routers []vrrp.Config
		err     error
	}
	results := make(chan result, 1)
	select {
	case reading <- struct{}{}:
		go func() {
			routers, err := read()
			<-reading
			results <- result{routers, err}
		}()
	case <-late.C:
		return nil, errKeysLate
	}
	select {
	case r := <-results:
		return r.routers, r.err
	case <-late.C:
		return nil, errKeysLate
	}
}

var errKeysLate = fmt.Errorf("the keys of the virtual routers could not be read within %s: the disk or the file server that they are on does not answer; keep them on a disk of this machine", keysWithin)

// readKeys returns routers with the texts of their keys. They are read here, by the
// process that uses them: what the process that reads the configuration answers is
// what anybody may have written.
func readKeys(routers []vrrp.Config) ([]vrrp.Config, error) {
	routers = slices.Clone(routers)
	for i := range routers {
		a := &routers[i].Authentication
		a.Keys = slices.Clone(a.Keys)
		for j := range a.Keys {
			k := &a.Keys[j]
			text, err := keyfile.Key.Read(k.File, k.Credential)
			if err != nil {
				return nil, fmt.Errorf("key %d of virtual router %q: %w", k.ID, routers[i].Name, err)
			}
			k.Secret = vrrp.NewSecret(text)
		}
	}
	return routers, nil
}

// renewed returns the configuration that runs with the keys as they are now; nil:
// they have not changed.
func renewed(running *config.Config) (*config.Config, error) {
	routers, err := withKeys(running.Routers)
	if err != nil || reflect.DeepEqual(routers, running.Routers) {
		return nil, err
	}
	c := *running
	c.Routers = routers
	return &c, nil
}
