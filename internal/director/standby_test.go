package director

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

func (h *helm) standBy(lasts time.Duration) {
	h.handle(StandBy{api.StandbyOrder{For: lasts}, alice, h.answer})
}

func (h *helm) saved(err error) {
	h.handle(StandbySaved{h.core.orders.saves, err})
}

// mayRun reports whether the keeper was told that an operator lets the routers run.
func (h *helm) mayRun() bool {
	for _, c := range h.desired.Conditions {
		if c.Name == operatorCondition && !c.OK {
			return false
		}
	}
	return true
}

// stoodBy begins one, with both routers handed over and all saved.
func stoodBy(t *testing.T, lasts time.Duration) *helm {
	h := helmOf(t)
	h.standBy(lasts)
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	if !h.mayRun() {
		t.Error("it stands back before another director is Master of all")
	}
	h.ended("inside", vrrp.Accepted, vrrp.Backup)
	if h.mayRun() || len(h.answers) != 0 {
		t.Errorf("it may be Master: %t; answered %q before it was saved", h.mayRun(), h.answers)
	}
	h.saved(nil)
	h.expect("in standby", "inside preempts, outside preempts", "", "ok=true, inside accepted as Backup, outside accepted as Backup")
	return h
}

func TestStandby(t *testing.T) {
	h := stoodBy(t, 0)
	h.wait(100 * time.Hour)
	if h.mayRun() {
		t.Error("without an end, it has ended")
	}
	h.handle(Resume{By: alice, Asker: h.answer})
	h.saved(nil)
	h.expect("resumed", "inside preempts, outside preempts", "", "ok=true, the standby, ordered by alice (uid 1000) 100h0m0s ago")
	if !h.mayRun() || h.core.Status(h.now, Edges{}).Standby != nil {
		t.Error("it is in standby after a resume")
	}
}

func TestAStandbyEndsByItself(t *testing.T) {
	h := stoodBy(t, 2*time.Hour)
	h.wait(2*time.Hour - 1)
	if h.mayRun() {
		t.Error("it has ended too soon")
	}
	h.lines = nil
	h.wait(1)
	h.wait(0)
	if !h.mayRun() || !strings.Contains(strings.Join(h.lines, "\n"), "save 2, standby false") {
		t.Errorf("it has not ended:\n%s", strings.Join(h.lines, "\n"))
	}
}

// Who reads the log learns for how long it was ordered.
func TestTheLogTellsHowLongAStandbyIsToLast(t *testing.T) {
	for lasts, text := range map[time.Duration]string{0: `for="until lvsd resume"`, time.Nanosecond: "for=1ns", 2 * time.Hour: "for=2h0m0s"} {
		h := helmOf(t)
		h.standBy(lasts)
		if got := linesWith(&h.log, "event=standby-ordered"); len(got) != 1 || !strings.Contains(got[0], text) {
			t.Errorf("%v: %q, want %s", lasts, got, text)
		}
	}
}

