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

// A Compared is what another program makes of its configuration, beside what lvsd makes of the
// one that was imported: on a director that is Master, and while all real servers are up.
type Compared struct {
	SchemaVersion int    `json:"schema_version"`
	Program       string `json:"program"`
	// Differences: something differs.
	Differences bool               `json:"differences"`
	Directors   []ComparedDirector `json:"directors"`
}

// A ComparedDirector is what both make of one director.
type ComparedDirector struct {
	Name string        `json:"name"`
	Rows []ComparedRow `json:"rows"`
}

// A ComparedRow is one thing that at least one of both makes.
type ComparedRow struct {
	// About is "IPVS table", "addresses" or "checks".
	About string `json:"about"`
	// Key is what it is: "-t 10.13.0.200:80 -r 192.168.1.4:80".
	Key string `json:"key"`
	// Theirs and Ours are what both say of it; null: it is not there.
	Theirs *string `json:"theirs"`
	Ours   *string `json:"ours"`
	// Differs: one of both lacks it, or they do not say the same. Times that differ by a tenth
	// are the same.
	Differs bool `json:"differs"`
	// File and Line are where the other program's configuration says it.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}
