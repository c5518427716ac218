package vrrp

// A Phase is what a router does within its State, in an operator's words. It
// follows from the router's parts.
type Phase string

// In Initialize.
const (
	// Waiting is for the conditions to be met, without addresses.
	Waiting Phase = "waiting"
	// Adopted waits with addresses that an earlier keeper left.
	Adopted Phase = "waiting, with adopted addresses"
	// Offering has advertised priority 0 and answers until a successor comes.
	Offering Phase = "offering the addresses to a successor"
	// Relinquishing answers for the 50 ms after a successor's first advert.
	Relinquishing Phase = "relinquishing the addresses"
	// Ended has nothing left to do.
	Ended Phase = "ended"
)

// In Backup, beside Adopted and Relinquishing.
const (
	// Seeking has heard no Master yet.
	Seeking Phase = "seeking a Master"
	// Following hears a Master.
	Following Phase = "following"
	// Delaying follows a worse Master until the preemption delay is over.
	Delaying Phase = "delaying preemption"
	// Succeeding takes over from a Master that is leaving.
	Succeeding Phase = "succeeding a Master that leaves"
	// Listening woke up too late, as Backup or Master, and listens before it
	// does anything.
	Listening Phase = "listening after a stall"
)

// Advertising is what a Master does.
const Advertising Phase = "advertising"

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