// Orders wait for each other.
func TestAStandbyDuringAFailover(t *testing.T) {
	h := helmOf(t)
	h.failover()
	h.standBy(0)
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	h.ended("inside", vrrp.Accepted, vrrp.Backup)
	want := []string{"ok=false, another failover is under way, ordered by alice (uid 1000): wait until it has ended", "ok=true, inside accepted as Backup, outside accepted as Backup"}
	if diff := cmp.Diff(want, h.answers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !h.mayRun() {
		t.Error("it is in standby")
	}
}

// Nothing is begun anew where there was nothing to end.
func TestResumeWithoutAnOrder(t *testing.T) {
	h := helmOf(t)
	for _, e := range h.core.Handle(h.now, Resume{By: alice, Asker: h.answer}) {
		switch e.(type) {
		case TellKeeper, RetryResources, SaveStandby:
			t.Errorf("%T", e)
		}
	}
}

// Setting the clock neither ends a standby nor makes it longer, and the status tells
// its end by the clock as it is set.
func TestTheClockIsSetDuringAStandby(t *testing.T) {
	h := stoodBy(t, 2*time.Hour)
	now := h.now.Add(time.Hour)
	st := h.core.Status(now, Edges{})
	if got := st.Standby.Until.Sub(st.Time); got != time.Hour {
		t.Errorf("after an hour it ends in %v", got)
	}
	if want := (api.User{Name: "alice", UID: 1000}); st.Standby.By != want {
		t.Errorf("ordered by %v", st.Standby.By)
	}
}

func TestAStandbyThatNobodyRelieves(t *testing.T) {
	h := helmOf(t)
	h.standBy(0)
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	h.ended("inside", vrrp.Declined, vrrp.Master)
	h.expect("it takes back what it has given away", "inside preempts, outside preempts", "",
		"ok=false, inside declined as Master, outside accepted as Backup, this director is not in standby, since no other one has taken over all virtual routers: see to that one, or give --force")
	if !h.mayRun() {
		t.Error("it stands back all the same")
	}
}

func TestAStandbyOfABackupBeginsAtOnce(t *testing.T) {
	h := helmOf(t)
	h.hearOf("inside", vrrp.Backup)
	h.hearOf("outside", vrrp.Initialize)
	h.standBy(0)
	h.ended("inside", vrrp.NotMaster, vrrp.Backup)
	h.ended("outside", vrrp.NotMaster, vrrp.Initialize)
	h.saved(nil)
	h.expect("", "inside preempts, outside preempts", "", "ok=true, inside not_master as Backup, outside not_master as Initialize")
	if h.mayRun() {
		t.Error("it may be Master")
	}
}

// "We put both into standby, one after the other, and were told twice that it is well."
// What the keeper told last may be old, and whose Master leaves is the next one.
func TestAStandbyOfWhoIsAboutToBeMaster(t *testing.T) {
	for name, inside := range map[string]vrrp.Status{
		"it is Master meanwhile": {State: vrrp.Master},
		"it has heard no Master": {State: vrrp.Backup, Phase: vrrp.Seeking},
		"its Master leaves":      {State: vrrp.Backup, Phase: vrrp.Succeeding, Master: lvs2},
	} {
		h := helmOf(t)
		h.hearOf("inside", vrrp.Backup)
		h.hearOf("outside", vrrp.Initialize)
		h.standBy(0)
		h.ended("outside", vrrp.NotMaster, vrrp.Initialize)
		inside.Name, inside.Offered = "inside", vrrp.Offered{Number: h.core.orders.number, Outcome: vrrp.NotMaster}
		h.handle(RoutersSeen{new(inside), h.statuses[1]})
		if !h.mayRun() || len(h.answers) != 1 || !strings.Contains(h.answers[0], "ok=false") {
			t.Errorf("%s: it may be Master: %t; answered %q", name, h.mayRun(), h.answers)
		}
	}
}

func TestAStandbyThatIsOrderedAgainEndsAtAnotherTime(t *testing.T) {
	h := stoodBy(t, time.Hour)
	h.wait(30 * time.Minute)
	h.standBy(time.Hour)
	h.saved(nil)
	h.expect("again", "inside preempts, outside preempts", "", "ok=true")
	h.wait(59 * time.Minute)
	if h.mayRun() {
		t.Error("it has ended as first ordered")
	}
	h.wait(time.Minute)
	if h.wait(0); !h.mayRun() {
		t.Error("it has not ended as ordered last")
	}
}

func TestAStandbyThatCannotBeRemembered(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(h *helm)
		want string
	}{
		{"the disk is full", func(h *helm) { h.saved(errors.New("no space left on device")) }, "this is not remembered over a restart of lvsd: no space left on device"},
		{"the disk hangs", func(h *helm) { h.wait(saveWithin); h.wait(0) }, "whether this is remembered over a restart of lvsd is not known: the disk with the state directory does not answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := helmOf(t)
			h.hearOf("inside", vrrp.Backup)
			h.hearOf("outside", vrrp.Backup)
			var got []string
			h.handle(StandBy{api.StandbyOrder{}, alice, func(o api.Ordered) { got = append(got, o.Warnings...) }})
			h.ended("inside", vrrp.NotMaster, vrrp.Backup)
			h.ended("outside", vrrp.NotMaster, vrrp.Backup)
			tt.then(h)
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" || h.mayRun() {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// A restart of lvsd does not end it: the routers never run meanwhile.
func TestAStandbyIsKept(t *testing.T) {
	h := helmOf(t)
	h.handle(StandbyKept{By: alice, Since: start.Add(-time.Hour), Until: start.Add(time.Hour)})
	if h.mayRun() {
		t.Error("it may be Master")
	}
	h.wantLines("it says so", "still in standby",
		`level=WARN msg="still in standby, so this director does not become Master: lvsd resume ends that" event=standby-kept user=alice uid=1000 since=2026-11-23T02:00:00.000Z`)
	h.wait(time.Hour)
	if h.wait(0); !h.mayRun() {
		t.Error("it does not end")
	}
}

// One finding tells why no router runs, with who wants that and what ends it.
func TestAStandbyIsOneFinding(t *testing.T) {
	h := stoodBy(t, 2*time.Hour)
	h.statuses[0].Fault, h.statuses[1].Fault = "standby, ordered by alice (uid 1000)", "interface eth0 is down"
	for _, s := range h.statuses {
		s.State, s.Conditions = vrrp.Initialize, []vrrp.Judged{{Name: operatorCondition, Hard: true, Reason: "standby, ordered by alice (uid 1000)"}}
	}
	h.handle(RoutersSeen(h.statuses))
	var got []string
	for _, f := range h.core.Status(h.now, Edges{Keeper: api.Keeper{PID: 1}}).Findings {
		if f.Code == "standby" || f.Code == "router-stands-back" {
			got = append(got, string(f.Severity)+" "+f.Text+": "+f.Remedy)
		}
	}
	at := func(d time.Duration) string { return start.Add(d).Format(time.DateTime) }
	want := []string{
		`error virtual router "outside" cannot be Master: interface eth0 is down: `,
		"warning standby, ordered by alice (uid 1000) at " + at(0) + ": this director does not become Master until " + at(2*time.Hour) +
			", not even if the other one fails: when this director may be Master again, run lvsd resume",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
