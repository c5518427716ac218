package vrrp

import (
	"os"
	"strings"
	"testing"
)

// clauses has the words that decide the cells of the matrix: those of RFC 9568,
// under its section, and where it leaves the matter open or this package goes
// beyond it, those of the package's own documentation. The RFC's {Active} is
// Master here. A dash begins each item of its lists, however deep; an ellipsis
// leaves words out, such as those about virtual MAC addresses.
var clauses = map[string]string{
	"5.2.4": "VRRP Routers backing up a Virtual Router MUST use priority values between 1-254 (decimal).",

	"6.4.1 waits":   "The purpose of this state is to wait for a Startup event",
	"6.4.1 owner":   "If the Priority = 255, i.e., the router owns the IPvX address(es) associated with the Virtual Router, then: - Send an ADVERTISEMENT [...] - Set the Adver_Timer to Advertisement_Interval - Transition to the {Active} state",
	"6.4.1 startup": "else // Router is not the address owner - Set [...] Active_Adver_Interval to Advertisement_Interval - Set the Active_Down_Timer to Active_Down_Interval - Transition to the {Backup} state",

	"6.4.2 shutdown":      "If a Shutdown event is received, then: - Cancel the Active_Down_Timer - Transition to the {Initialize} state",
	"6.4.2 timer fires":   "If the Active_Down_Timer fires, then: - Send an ADVERTISEMENT [...] - Set the Adver_Timer to Advertisement_Interval - Transition to the {Active} state",
	"6.4.2 priority is 0": "If the Priority in the ADVERTISEMENT is 0, then: - Set the Active_Down_Timer to Skew_Time",
	"6.4.2 priority >= local": "If Preempt_Mode is False, or if the Priority in the ADVERTISEMENT is greater than or equal to the local Priority, then: " +
		"- Set the Active_Adver_Interval to the Max Advertise Interval contained in the ADVERTISEMENT - Recompute the Skew_Time " +
		"- Recompute the Active_Down_Interval - Set the Active_Down_Timer to Active_Down_Interval",
	"6.4.2 Preempt_Mode is False": "If Preempt_Mode is False, or if [...], then: - Set the Active_Adver_Interval to the Max Advertise Interval contained in the ADVERTISEMENT [...] " +
		"- Set the Active_Down_Timer to Active_Down_Interval",
	"6.4.2 discard": "else // preempt was true and priority was less than the local priority - Discard the ADVERTISEMENT",

	"6.4.3 shutdown":      "If a Shutdown event is received, then: - Cancel the Adver_Timer - Send an ADVERTISEMENT with Priority = 0 - Transition to the {Initialize} state",
	"6.4.3 timer fires":   "If the Adver_Timer fires, then: - Send an ADVERTISEMENT - Reset the Adver_Timer to Advertisement_Interval",
	"6.4.3 priority is 0": "If the Priority in the ADVERTISEMENT is 0, then: - Send an ADVERTISEMENT - Reset the Adver_Timer to Advertisement_Interval",
	"6.4.3 greater priority": "If the Priority in the ADVERTISEMENT is greater than the local Priority or [...], then: - Cancel Adver_Timer [...] " +
		"- Set the Active_Down_Timer to Active_Down_Interval - Transition to the {Backup} state",
	"6.4.3 greater source": "[...] or the Priority in the ADVERTISEMENT is equal to the local Priority and the primary IPvX address of the sender " +
		"is greater than the local primary IPvX address (based on an unsigned integer comparison of the IPvX addresses in network byte order), then: " +
		"- Cancel Adver_Timer [...] - Transition to the {Backup} state",
	"6.4.3 assert": "else // new Active Router logic - Discard the ADVERTISEMENT - Send an ADVERTISEMENT immediately to assert the {Active} state " +
		"to the sending VRRP Router and to update any learning bridges with the correct Active VRRP Router path.",

	"Leaving": "A Master that stops sends one advert with priority 0. It keeps the addresses until 50 ms after its successor's first advert, " +
		"or for four of its intervals if there is no successor.",
	"Offering": "A Master that an operator orders to offer its role advertises priority 0 once, sends nothing more, and keeps the addresses. " +
		"On the first advert of another Master, whatever its priority, it becomes Backup and lets the addresses go after 50 ms. " +
		"If none comes within Master_Down, it goes on as Master, and nothing was lost; or it becomes Backup all the same, if that was ordered.",
	"Offer":          "In another state it does nothing.",
	"Offered":        "An order that was followed before is followed no more.",
	"Preemption":     "With a delay, it follows the worse Master until the delay, counted from that Master's first advert, is over; it never takes over sooner than without a delay.",
	"Single packets": "Priority 0 counts only from the Master that it follows.",
	"Outranked":      "It ignores a worse router than the Master that it follows, which will answer that one, unless the Master is overdue.",
	"Stalls":         "It sends nothing and listens",
	"Resume":         "Resume leaves Initialize for Master at once.",
	"Stop":           "End ends the router for good (RFC 9568 sections 6.4.2 and 6.4.3, Shutdown).",
	"Fault":          "In Initialize a Fault renews the reason.",
	"Update":         "Update puts a changed configuration in force without losing the role.",
}

// quote is the words of the clauses that a row of the matrix names.
func quote(keys string) string {
	var lines []string
	for key := range strings.SplitSeq(keys, ", ") {
		lines = append(lines, key+": \""+clauses[key]+"\"")
	}
	return strings.Join(lines, "\n")
}

func TestEveryCellQuotesItsClause(t *testing.T) {
	used := make(map[string]bool)
	for _, row := range transitionMatrix {
		for key := range strings.SplitSeq(row.clause, ", ") {
			used[key] = true
			if clauses[key] == "" {
				t.Errorf("%s/%s: no words for clause %q", row.state, row.event, key)
			}
		}
	}
	own := documentation(t, "doc.go", "lifecycle.go", "condition.go")
	for key, words := range clauses {
		if !used[key] {
			t.Errorf("no cell is decided by clause %q", key)
		}
		if isOwn := key[0] < '0' || key[0] > '9'; isOwn && !strings.Contains(own, words) {
			t.Errorf("%s: the documentation does not say %q", key, words)
		}
	}
}

// documentation is the comments of some files, without their line breaks.
func documentation(t *testing.T, names ...string) string {
	t.Helper()
	var words []string
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if comment, ok := strings.CutPrefix(line, "//"); ok {
				words = append(words, strings.Fields(comment)...)
			}
		}
	}
	return strings.Join(words, " ")
}
