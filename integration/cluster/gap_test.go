package cluster

import (
	"slices"
	"testing"
	"time"
)

// at is a moment of a test.
func at(ms int) time.Time { return time.UnixMilli(int64(ms)) }

// answered are requests, one each 2 ms from a moment to before another, whose
// answers arrived so many milliseconds later.
func answered(from, to, after int) (echoes []echo) {
	for ms := from; ms < to; ms += 2 {
		echoes = append(echoes, echo{at(ms), at(ms + after)})
	}
	return echoes
}

// unanswered are requests that got no answer.
func unanswered(from, to int) (echoes []echo) {
	for _, e := range answered(from, to, 0) {
		echoes = append(echoes, echo{sent: e.sent})
	}
	return echoes
}

// queued are requests that were all answered at one moment.
func queued(from, to, when int) (echoes []echo) {
	for _, e := range answered(from, to, 0) {
		echoes = append(echoes, echo{e.sent, at(when)})
	}
	return echoes
}

func TestGapIsTheTimeInWhichTheAddressDidNotAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		echoes [][]echo
		want   int // milliseconds
	}{
		{"every echo answered", [][]echo{answered(0, 1000, 1)}, 0},
		{"one lost", [][]echo{answered(0, 10, 1), unanswered(10, 12), answered(12, 100, 1)}, 2},
		{"some lost in a row", [][]echo{answered(0, 10, 1), unanswered(10, 310), answered(310, 1000, 1)}, 300},
		{"the longest of several", [][]echo{unanswered(0, 20), answered(20, 30, 1), unanswered(30, 80), answered(80, 100, 1), unanswered(100, 110)}, 50},
		{"one answer in between ends a gap", [][]echo{unanswered(0, 20), answered(20, 22, 1), unanswered(22, 42)}, 20},
		{"never answered since", [][]echo{answered(0, 10, 1), unanswered(10, 500)}, 490},
		{"what was lost before does not count", [][]echo{unanswered(-500, 0), answered(0, 100, 1)}, 0},
		{"nor the part before of one that goes on", [][]echo{unanswered(-500, 30), answered(30, 100, 1)}, 30},

		{"the sender slept, and the address answered", [][]echo{answered(0, 10, 1), answered(510, 600, 1)}, 0},
		{"the sender slept in the middle of sending one", [][]echo{answered(0, 10, 1), answered(10, 12, 500), answered(510, 600, 1)}, 2},
		{"the sender slept before the first lost one", [][]echo{answered(0, 10, 1), unanswered(510, 520), answered(520, 600, 1)}, 10},
		{"the sender slept after the last lost one", [][]echo{answered(0, 10, 1), unanswered(10, 20), answered(520, 600, 1)}, 10},
		{"the sender slept between two lost ones", [][]echo{answered(0, 10, 1), unanswered(10, 20), unanswered(520, 530), answered(530, 600, 1)}, 520},
		{"the sender slept in the middle of sending one, and the next was lost",
			[][]echo{answered(0, 10, 1), answered(10, 12, 499), unanswered(510, 512), answered(512, 600, 1)}, 2},
		{"the sender made up for its sleep", [][]echo{answered(0, 10, 1), unanswered(510, 512), unanswered(510, 512), answered(512, 600, 1)}, 2},

		{"answers a little later", [][]echo{answered(0, 500, 99)}, 0},
		{"answers too late to feel immediate", [][]echo{answered(0, 500, 101), answered(500, 600, 1)}, 500},
		{"a neighbour had to be found first", [][]echo{queued(0, 400, 400), answered(400, 500, 1)}, 300},

		{"the last ones may be answered yet", [][]echo{answered(0, 900, 1), unanswered(900, 1000)}, 0},
		{"and those before may not", [][]echo{answered(0, 800, 1), unanswered(800, 1000)}, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := time.Duration(tt.want) * time.Millisecond
			if got := longestGap(at(0), at(1000), slices.Concat(tt.echoes...)); got != want {
				t.Errorf("longestGap = %v, want %v", got, want)
			}
		})
	}
}

func TestAGapCannotHaveBeenLongerThanNobodyHadAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		echoes [][]echo
		want   int // milliseconds
	}{
		{"every echo answered", [][]echo{answered(0, 1002, 1)}, 2},
		{"some lost in a row", [][]echo{answered(0, 10, 1), unanswered(10, 310), answered(310, 1002, 1)}, 302},
		{"the sender slept", [][]echo{answered(0, 10, 1), answered(510, 1002, 1)}, 502},
		{"it slept before some were lost, and after",
			[][]echo{answered(0, 10, 1), unanswered(210, 310), answered(410, 1002, 1)}, 402},
		{"a late answer is none", [][]echo{answered(0, 10, 1), answered(10, 310, 101), answered(310, 1002, 1)}, 302},
		{"it slept from the beginning", [][]echo{answered(-500, 0, 1), answered(300, 1002, 1)}, 300},
		{"it slept to the end", [][]echo{answered(0, 602, 1)}, 400},
		{"it never asked", nil, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := time.Duration(tt.want) * time.Millisecond
			if got := longestUnanswered(at(0), at(1000), slices.Concat(tt.echoes...)); got != want {
				t.Errorf("longestUnanswered = %v, want %v", got, want)
			}
		})
	}
}

func TestAnAnswerBelongsToTheLastRequestOfItsNumber(t *testing.T) {
	const around = 1<<16 + 3
	e := &Echo{echoes: make([]echo, around)}
	e.note(report{Answers: []answer{
		{2, at(1)},      // the last one
		{0xffff, at(2)}, // three before it
		{3, at(3)},      // of the round before
		{2, at(4)},      // once more
	}})
	for i, want := range map[int]time.Time{around - 1: at(1), 1<<16 - 1: at(2), 3: at(3), 2: {}} {
		if got := e.echoes[i].answered; !got.Equal(want) {
			t.Errorf("request %d was answered at %v, want %v", i, got, want)
		}
	}
}

func TestAnAnswerToNoRequestIsNone(t *testing.T) {
	e := &Echo{echoes: make([]echo, 3)}
	e.note(report{Answers: []answer{{7, at(1)}}})
	for i, have := range e.echoes {
		if !have.answered.IsZero() {
			t.Errorf("request %d was answered at %v, want no answer", i, have.answered)
		}
	}
}
