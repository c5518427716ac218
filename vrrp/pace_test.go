package vrrp

import (
	"net/netip"
	"testing"
	"time"
)

// A word is an advert that a Backup hears.
type word struct {
	at       time.Duration
	src      netip.Addr
	priority uint8
	interval time.Duration
}

// Attack 2: one packet with a long interval took the address from both directors
// for minutes. The own interval is 1 s, and the own Master_Down 3.609375 s.
func TestOneAdvertDoesNotSilenceABackup(t *testing.T) {
	const skew = 609375 * time.Microsecond // of one second
	const longest = 40950 * time.Millisecond
	for _, tt := range []struct {
		name    string
		version uint8
		words   []word
		want    time.Duration // from the last advert until Master_Down
	}{
		{"RFC 9568 6.4.2: our own interval is believed at once", 3,
			[]word{{0, higher, 150, second}}, 3*second + skew},
		{"the first advert with a longer one: once, and the skew", 3,
			[]word{{0, higher, 150, 5 * second}}, 5*second + 5*skew},
		{"at least our Master_Down", 3,
			[]word{{0, higher, 150, 2 * second}}, 3*second + skew},
		{"at most ten of our intervals, and the skew", 3,
			[]word{{0, higher, 255, longest}}, 10*second + skew},
		{"version 2, 255 s, was 765 s of silence", 2,
			[]word{{0, higher, 255, 255 * second}}, 10*second + skew},
		{"version 2, which RFC 3768 would discard: the second advert at its pace", 2,
			[]word{{0, higher, 150, 5 * second}, {5 * second, higher, 150, 5 * second}}, 15*second + skew},
		{"no interval at all cannot be meant", 2,
			[]word{{0, higher, 150, 0}}, 3*second + skew},
		{"RFC 9568 6.4.2, Active_Adver_Interval: the second advert at its pace", 3,
			[]word{{0, higher, 150, 5 * second}, {5 * second, higher, 150, 5 * second}}, 15*second + 5*skew},
		{"a quarter early is at its pace", 3,
			[]word{{0, higher, 150, 4 * second}, {3 * second, higher, 150, 4 * second}}, 12*second + 4*skew},
		{"a quarter late is at its pace", 3,
			[]word{{0, higher, 150, 4 * second}, {5 * second, higher, 150, 4 * second}}, 12*second + 4*skew},
		{"two at once are not", 3,
			[]word{{0, higher, 255, longest}, {0, higher, 255, longest}}, 10*second + skew},
		{"later is not", 3,
			[]word{{0, higher, 150, 4 * second}, {5100 * time.Millisecond, higher, 150, 4 * second}}, 4*second + 4*skew},
		{"after a lost one, the next", 3,
			[]word{{0, higher, 150, 4 * second}, {6 * second, higher, 150, 4 * second}, {10 * second, higher, 150, 4 * second}}, 12*second + 4*skew},
		{"an answer in between does not matter", 3,
			[]word{{0, higher, 150, 4 * second}, {second, higher, 150, 4 * second}, {4 * second, higher, 150, 4 * second}}, 12*second + 4*skew},
		{"another interval begins anew", 3,
			[]word{{0, higher, 150, 4 * second}, {4 * second, higher, 150, 5 * second}}, 5*second + 5*skew},
		{"each interval has its own pace", 3,
			[]word{{0, lower, 150, 4 * second}, {4 * second, higher, 150, 4 * second}}, 3*second + skew},
		{"what is believed stays so, an answer too", 3,
			[]word{{0, higher, 150, 4 * second}, {4 * second, higher, 150, 4 * second}, {5 * second, higher, 150, 4 * second}}, 12*second + 4*skew},
		{"a shorter one: Master_Down until it was kept", 3,
			[]word{{0, higher, 150, 100 * time.Millisecond}}, 3*second + skew},
		{"a shorter one that was kept", 3,
			[]word{{0, higher, 150, 100 * time.Millisecond}, {100 * time.Millisecond, higher, 150, 100 * time.Millisecond}}, 300*time.Millisecond + skew/10},
		{"a stranger's advert does not replace the interval of the Master that is followed", 3,
			[]word{{0, higher, 150, second}, {second, lower, 255, longest}}, 3*second + skew},
		{"nor one that was learned", 3,
			[]word{{0, higher, 150, 4 * second}, {4 * second, higher, 150, 4 * second}, {5 * second, lower, 255, 100 * time.Millisecond}}, 12*second + 4*skew},
		{"a stranger with our own interval is believed at once", 3,
			[]word{{0, higher, 150, 4 * second}, {4 * second, higher, 150, 4 * second}, {5 * second, lower, 255, second}}, 3*second + skew},
		{"a stranger takes over from a faster Master: at least our Master_Down", 3,
			[]word{{0, higher, 150, 100 * time.Millisecond}, {100 * time.Millisecond, higher, 150, 100 * time.Millisecond}, {150 * time.Millisecond, lower, 255, 2 * second}}, 3*second + skew},
		{"a stranger that keeps its pace is Master", 3,
			[]word{{0, higher, 150, second}, {second, lower, 255, 4 * second}, {5 * second, lower, 255, 4 * second}}, 12*second + 4*skew},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Version = tt.version
			r := NewRouter(c)
			r.Startup(epoch, ours)
			for _, w := range tt.words {
				hearWord(r, w)
			}
			last := tt.words[len(tt.words)-1].at
			if got := afterLate(r).Deadline().Sub(epoch) - last; got != tt.want {
				t.Errorf("Master_Down in %s, want %s", got, tt.want)
			}
		})
	}
}

func hearWord(r *Router, w word) []Action {
	ad := advertOf(w.priority)
	ad.Version, ad.Interval = r.c.Version, w.interval
	return receive(r, at(w.at), w.src, ad)
}

