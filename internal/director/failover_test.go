package director

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

var alice = api.User{Name: "alice", UID: 1000}

// A helm is a director with two virtual routers that preempt, and an operator.
type helm struct {
	*story
	statuses []*vrrp.Status
	answers  []string
}

func helmOf(t *testing.T) *helm {
	c := clusterOf()
	c.Routers = []vrrp.Config{
		{Name: "inside", Interval: 2 * time.Second, Priority: 150, Preempt: true},
		{Name: "outside", Interval: time.Second, Priority: 150, Preempt: true},
	}
	h := &helm{story: tellOf(t, c)}
	h.hearOf("inside", vrrp.Master)
	h.hearOf("outside", vrrp.Master)
	return h
}

// hearOf has the keeper tell of a router.
func (h *helm) hearOf(router string, state vrrp.State) {
	s := vrrp.Status{Name: router, State: state}
	if state == vrrp.Backup {
		s.Master, s.MasterPriority = lvs2, 100
	}
	for i := range h.statuses {
		if h.statuses[i].Name == router {
			s.Offered = h.statuses[i].Offered
			h.statuses[i] = new(s)
		}
	}
	if len(h.statuses) < 2 {
		h.statuses = append(h.statuses, new(s))
	}
	h.handle(RoutersSeen(append([]*vrrp.Status{}, h.statuses...)))
}

// ended has the keeper tell what became of the newest offer to a router.
func (h *helm) ended(router string, how vrrp.Outcome, state vrrp.State) {
	for i := range h.statuses {
		if h.statuses[i].Name == router {
			h.statuses[i].Offered = vrrp.Offered{Number: h.core.orders.number, Outcome: how}
		}
	}
	h.hearOf(router, state)
}

func (h *helm) answer(o api.Ordered) {
	words := []string{fmt.Sprintf("ok=%t", o.OK)}
	for _, m := range o.Routers {
		words = append(words, fmt.Sprintf("%s %s as %s", m.Router, m.Outcome, m.State))
	}
	words = append(words, o.Ended...)
	if o.Error != "" {
		words = append(words, o.Error)
	}
	h.answers = append(h.answers, strings.Join(words, ", "))
}

func (h *helm) failover(routers ...string) {
	h.handle(Failover{api.FailoverOrder{Routers: routers}, alice, h.answer})
}

// runs is how the keeper was told to run the routers: those that preempt, and offers.
func (h *helm) runs() string {
	var words []string
	for i := range h.desired.Routers {
		if r := &h.desired.Routers[i]; r.Preempt {
			words = append(words, r.Name+" preempts")
		}
	}
	for _, o := range h.desired.Offers {
		words = append(words, fmt.Sprintf("%s offers %d", o.Router, o.Number))
	}
	return strings.Join(words, ", ")
}

// held are the routers that hold back, as status tells.
func (h *helm) held() string {
	var names []string
	for _, r := range h.core.Status(h.now, Edges{}).Routers {
		if r.HeldBack != nil {
			names = append(names, r.Name+" by "+r.HeldBack.By.String())
		}
	}
	return strings.Join(names, ", ")
}

func (h *helm) expect(when, runs, held string, answers ...string) {
	h.Helper()
	if got := h.runs(); got != runs {
		h.Errorf("%s: the keeper was told %q, want %q", when, got, runs)
	}
	if got := h.held(); got != held {
		h.Errorf("%s: held back are %q, want %q", when, got, held)
	}
	if diff := cmp.Diff(answers, h.answers); diff != "" {
		h.Errorf("%s: answers (-want +got):\n%s", when, diff)
	}
	h.answers = nil
}

const byAlice = " by alice (uid 1000)"

