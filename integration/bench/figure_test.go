package main

import (
	"testing"
	"time"
)

func TestAGoalIsMet(t *testing.T) {
	for _, tt := range []struct {
		name       string
		goal       *Goal
		lvsd, peer []float64
		want       bool
	}{
		{"by a median at the bound", atMost(2), []float64{1, 2, 9}, nil, true},
		{"not by one above", atMost(2), []float64{1, 2.1, 2.2}, nil, false},
		{"not without a run", atMost(2), nil, nil, false},
		{"by a ratio at the bound", ratioAtMost(0.5), []float64{1}, []float64{2}, true},
		{"by a ratio that is printed as the bound", ratioAtMost(1), []float64{54}, []float64{53}, true},
		{"not by one above", ratioAtMost(1), []float64{3}, []float64{2}, false},
		{"not without the peer", ratioAtMost(1), []float64{3}, nil, false},
		{"by no failure where the peer has none", ratioAtMost(1), []float64{0}, []float64{0}, true},
		{"not by a failure where the peer has none", ratioAtMost(1), []float64{1}, []float64{0}, false},
		{"by what the peer never does", ratioAtMost(1), []float64{9}, []float64{never, never, 1}, true},
		{"not by what never happens to either", ratioAtMost(1), []float64{never}, []float64{never}, false},
		{"not by what never happens to lvsd", ratioAtMost(1), []float64{1, never}, []float64{1}, false},
		{"by each run", always(1), []float64{1, 1, 1}, nil, true},
		{"not by the median alone", always(1), []float64{0, 1, 2}, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := Figure{LVSD: tt.lvsd, Peer: tt.peer, Goal: tt.goal}
			if got := f.met(); got != tt.want {
				t.Errorf("met: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAServerFailsAtAnotherMomentInEachRunAndNeverWithACheck(t *testing.T) {
	var moments []time.Duration
	for run := range 5 {
		m := phase(run, time.Second)
		if m < 100*time.Millisecond || m > 900*time.Millisecond {
			t.Errorf("run %d: %v after a check, want 100 ms from this one and the next", run, m)
		}
		for _, before := range moments {
			if (m - before).Abs() < 50*time.Millisecond {
				t.Errorf("run %d: %v after a check, and another run %v", run, m, before)
			}
		}
		moments = append(moments, m)
	}
}

func TestTheFirstPacketOfAConnectionIsKnownByItsFlags(t *testing.T) {
	const fin, syn, rst, ack = 1, 2, 4, 16
	packet := func(options int, flags byte) []byte {
		p := make([]byte, 20+options+20)
		p[0] = 4<<4 | byte(5+options/4)
		p[20+options+13] = flags
		return p
	}
	for _, tt := range []struct {
		name   string
		packet []byte
		want   bool
	}{
		{"SYN", packet(0, syn), true},
		{"SYN, with IP options", packet(8, syn), true},
		{"SYN, ACK", packet(0, syn|ack), false},
		{"ACK", packet(0, ack), false},
		{"RST", packet(0, rst), false},
		{"FIN, ACK", packet(0, fin|ack), false},
		{"nothing", nil, false},
		{"cut short", packet(0, syn)[:30], false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := begins(tt.packet); got != tt.want {
				t.Errorf("begins: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRowsOfTheKernel(t *testing.T) {
	const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A0D00C8:03E8 wrr
  -> AC100002:0050      Masq    2      0          7
  -> AC100001:0050      Masq    1      0          0
  -> AC100003:0050      Masq    1      0          0
`
	right, others := countRows([]byte(text), fleet{services: 1}.procRows())
	if right != 2 || others != 1 {
		t.Errorf("%d rows are right, %d others, want 2 and 1", right, others)
	}
}
