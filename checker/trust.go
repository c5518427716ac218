package checker

const (
	// maxDoubts is how many times in a row an Engine may leave a target undecided that
	// its ProbeFunc then finds well, before it is not asked any more: something lets
	// connections pass and not what it sends.
	maxDoubts = 3
	// newTrust is after how many probes without it an Engine is tried again.
	newTrust = 250
)

// doubts is how many times in a row the Engine did not hear a target that its ProbeFunc
// then found well, and from maxDoubts on how often it was not asked since.
type doubts uint8

// trust reports whether the Engine is to be asked, and counts if it is not.
func (d *doubts) trust() bool {
	switch {
	case *d < maxDoubts:
		return true
	case *d < maxDoubts+newTrust:
		*d++
		return false
	default:
		*d = 0
		return true
	}
}

// add notes how a probe ended that the Engine had left undecided.
func (d *doubts) add(r Result) {
	if r.Outcome == Passed && *d < maxDoubts {
		*d++
	}
}

// bypassed reports whether the Engine is not asked for a while.
func (d doubts) bypassed() bool { return d >= maxDoubts }
