package convert

import (
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/compare"
)

// An outliner works out what a program makes of its own file, on one director.
type outliner func(r *Request, files disk, node, path string) (importer.Outline, error)

var outliners = map[string]outliner{"keepalived": outlineKeepalived, "ldirectord": outlineLdirectord, "ipvsadm": outlineIPVSAdm, "heartbeat": outlineHeartbeat}

// Compared puts what the other program makes of its configuration beside what lvsd makes of the
// one that was imported. Without mistakes, refused is empty.
func (im *Import) Compared() (c *api.Compared, refused config.Diagnostics, err error) {
	ours, refused, err := im.load()
	if err != nil || len(refused) > 0 {
		return nil, refused, err
	}
	r := &im.request
	c = &api.Compared{SchemaVersion: api.SchemaVersion, Program: im.Program}
	for i, node := range im.Nodes {
		path, own := r.Nodes[node]
		if !own {
			path = r.Files[0]
		}
		theirs, err := outliners[im.Program](r, im.files, node, path)
		if err != nil {
			return nil, nil, err
		}
		mine := compare.Ours(ours[i])
		if im.Program == "heartbeat" { // It has no virtual routers, but the addresses in them.
			mine = slices.DeleteFunc(mine, func(r importer.Row) bool { return strings.HasPrefix(r.Key, "virtual router ") })
		}
		rows := compare.Rows(theirs, mine)
		c.Directors = append(c.Directors, api.ComparedDirector{Name: node, Rows: rows})
		c.Differences = c.Differences || slices.ContainsFunc(rows, func(r api.ComparedRow) bool { return r.Differs })
	}
	return c, nil, nil
}