func TestFailover(t *testing.T) {
	h := helmOf(t)
	h.failover()
	h.expect("ordered", "inside offers 1, outside offers 1", "")
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	h.expect("one of two", "inside offers 1, outside offers 1", "outside"+byAlice)
	h.ended("inside", vrrp.Accepted, vrrp.Backup)
	h.expect("both", "", "inside"+byAlice+", outside"+byAlice, "ok=true, inside accepted as Backup, outside accepted as Backup")
	h.wantLines("who has ordered it", "failover was ordered",
		`level=INFO msg="a failover was ordered" event=failover-ordered routers="inside, outside" force=false user=alice uid=1000`)

	h.wait(time.Hour)
	h.expect("for as long as the other one is Master", "", "inside"+byAlice+", outside"+byAlice)
	h.hearOf("inside", vrrp.Master)
	h.expect("the other one has failed: who is Master need not hold back", "inside preempts", "outside"+byAlice)
	h.handle(Resume{By: alice, Asker: h.answer})
	h.expect("resumed", "inside preempts, outside preempts", "",
		`ok=true, the failover of virtual router "outside", ordered by alice (uid 1000) 1h0m0s ago`)
	h.handle(Resume{By: alice, Asker: h.answer})
	h.expect("there is nothing more to resume", "inside preempts, outside preempts", "", "ok=true")
}

// "The other director lost its uplink after the failover, and this one, which had it, held
// back until somebody said resume."
func TestAFailoverIsOverWhenTheOtherDirectorGetsWorse(t *testing.T) {
	h := helmOf(t)
	h.failover()
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	h.ended("inside", vrrp.Accepted, vrrp.Backup)
	peer := func(priority uint8) {
		h.statuses[1].MasterPriority = priority // outside
		h.handle(RoutersSeen(append([]*vrrp.Status{}, h.statuses...)))
		h.answers = nil
	}
	for _, priority := range []uint8{100, 0, 120, 120} { // With 0 it leaves, and is followed as before.
		peer(priority)
		h.expect("it is no worse", "", "inside"+byAlice+", outside"+byAlice)
	}
	peer(110)
	h.expect("it is worse than it was", "outside preempts", "inside"+byAlice)
	h.wantLines("why", "holds back no more",
		`level=INFO msg="holds back no more, since the priority of 10.13.0.16, which is Master, has fallen from 120 to 110" event=failover-over router=outside`)
}

func TestFailoverThatNobodyTakes(t *testing.T) {
	h := helmOf(t)
	h.failover()
	h.ended("outside", vrrp.Declined, vrrp.Master)
	h.ended("inside", vrrp.Accepted, vrrp.Backup)
	h.expect("of one of two", "outside preempts", "inside"+byAlice,
		"ok=false, inside accepted as Backup, outside declined as Master, not all virtual routers were handed over")
}

func TestFailoverOfOneRouter(t *testing.T) {
	h := helmOf(t)
	h.failover("outside")
	h.expect("ordered", "inside preempts, outside offers 1", "")
	h.ended("outside", vrrp.LetGo, vrrp.Backup)
	h.expect("let go by force", "inside preempts", "outside"+byAlice, "ok=true, outside let_go as Backup")
}

func TestFailoverOfASyncGroup(t *testing.T) {
	h := helmOf(t)
	c := *h.core.config
	c.Digest, c.Routers = "second", []vrrp.Config{c.Routers[0], c.Routers[1]}
	c.Routers[0].SyncGroup, c.Routers[1].SyncGroup = "both", "both"
	h.reloadTo(&c)
	h.failover("both")
	h.expect("ordered", "inside offers 1, outside offers 1", "")
}

// "We moved the outside address, the inside one went along, and nothing was told of it."
func TestFailoverOfARouterOfASyncGroup(t *testing.T) {
	h := helmOf(t)
	c := *h.core.config
	c.Digest, c.Routers = "second", []vrrp.Config{c.Routers[0], c.Routers[1]}
	c.Routers[0].SyncGroup, c.Routers[1].SyncGroup = "both", "both"
	h.reloadTo(&c)
	h.failover("outside")
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	h.ended("inside", vrrp.Accepted, vrrp.Backup)
	h.expect("both", "", "inside"+byAlice+", outside"+byAlice, "ok=true, inside accepted as Backup, outside accepted as Backup")
}

