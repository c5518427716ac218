package daemon

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/keyfile"
	"github.com/lvsd/lvsd/vrrp"
)

// withKeys returns routers with the texts of their keys. They are read here, by the
// process that uses them: what the process that reads the configuration answers is
// what anybody may have written.
func withKeys(routers []vrrp.Config) ([]vrrp.Config, error) {
	routers = slices.Clone(routers)
	for i := range routers {
		a := &routers[i].Authentication
		a.Keys = slices.Clone(a.Keys)
		for j := range a.Keys {
			k := &a.Keys[j]
			text, err := keyfile.Read(k.File, k.Credential)
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
