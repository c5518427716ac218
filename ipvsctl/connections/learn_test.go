package connections

import (
	"context"
	"encoding/hex"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/ipvsctl"
)

// TestAMarkIsAMessageWithoutConnections, for kernels: of version 1, as long as it says, and
// with nothing else in its head.
func TestAMarkIsAMessageWithoutConnections(t *testing.T) {
	m := mark{round: 0x0102030405060708, ends: true}
	const want = "00330018" + "00010000" + "6c767364" + "02000000" + "0102030405060708"
	if got := hex.EncodeToString(m.bytes(51)); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
}

func FuzzParseMark(f *testing.F) {
	f.Add(mark{round: 7}.bytes(51), uint8(51))
	f.Add(mark{round: 1 << 63, ends: true}.bytes(0), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, id uint8) {
		m, ok := parseMark(b, id)
		if ok && string(m.bytes(b[1])) != string(b) {
			t.Errorf("%x is %+v", b, m)
		}
	})
}

func TestWhoListensForAWholeRoundHasLearned(t *testing.T) {
	begins, ends := func(round uint64) []byte { return mark{round: round}.bytes(51) }, func(round uint64) []byte { return mark{round: round, ends: true}.bytes(51) }
	for _, tt := range []struct {
		name  string
		heard [][]byte
		begun int
		whole bool
	}{
		{"a round", [][]byte{begins(1), ends(1)}, 1, true},
		{"the end of a round that began before", [][]byte{ends(1)}, 0, false},
		{"the round after that", [][]byte{ends(1), begins(2), ends(2)}, 1, true},
		{"a round that was given up, and the next one", [][]byte{begins(1), begins(2), ends(2)}, 2, true},
		{"two directors that tell", [][]byte{begins(1), begins(2), ends(1)}, 2, false},
		{"a cluster with another id", [][]byte{mark{round: 1}.bytes(7), mark{round: 1, ends: true}.bytes(7)}, 0, false},
		{"anything else", [][]byte{begins(1)[:20], append(ends(1), 0), []byte("nonsense")}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{heard: make(chan []byte)}
				ctx, cancel := context.WithCancel(t.Context())
				begun, learned := 0, make(chan error, 1)
				go func() {
					learned <- NewTeller(n, nil).Learn(ctx, ipvsctl.SyncDaemon{ID: 51}, func() { begun++ })
				}()
				for _, b := range tt.heard {
					n.heard <- b
				}
				synctest.Wait()
				whole := len(learned) > 0
				cancel()
				if err := <-learned; begun != tt.begun || whole != tt.whole || whole != (err == nil) || !whole && !errors.Is(err, context.Canceled) {
					t.Errorf("%d rounds have begun, and it has learned: %v, %v", begun, whole, err)
				}
			})
		})
	}
}

// TestATellerMarksItsRounds: two in a row have different numbers.
func TestATellerMarksItsRounds(t *testing.T) {
	n := &network{room: 1472}
	for i := range 2 {
		what := &Telling{Table: web(), Rate: 1e6}
		teller := NewTeller(n, nil)
		teller.Set(what)
		if r := teller.round(t.Context(), what, time.Unix(int64(i), 0)); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	if len(n.marks) != 4 || n.marks[0].ends || n.marks[0].round != n.marks[1].round || !n.marks[1].ends || n.marks[2].round == n.marks[0].round {
		t.Errorf("it has marked %+v", n.marks)
	}
	n.broken.Store(true)
	what := &Telling{Table: web(), Rate: 1e6}
	if r := NewTeller(n, nil).round(t.Context(), what, time.Unix(7, 0)); r.Err == nil || len(n.marks) != 4 {
		t.Errorf("a round whose list cannot be read: %v, marked %+v", r.Err, n.marks[4:])
	}
}
