package api

// A Checkup is the answer of lvsd doctor.
type Checkup struct {
	SchemaVersion int `json:"schema_version"`
	// Path and Node are the configuration, and the director as which it was read.
	Path string `json:"path"`
	Node string `json:"node"`
	// OK: nothing is wrong now.
	OK bool `json:"ok"`
	// Roles are what this machine is in the configuration: "director", "real server".
	Roles []string `json:"roles"`
	// Examinations are all of them, in the order of lvsd-doctor(8).
	Examinations []Examination `json:"examinations"`
}

// An Examination is what was seen of one way in which a cluster fails.
type Examination struct {
	// Code identifies it, for programs: "ip-forward".
	Code string `json:"code"`
	// Family is what it is about, such as "kernel", and Title what is examined.
	Family string    `json:"family"`
	Title  string    `json:"title"`
	State  Judgement `json:"state"`
	// Why says why it is not known, or not needed; empty otherwise.
	Why string `json:"why,omitempty"`
	// Findings are what is wrong, each with the examination's code.
	Findings []Finding `json:"findings"`
	// Done are the changes that were made.
	Done []string `json:"done"`
}

// A Judgement is how an examination ended.
type Judgement string

// The judgements of examinations.
const (
	Fine      Judgement = "ok"
	Wrong     Judgement = "wrong"
	NotKnown  Judgement = "unknown"   // it could not be told
	NotNeeded Judgement = "needless"  // nothing in the configuration needs it
	NotHere   Judgement = "elsewhere" // it is for directors, or for real servers, and this machine is none
)