func TestFailoverOfABackupHasNothingToDo(t *testing.T) {
	h := helmOf(t)
	h.hearOf("outside", vrrp.Backup)
	h.failover("outside")
	h.expect("", "inside preempts, outside preempts", "", "ok=true, outside not_master as Backup")
	// The keeper may know better than what it told last.
	h.hearOf("outside", vrrp.Master)
	h.failover("outside")
	h.ended("outside", vrrp.NotMaster, vrrp.Backup)
	h.expect("it was Backup already", "inside preempts, outside preempts", "", "ok=true, outside not_master as Backup")
}

func TestFailoverOfARouterThatDoesNotPreempt(t *testing.T) {
	h := helmOf(t)
	c := *h.core.config
	c.Digest, c.Routers = "second", []vrrp.Config{{Name: "outside", Interval: time.Second, Priority: 150}}
	h.reloadTo(&c)
	h.failover()
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	h.expect("it holds back by itself", "", "", "ok=true, outside accepted as Backup")
}

// reloadTo has the configuration read again.
func (h *helm) reloadTo(c *config.Config) {
	h.handle(Reload{})
	h.handle(ReadingEnded{h.core.reload.number, Loaded{Config: c}})
}

func TestAReloadForgetsRoutersThatAreGone(t *testing.T) {
	h := helmOf(t)
	h.failover()
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	h.ended("inside", vrrp.Accepted, vrrp.Backup)
	h.answers = nil
	c := *h.core.config
	c.Digest, c.Routers = "second", c.Routers[:1]
	h.reloadTo(&c)
	if len(h.core.orders.held) != 1 || h.runs() != "" {
		t.Errorf("held back are %v; the keeper was told %q", h.core.orders.held, h.runs())
	}
}

func TestFailoversThatAreRefused(t *testing.T) {
	owner := helmOf(t)
	owner.core.config.Routers[1].Priority = 255
	owner.failover()
	owner.expect("an owner", "inside preempts, outside preempts", "",
		`ok=false, virtual router "outside" owns its addresses (priority 255), and an owner always takes them back (RFC 9568 section 6.1): stop lvsd instead, or lower the priority`)

	h := helmOf(t)
	h.failover("outsite")
	h.expect("a name that is not configured", "inside preempts, outside preempts", "", `ok=false, there is no virtual router or sync group "outsite": the virtual routers are inside, outside`)
	h.failover("")
	h.expect("no name", "inside preempts, outside preempts", "", `ok=false, there is no virtual router or sync group "": the virtual routers are inside, outside`)
	h.failover()
	h.failover()
	h.handle(Resume{By: alice, Asker: h.answer})
	h.expect("one at a time", "inside offers 1, outside offers 1", "",
		"ok=false, another failover is under way, ordered by alice (uid 1000): wait until it has ended",
		"ok=false, another failover is under way, ordered by alice (uid 1000): wait until it has ended")
	h.handle(Stop{})
	h.failover()
	h.expect("a stop hands over anyway", "inside offers 1, outside offers 1", "",
		"ok=false, lvsd is stopping", "ok=false, lvsd is stopping, and hands over anyway")

	none := &helm{story: tellOf(t, &config.Config{Director: config.Director{StartDelay: time.Second}})}
	none.failover()
	none.expect("without a router", "", "", "ok=false, no virtual router is configured: this director moves no addresses")
}

// A keeper that hangs is no reason to wait for ever.
func TestAFailoverOfWhichTheKeeperDoesNotTell(t *testing.T) {
	h := helmOf(t)
	h.failover()
	h.ended("inside", vrrp.Accepted, vrrp.Backup)
	h.wait(17*time.Second - 1)
	h.expect("five seconds, and six intervals of the slowest", "inside offers 1, outside offers 1", "inside"+byAlice)
	h.wait(1)
	h.wait(0)
	h.expect("then", "outside preempts", "inside"+byAlice,
		"ok=false, inside accepted as Backup, outside unknown as Master, not all virtual routers were handed over")
}

