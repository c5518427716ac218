package importer

// A Place is where something of the other program's configuration stands.
type Place struct {
	File string
	Line int // from 1
}

// A Kind says how much a Loss changes.
type Kind int

// The kinds of losses.
const (
	Lost    Kind = iota // something that keepalived or another program does is not done
	Differs             // it is done, but not exactly so
	Note                // nothing that runs is changed: the words had no effect, or have none here
)

var kinds = [...]string{Lost: "lost", Differs: "differs", Note: "note"}

// String returns the kind in a word: "lost", "differs" or "note".
func (k Kind) String() string { return kinds[k] }

// A Loss is something of the other program's configuration that did not come along.
type Loss struct {
	Place
	Kind   Kind
	Node   string // of which director; empty: of all
	Text   string // the words as they stand there, but for passwords
	Reason string // why, a sentence
	Remedy string // what to do or write instead; may be empty
}
