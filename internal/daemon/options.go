package daemon

// Options are what the daemon is started with.
type Options struct {
	Version string
	// Config is the path of the configuration, and Node the director's name in
	// it, or empty for the host's name.
	Config, Node string
	// FileDirs are the directories beneath which file() may read, besides the
	// configuration's own.
	FileDirs []string
	// StateDir is the directory where the daemon remembers which rows of the
	// IPVS table are its own, and which only one daemon works with at a time.
	StateDir string
	// Socket is the path of the control socket; empty: there is none.
	Socket string
	// DryRun changes nothing in the kernel, sends no adverts and starts no programs but
	// those of checks: what would be done is logged. A daemon may run beside it.
	DryRun bool
	Log    *Log
}
