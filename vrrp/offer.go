package vrrp

import "time"

// An Offer orders a Master to offer its role to another director.
type Offer struct {
	Router string
	// Number tells one order from the next: each is followed once. Zero is none.
	Number uint64
	// Force lets the role go even if nobody takes over.
	Force bool
}

// An Offered is what became of the last Offer.
type Offered struct {
	Number  uint64  `json:"number"`
	Outcome Outcome `json:"outcome,omitempty"`
	// Reason is why it was Kept.
	Reason string `json:"reason,omitempty"`
}

// An Outcome is how an Offer has ended; empty: it has not.
type Outcome string

// The outcomes of an Offer.
const (
	NotMaster   Outcome = "not_master"  // there was nothing to offer
	Accepted    Outcome = "accepted"    // another director is Master
	Declined    Outcome = "declined"    // nobody came, and this router goes on as Master
	Kept        Outcome = "kept"        // what was to be done before failed, and this router goes on as Master
	LetGo       Outcome = "let_go"      // nobody came, and this router is Master no more
	Interrupted Outcome = "interrupted" // it had to leave for another reason meanwhile
)

// An offering is what a Master does that was ordered to offer its role: it has said
// once that it leaves, says nothing more, and goes on answering. Only when a
// successor has been heard does it become Backup.
type offering struct {
	order Offer
	until time.Time // when nobody has come; zero: nothing is offered
	last  Offered
}

func (o *offering) pending() bool { return !o.until.IsZero() }

// begin offers the role until a time.
func (o *offering) begin(order Offer, until time.Time) {
	o.order, o.until, o.last = order, until, Offered{Number: order.Number}
}

// end notes how that has ended, if it has not yet.
func (o *offering) end(how Outcome) {
	if o.pending() {
		o.until, o.last.Outcome = time.Time{}, how
	}
}