// "I ordered one failover, and got a finding for each of forty routers." What moves together
// is one finding.
func TestHoldingBackIsAFindingThatNeedsNothing(t *testing.T) {
	held := &api.Held{By: alice, Since: start}
	routers := []api.Router{{Name: "outside", HeldBack: held}, {Name: "east", SyncGroup: "nat", HeldBack: held}, {Name: "inside"}, {Name: "west", SyncGroup: "nat", HeldBack: held}}
	var got findings
	got.heldBack(routers)
	var want findings
	for _, subject := range []string{`virtual router "outside"`, `sync group "nat"`} {
		want = append(want, api.Finding{Code: "holds-back", Severity: api.Info, Subject: subject,
			Text:   subject + ` leaves its role to the other director while that one is Master and its priority does not fall, since a failover was ordered by alice (uid 1000) at ` + start.Format(time.DateTime),
			Remedy: "to let it preempt again, run lvsd resume"})
	}
	if !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
}

// A router that has resources to stop may take so long before it offers its role.
func TestAFailoverWaitsForWhatIsStoppedBefore(t *testing.T) {
	h := helmOf(t)
	h.core.config.Routers[1].Leave.Timeout = time.Minute
	h.failover()
	h.wait(time.Minute + 11*time.Second - 1)
	h.expect("a minute, five seconds, and six intervals", "inside offers 1, outside offers 1", "")
	h.wait(1)
	h.wait(0)
	h.expect("then", "inside preempts, outside preempts", "",
		"ok=false, inside unknown as Master, outside unknown as Master, not all virtual routers were handed over")
}

// What became of one failover says nothing of the next.
func TestTheOutcomeOfAnEarlierFailoverIsNotTaken(t *testing.T) {
	h := helmOf(t)
	h.failover("outside")
	h.ended("outside", vrrp.Declined, vrrp.Master)
	h.expect("nobody took it", "inside preempts, outside preempts", "", "ok=false, outside declined as Master, not all virtual routers were handed over")
	h.failover("outside")
	h.expect("ordered again", "inside preempts, outside offers 2", "")
	h.ended("outside", "", vrrp.Master)
	h.expect("the keeper knows of the order, and of nothing else", "inside preempts, outside offers 2", "")
	h.ended("outside", vrrp.Accepted, vrrp.Backup)
	h.expect("taken", "inside preempts", "outside"+byAlice, "ok=true, outside accepted as Backup")
}

// The keeper is not told what has not changed for it.
func TestAFailoverOfBackupsIsNoNewsForTheKeeper(t *testing.T) {
	h := helmOf(t)
	h.hearOf("outside", vrrp.Backup)
	h.lines = nil
	h.failover("outside")
	h.want("ordered", "info failover-ordered")
}

func TestAMoveTellsWhoIsMasterNowAndWhyNot(t *testing.T) {
	backup := vrrp.Status{State: vrrp.Backup, Master: lvs2, MasterPriority: 100, Offered: vrrp.Offered{Reason: "nobody is better"}}
	master := backup
	master.State = vrrp.Master
	for _, tt := range []struct {
		name string
		how  vrrp.Outcome
		s    vrrp.Status
		want api.Move
	}{
		{"the other director has taken the role", vrrp.Accepted, backup, api.Move{State: "Backup", Master: lvs2, MasterPriority: 100}},
		{"this one is Master still", vrrp.Declined, master, api.Move{State: "Master"}},
		{"this one has kept the role", vrrp.Kept, master, api.Move{State: "Master", Reason: "nobody is better"}},
	} {
		tt.want.Router, tt.want.Outcome = "outside", string(tt.how)
		if got := moveOf("outside", tt.how, &tt.s); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
