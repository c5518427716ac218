package config

import (
	"strconv"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// A syncGroup is virtual routers that move together. Its members are judged when all
// blocks are known.
type syncGroup struct {
	name    string
	at      block.Place
	routers []block.Item
	track   []vrrp.Track // all of them
	runs    bool         // it has resources
}

var groupTable = block.NewTable("sync_group", func() []block.Entry[syncGroup] {
	return []block.Entry[syncGroup]{
		block.List("routers", "The names of the virtual routers. One director is Master of all of them, or of none: what one of them lacks, such as its interface, makes all of them stand back.",
			func(g *syncGroup) *[]block.Item { return &g.routers }).Required(`routers = ["outside", "inside"]`),
		block.Many[syncGroup]("track", "What all of them track.", trackKinds.Schema(), "kind", "name"),
		block.Many[syncGroup]("on", "A program that is run when all of them have come into a state: \"master\", \"backup\" or \"stop\", or when one has come into \"fault\".", hookTable.Schema(), "state"),
		block.Many[syncGroup]("stream", "A program that keeps running, and reads from its standard input what happens to the group and to its virtual routers, as one at the top level does for all.", streamTable.Schema(), "name"),
		block.Many[syncGroup]("resource", "Something that this director runs while it is Master of all of them, as in a virtual_router.", resourceKinds.Schema(), "kind", "name"),
	}
})

func readGroup(b *block.Body) (g syncGroup, defined []definition) {
	b.CheckName(0)
	claim(b, groupName, strconv.Quote(b.Labels[0]), b.Head)
	g = groupTable.Read(b)
	g.name, g.at = b.Labels[0], b.Head
	g.track, defined = readTracks(b)
	for range b.Blocks("resource") {
		g.runs = true
	}
	if n := len(g.routers); n < 2 && b.Given("routers") && !b.Refused("routers") {
		b.Mistake(b.At("routers"), "Group of one", "A sync_group needs two virtual routers at least: add the other ones that move with it, or remove the group.")
	}
	for _, it := range g.routers {
		claim(b, groupMember, strconv.Quote(it.Text), it.At)
	}
	return g, defined
}
