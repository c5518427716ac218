package api

import "time"

// StreamSchema is the version of what StreamLine says. Members may be added to it without
// another version.
const StreamSchema = 1

// What a line of a stream tells.
const (
	StreamStart      = "start"      // the program was started; what it knows from another line is void
	StreamPresent    = "present"    // the state that there is
	StreamTransition = "transition" // the state has changed
	StreamPriority   = "priority"   // the effective priority has changed
	StreamSkipped    = "skipped"    // lines were left out, so that the states that there are follow
)

// A StreamLine is one line of what the program of a stream reads.
type StreamLine struct {
	Event string `json:"event"`
	// Sequence counts the lines since the program was started, with those that were left
	// out.
	Sequence uint64 `json:"sequence"`
	// At is when it happened; of what is present, when the line was made.
	At time.Time `json:"at"`
	// SchemaVersion and Stream, its name, are those of a start.
	SchemaVersion int    `json:"schema_version,omitempty"`
	Stream        string `json:"stream,omitempty"`
	// Skipped is how many lines were left out.
	Skipped uint64 `json:"skipped,omitempty"`
	// StreamState is there unless Event is StreamStart or StreamSkipped.
	*StreamState
}

// The kinds of what a line is about.
const (
	KindRouter    = "router"
	KindSyncGroup = "sync_group"
)

// A StreamState is what a line tells about a virtual router or a sync group.
type StreamState struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// SyncGroup is the group that it moves with, or itself; empty if there is none.
	SyncGroup string `json:"sync_group"`
	// Routers are itself, or those of the group.
	Routers []string `json:"routers"`
	// State and FormerState are "master", "backup", "fault" or "stop". FormerState is empty
	// where none was known.
	State       string `json:"state"`
	FormerState string `json:"former_state"`
	// Priority is the effective one; of a group the lowest.
	Priority       uint8 `json:"priority"`
	FormerPriority uint8 `json:"former_priority"`
	// Reason is why, for people; it may be empty.
	Reason string `json:"reason"`
	// Interfaces are those of the adverts, and Addresses the virtual ones with their prefix
	// lengths, extra ones included.
	Interfaces []string `json:"interfaces"`
	Addresses  []string `json:"addresses"`
}

// A Stream is a program that stays, and reads what happens to virtual routers.
type Stream struct {
	Name string `json:"name"`
	// Router or SyncGroup is what it is told of; both are empty where that is all.
	Router    string `json:"router,omitempty"`
	SyncGroup string `json:"sync_group,omitempty"`
	Program   string `json:"program"`
	User      string `json:"user,omitempty"`
	Running   bool   `json:"running"`
	// Since is when it was started last, or has ended.
	Since time.Time `json:"since,omitzero"`
	// Starts counts how often it was started, and Lines those that were handed over to it,
	// both since lvsd was started.
	Starts uint64 `json:"starts"`
	Lines  uint64 `json:"lines"`
	// Skipped counts the lines that were left out, because the program did not read, and
	// Behind is set while they are.
	Skipped uint64 `json:"skipped"`
	Behind  bool   `json:"behind"`
	// Failure is how it has ended, or why it could not be started; empty while it runs.
	Failure string `json:"failure,omitempty"`
	// Retry is when it is started again; left out while it runs.
	Retry time.Time `json:"retry,omitzero"`
}

// A ServiceState is the state that a virtual service is in, or a real server of it, as
// hooks are told.
type ServiceState struct {
	Service, Address string // the service's name and address
	// Server and ServerAddress are those of a real server; empty: it is the service's.
	Server, ServerAddress string
	// State is "up" or "down" of a server, "quorum_lost" or "quorum_reached" of a
	// service; empty: it is no longer configured.
	State string
	// Reason is why, for people; it may be empty.
	Reason string
	// Serving of so many Servers take connections.
	Serving, Servers int
	// Weight is the server's, as configured.
	Weight uint32
}
