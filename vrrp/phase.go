package vrrp

// A Phase is what a router does within its State, in an operator's words. It
// follows from the router's parts.
type Phase string

// The phases of a router.
const (
	Waiting       Phase = "waiting"                               // in Initialize, without addresses
	Adopted       Phase = "waiting, with adopted addresses"       // of an earlier keeper; in Backup too
	Offering      Phase = "offering the addresses to a successor" // after priority 0, until one comes
	Relinquishing Phase = "relinquishing the addresses"           // within 50 ms of the successor's first advert
	Ended         Phase = "ended"                                 // for good
	Seeking       Phase = "seeking a Master"                      // in Backup, none was heard
	Following     Phase = "following"                             // in Backup
	Delaying      Phase = "delaying preemption"                   // in Backup of a worse Master
	Succeeding    Phase = "succeeding a Master that leaves"       // in Backup, after priority 0
	Listening     Phase = "listening after a stall"               // in Backup or Master
	Advertising   Phase = "advertising"                           // in Master
)

// phase works out what the router does.
func (r *Router) phase() Phase {
	h, e := &r.handover, &r.election
	switch {
	case r.stall.listening:
		return Listening
	case r.state == Master:
		return Advertising
	case !h.releaseAt.IsZero() && (r.state == Backup || h.takenOver):
		return Relinquishing
	case !h.releaseAt.IsZero():
		return Offering
	case h.ending != Running:
		return Ended
	case h.held:
		return Adopted
	case r.state == Initialize:
		return Waiting
	case e.leaving:
		return Succeeding
	case !e.preemptAt.IsZero():
		return Delaying
	case e.master.IsValid():
		return Following
	default:
		return Seeking
	}
}
