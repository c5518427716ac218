package ipvsctl

import (
	"slices"
)

// A Ledger remembers which services are ours beyond the life of the process.
type Ledger interface {
	// Load returns what was last saved; nothing where nothing was, or where
	// the table it was about is gone with the kernel that held it.
	Load() ([]ServiceKey, error)
	Save(keys []ServiceKey) error
}

// An ownership knows which services are ours, and keeps the ledger up to date:
// it names a service before the first write to it, and until the kernel is rid
// of it.
type ownership struct {
	ledger    Ledger
	keys      map[ServiceKey]bool // by the ledger, and by every goal since
	saved     bool                // the ledger names exactly these
	exclusive bool                // every service is ours, named or not
}

func (o *ownership) load() error {
	keys, err := o.ledger.Load()
	o.keys, o.saved = make(map[ServiceKey]bool, len(keys)), true
	for _, key := range keys {
		o.keys[key] = true
	}
	return err
}

func (o *ownership) owns(key ServiceKey) bool { return o.exclusive || o.keys[key] }

// claim makes the services of a goal ours.
func (o *ownership) claim(g *Desired) {
	o.exclusive = g.Exclusive
	for key := range g.Table {
		o.saved = o.saved && o.keys[key]
		o.keys[key] = true
	}
}

// unwanted returns our services that t does not have.
func (o *ownership) unwanted(t Table) []ServiceKey {
	var keys []ServiceKey
	for key := range o.keys {
		if _, wanted := t[key]; !wanted {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, ServiceKey.Compare)
	return keys
}

// giveUp makes a service nobody's.
func (o *ownership) giveUp(key ServiceKey) {
	delete(o.keys, key)
	o.saved = false
}

// save writes the ledger where it is not up to date.
func (o *ownership) save() error {
	if o.saved {
		return nil
	}
	err := o.ledger.Save(sorted(o.keys))
	o.saved = err == nil
	return err
}
