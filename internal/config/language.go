package config

import (
	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// The reading of HCL is internal/block's; these are its words for the users of
// this package.
type (
	// Sources are the files of one configuration, as read at one moment.
	Sources = block.Sources
	// A SourceFile is a file of a configuration that somebody has read.
	SourceFile = block.File
	// Options are what besides the files decides what they mean.
	Options = block.Options
	// Diagnostics are all mistakes in a configuration, in the order of the
	// files and their lines.
	Diagnostics = block.Diagnostics
	// A Diagnostic is one mistake in a configuration, or one doubt about it.
	Diagnostic = block.Diagnostic
	// A Key identifies all that decides what a virtual_service block means.
	Key = block.Key
)

// The severities of a diagnostic.
const (
	Error   = block.Error
	Warning = block.Warning
)

// Read reads a configuration: a file, or a directory whose *.hcl it reads in
// the order of their names.
func Read(path string) (Sources, error) { return block.Read(path) }

// Names returns the files that Read reads at a path, as far as they are there.
func Names(path string) ([]string, error) { return block.Names(path) }

// IsSource reports whether a file of a directory is configuration, by its name.
func IsSource(name string) bool { return block.IsSource(name) }

// FromFiles is Read for files that somebody has read, of at most MaxSource bytes together,
// in which relative names begin at a directory.
func FromFiles(dir string, files ...SourceFile) (Sources, error) {
	return block.FromFiles(dir, files...)
}

// MaxSource bounds the files of a configuration, in bytes.
const MaxSource = block.MaxSource

// A declaration is what one top-level block declares.
type declaration struct {
	directors   []Director
	routers     []vrrp.Config
	groups      []syncGroup
	hooks       []Hook
	streams     []Stream
	resources   []Resource
	definitions []definition
	services    []Service
	statics     []vrrp.Holdings
}

// topLevel stands for the block around all blocks.
const topLevel = "the top level of a file"

var top = block.NewTable(topLevel, func() []block.Entry[declaration] {
	return []block.Entry[declaration]{
		block.Many[declaration]("locals", "Names for values that are used more than once. They can be used in every file, as local.X.", block.NewTable[struct{}]("locals", nil).Schema()),
		block.One[declaration]("director", "Settings of the daemon as a whole. There can be only one such block.", directorTable.Schema()),
		block.Many[declaration]("virtual_router", "A group of virtual addresses that exactly one of the directors holds at any time (VRRP, RFC 9568). The label is any name.", routerTable.Schema(), "name"),
		block.Many[declaration]("static", "Addresses, routes and rules that this director has always, without a virtual router. They are put back when somebody removes them, adopted where they are there already, and removed, also those, when they leave the configuration and when lvsd stops, after it has handed over. If all of lvsd's processes are killed, they stay until its next start, which removes what has left the configuration (an address before Linux 5.18 stays). Addresses of lvsd have protocol 112, as its routes and rules have. What the director itself needs to be reached belongs in the network configuration of its system.", staticTable.Schema()),
		block.Many[declaration]("condition", "Something that virtual routers track, defined once for all of them. The labels are its kind and any name.", definedKinds.Schema(), "kind", "name"),
		block.Many[declaration]("sync_group", "Virtual routers that move together: a director is Master of all of them or of none, as a NAT cluster needs it for the network outside and the one inside. The label is any name.", groupTable.Schema(), "name"),
		block.Many[declaration]("stream", "A program that keeps running, and reads from its standard input what happens to all virtual routers and sync groups: one JSON object a line for each change of a state or of a priority, and first those that there are. One in a virtual_router or a sync_group is told of that alone. It is started again when it ends, after a pause that grows from 1s to 1m. The label is any name.", streamTable.Schema(), "name"),
		block.Many[declaration]("virtual_service", "A service whose connections the directors distribute over real servers. The label is any name.", serviceTable.Schema(), "name"),
		block.One[declaration]("defaults", "Defaults for options that would otherwise be repeated in each virtual service. There can be only one such block; it applies to all files.", defaultsTable.Schema()),
	}
})

// language is what a configuration of lvsd may hold.
var language = block.Later(func() *block.Language {
	return &block.Language{
		Top:      top.Schema(),
		First:    "defaults",
		Reusable: "virtual_service",
		Words:    foreignRemedies(),
		Values:   foreignValues,
		Alien:    alien,
	}
})

// Schema says what a configuration may hold at the top level of a file, and below.
func Schema() *block.Schema { return top.Schema() }

// A reading is one pass over all blocks, of which defaults come first.
type reading struct{ defaults *defaults }

// declare adds what a top-level block declares.
func (r *reading) declare(b *block.Body, d *declaration) {
	switch b.Type {
	case "defaults":
		r.defaults = readDefaults(b)
	case "director":
		d.directors = append(d.directors, readDirector(b))
	case "virtual_router":
		r, defined := readRouter(b)
		d.routers, d.definitions = append(d.routers, r), append(d.definitions, defined...)
		d.hooks = append(d.hooks, readHooks(b, Hook{Owner: Owner{Router: b.Labels[0]}})...)
		d.streams = append(d.streams, readStreams(b, Stream{Owner: Owner{Router: b.Labels[0]}})...)
		own := readResources(b, Resource{Owner: Owner{Router: b.Labels[0]}})
		d.resources = append(d.resources, own...)
		doubtPreemption(b, r.Preempt, own)
	case "static":
		d.statics = append(d.statics, readStatic(b))
	case "condition":
		d.definitions = append(d.definitions, readCondition(b)...)
	case "sync_group":
		g, defined := readGroup(b)
		d.groups, d.definitions = append(d.groups, g), append(d.definitions, defined...)
		d.hooks = append(d.hooks, readHooks(b, Hook{Owner: Owner{Group: b.Labels[0]}})...)
		d.streams = append(d.streams, readStreams(b, Stream{Owner: Owner{Group: b.Labels[0]}})...)
		d.resources = append(d.resources, readResources(b, Resource{Owner: Owner{Group: b.Labels[0]}})...)
	case "stream":
		d.streams = append(d.streams, readStream(b, Stream{}))
	case "virtual_service":
		d.services = append(d.services, readService(b, r.defaults))
	}
}