// A disagreement is counted and told, however long the advert is believed.
func TestAnotherIntervalIsCounted(t *testing.T) {
	r := matrixStates["backup"]()
	acts := hearWord(r, word{0, higher, 150, 3 * second})
	if got := r.Status().Counters.Mismatched[ReasonInterval]; got != 1 || script(acts) != "note" {
		t.Errorf("counted %d times, actions %v", got, acts)
	}
}

// The Master that gives way to a forged advert is bounded as a Backup is.
func TestOneAdvertDoesNotSilenceAMaster(t *testing.T) {
	r := matrixStates["master"]()
	hearWord(r, word{0, higher, 255, 40950 * time.Millisecond})
	r.Expire(afterLate(r).Deadline()) // the addresses are released
	if got := afterLate(r).Deadline().Sub(epoch); r.State() != Backup || got != 10*second+609375*time.Microsecond {
		t.Errorf("it is %s, and Master again after %s", r.State(), got)
	}
}

// Two directors disagree by a factor of forty: the one with the short interval
// takes over in between, but not for ever.
func TestASlowMasterIsBelievedInTheEnd(t *testing.T) {
	r := matrixStates["backup"]()
	const slow = 40 * time.Second
	takeovers := 0
	for elapsed := time.Duration(0); elapsed < 400*second; elapsed += slow {
		hearWord(r, word{elapsed, higher, 150, slow})
		for now := r.Deadline(); now.Before(at(elapsed + slow)); now = r.Deadline() {
			if r.Expire(now); r.State() == Master { // The Master answers.
				takeovers++
				receive(r, now, higher, Advert{Version: 3, VRID: 51, Priority: 150, Interval: slow, Addresses: addrs("10.0.0.100")})
			}
		}
	}
	if takeovers == 0 || takeovers > 4 {
		t.Errorf("it took over %d times", takeovers)
	}
}

// Attack 9: whoever says that he leaves is not the Master, so nobody is missing.
func TestPriority0OfAStranger(t *testing.T) {
	for _, tt := range []struct {
		name  string
		words []word
		want  time.Duration // Master_Down after the first
	}{
		{"of the Master that is followed (RFC 9568 6.4.2)", []word{{0, higher, 150, second}, {second, higher, 0, second}}, second + 609375*time.Microsecond},
		{"of somebody else", []word{{0, higher, 150, second}, {second, lower, 0, second}}, 3609375 * time.Microsecond},
		{"of somebody else who was a better Backup a moment before", []word{{0, higher, 150, second}, {second, lower, 120, second}, {second, lower, 0, second}}, 3609375 * time.Microsecond},
		{"of somebody else, while the Master is not overdue", []word{{0, higher, 150, second}, {1250 * time.Millisecond, lower, 120, second}, {1250 * time.Millisecond, lower, 0, second}}, 3609375 * time.Microsecond},
		{"of a worse router", []word{{0, higher, 150, second}, {second, lower, 50, second}, {second, lower, 0, second}}, 3609375 * time.Microsecond},
		{"of anybody, where no Master is known", []word{{0, higher, 0, second}}, 3609375 * time.Microsecond},
		{"of one that took over when the Master was overdue", []word{{0, higher, 150, second}, {3 * second, lower, 120, second}, {4 * second, lower, 0, second}}, 4*second + 609375*time.Microsecond},
		{"of one that the leaving Master made room for", []word{{0, higher, 150, second}, {second, higher, 0, second}, {second, lower, 120, second}, {second, lower, 0, second}}, second + 609375*time.Microsecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := matrixStates["backup"]()
			for _, w := range tt.words {
				hearWord(r, w)
			}
			if got := afterLate(r).Deadline().Sub(epoch); got != tt.want {
				t.Errorf("it takes over at %s, want %s", got, tt.want)
			}
		})
	}
}

// As long as a Backup waits for longer than its own interval demands, it says so.
func TestMasterThatIsOverdue(t *testing.T) {
	const down = 3609375 * time.Microsecond
	r := matrixStates["backup"]()
	if got := r.overdue(at(time.Hour)); got != 0 {
		t.Errorf("nobody was heard: overdue for %s", got)
	}
	hearWord(r, word{0, higher, 255, 40 * second})
	for _, tt := range []struct{ at, want time.Duration }{{0, 0}, {down, 0}, {down + 1, down + 1}, {10 * second, 10 * second}} {
		if got := r.overdue(at(tt.at)); got != tt.want {
			t.Errorf("after %s: overdue for %s, want %s", tt.at, got, tt.want)
		}
	}
	taken := matrixStates["backup, following"]()
	taken.Expire(afterLate(taken).Deadline())
	if got := taken.overdue(at(time.Hour)); taken.State() != Master || got != 0 {
		t.Errorf("it is %s itself: overdue for %s", taken.State(), got)
	}
	hearWord(r, word{11 * second, higher, 0, 40 * second})
	if got := r.overdue(at(15 * second)); got != 0 {
		t.Errorf("it has said that it leaves: overdue for %s", got)
	}
	r.Expire(afterLate(r).Deadline())
	slow := matrixStates["backup"]()
	hearWord(slow, word{0, higher, 150, 8 * second})
	hearWord(slow, word{8 * second, higher, 150, 8 * second})
	if got := slow.overdue(at(18 * second)); got != 0 {
		t.Errorf("a Master that keeps its pace: overdue for %s", got)
	}
	if got := slow.overdue(at(18*second + 1)); got != 10*second+1 {
		t.Errorf("a Master that kept its pace: overdue for %s", got)
	}
	if got := r.overdue(at(time.Hour)); r.State() != Master || got != 0 {
		t.Errorf("as %s: overdue for %s", r.State(), got)
	}
}
