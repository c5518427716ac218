package api

// An Imported is what lvsd import has made of another program's configuration.
type Imported struct {
	SchemaVersion int `json:"schema_version"`
	// Program is whose configuration it was: "keepalived".
	Program string `json:"program"`
	// Files are those of lvsd's configuration.
	Files []ImportedFile `json:"files"`
	// Secrets are the files that belong beside them, with keys and passwords, by their names.
	Secrets []string `json:"secrets"`
	// Losses are what did not come along.
	Losses []ImportLoss `json:"losses"`
}

// An ImportedFile is a file of lvsd's configuration.
type ImportedFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// An ImportLoss is something of the other program's configuration that did not come along.
type ImportLoss struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Node is the director that it is about; empty: all.
	Node string `json:"node,omitempty"`
	// Kind is "lost", "differs" (it is done, but not exactly so) or "note" (nothing that
	// runs is changed).
	Kind string `json:"kind"`
	// Text are the words as they stand there, without passwords.
	Text   string `json:"text"`
	Reason string `json:"reason"`
	Remedy string `json:"remedy,omitempty"`
}
