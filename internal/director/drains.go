package director

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/text"
)

// draining finds services with servers that were removed and keep their connections.
func (all *findings) draining(services []config.Service, d draining) {
	for i := range services {
		s := &services[i]
		servers := d[s.Key]
		if len(servers) == 0 {
			continue
		}
		var names []string
		var until time.Time
		for k, server := range servers {
			names = append(names, k.String())
			if server.until.After(until) {
				until = server.until
			}
		}
		slices.Sort(names)
		all.add(api.Info, "drains", fmt.Sprintf("virtual service %q", s.Name), "wait, or set drain_timeout = \"0s\" and reload",
			"%s of virtual service %q that the configuration no longer has %s connections until %s at most: %s",
			text.Count(len(names), "real server"), s.Name, map[bool]string{true: "keeps its", false: "keep their"}[len(names) == 1], until.Format(time.TimeOnly), strings.Join(names[:min(len(names), 5)], ", "))
	}
}
