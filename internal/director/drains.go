package director

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// draining finds services with servers that were removed and keep their connections.
func (all *findings) draining(d draining) {
	for _, key := range d.services() {
		names, until, of := d[key].names(), d[key].until(), fmt.Sprintf("virtual service %q", d[key].name)
		keep := map[bool]string{true: "keeps its", false: "keep their"}[len(names) == 1]
		if d[key].former != nil {
			all.add(api.Info, "drains", of, "wait, or set drain_timeout = \"0s\" before you change a service so",
				"%s of %s, as it was known to the kernel before (%v), %s connections until %s at most",
				text.Count(len(names), "real server"), of, key, keep, until.Format(time.TimeOnly))
			continue
		}
		all.add(api.Info, "drains", of, "wait, or set drain_timeout = \"0s\" and reload",
			"%s of %s that the configuration no longer has %s connections until %s at most: %s",
			text.Count(len(names), "real server"), of, keep, until.Format(time.TimeOnly), strings.Join(names[:min(len(names), 5)], ", "))
	}
}

// names are its servers' addresses.
func (d departing) names() (all []string) {
	for k := range d.servers {
		all = append(all, k.String())
	}
	slices.Sort(all)
	return all
}

// until is when the last one's time is over.
func (d departing) until() (last time.Time) {
	for _, server := range d.servers {
		if server.until.After(last) {
			last = server.until
		}
	}
	return last
}
