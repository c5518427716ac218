package reader

import "github.com/lvsd/lvsd/internal/config"

// A Query says what is to be read, and what the reader needs to know besides
// the files. The environment is the parent's.
type Query struct {
	// Path is a file, or a directory of *.hcl files. With Read, which are files that
	// somebody has read, these count in their place, and relative names in them begin
	// where they would there.
	Path string
	Read []config.SourceFile
	// Node is as in config.Options.
	Node string
	// FileDirs is as in config.Options.
	FileDirs []string
	// Machine is this one.
	config.Machine
	// RunningNode, RunningDigest and RunningFiles are those of the configuration
	// that runs: where the files say the same, they are not parsed. Empty: none
	// runs.
	RunningNode   string
	RunningDigest string
	RunningFiles  []string
	// Programs asks whether the programs that are named can be run on this machine.
	Programs bool
	// NoSecrets leaves the files of keys and passwords unread: this machine need not have them.
	NoSecrets bool
	// Aside asks for a configuration that is not to run: what is known of the last one is
	// kept.
	Aside bool
	// ValidateOnly asks whether the configuration is valid, and for no Config.
	ValidateOnly bool
}

// Contents counts what a valid configuration has.
type Contents struct{ Routers, Services, Servers int }

// A request is what the child is asked. The summaries of the blocks that need not
// be parsed again follow it, one by one: as one message they would be five times
// their size in garbage.
type request struct {
	Query
	Limits Limits
	Known  int // how many summaries follow
}

// A summary is that of one block.
type summary struct {
	Key     config.Key
	Summary []byte
}

// A reply is what the child answers. Its blocks follow it, one by one.
type reply struct {
	// Failed says why there is nothing to parse: no such file.
	Failed    string
	Unchanged bool
	// Config is without its services.
	Config      *config.Config
	Contents    Contents
	Diagnostics config.Diagnostics
	NamesHost   bool
	Blocks      int
	// Files are those of a configuration that is to run, as they were read.
	Files []config.SourceFile
}
