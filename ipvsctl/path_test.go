package ipvsctl

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// paths are so many, by both methods.
func paths(n int) (all []Path) {
	for i := range n {
		server := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		d := Destination{Forward: Direct, Weight: 7}
		if i%2 == 1 {
			d = Destination{Forward: Tunnel, TunnelType: TunnelGUE, TunnelPort: 5555}
		}
		all = append(all, PathTo(netip.MustParseAddr("10.13.0.200"), server, d))
	}
	return all
}

// marks are those of paths in a table, as a probe finds them.
func marks(t *testing.T, table Table, paths []Path) map[Path]uint32 {
	t.Helper()
	all := make(map[Path]uint32)
	for _, p := range paths {
		mark, err := p.MarkOf(func(key ServiceKey) (Rows[Destination], error) { return table[key].Destinations, nil })
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		all[p] = mark
	}
	return all
}

func TestEachPathHasAPrivateService(t *testing.T) {
	all := append(paths(2), PathTo(netip.MustParseAddr("2001:db8::200"), netip.MustParseAddr("192.168.1.4"), Destination{Forward: Tunnel}))
	got := PrivateServices(append(all, all[0]))
	if len(got) != 3 {
		t.Fatalf("%d services, want one for each path: %v", len(got), got)
	}
	for p, mark := range marks(t, got, all) {
		key := ServiceKey{Addr: p.Family, Mark: mark}
		want := VirtualService{Service{Scheduler: "rr", Flags: OnePacket, Netmask: uint8(p.Family.BitLen())},
			Rows[Destination]{{DestinationKey{Addr: p.Server}, Destination{Forward: p.Forward, Weight: 1, TunnelType: p.TunnelType, TunnelPort: p.TunnelPort}}}}
		if diff := cmp.Diff(want, got[key], cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || !Private(mark) {
			t.Errorf("%v has the mark %d (-want +got):\n%s", p, mark, diff)
		}
	}
}

func TestPrivateMarks(t *testing.T) {
	for mark, want := range map[uint32]bool{0: false, FirstPrivateMark - 1: false, FirstPrivateMark: true, LastPrivateMark: true, LastPrivateMark + 1: false} {
		if Private(mark) != want {
			t.Errorf("%#x is private: %v", mark, !want)
		}
	}
	// Where a mark leads elsewhere, the next one is looked at, and after the last one the first.
	p := paths(1)[0]
	for taken := range LastPrivateMark - FirstPrivateMark + 1 {
		mark, next := p.key(taken).Mark, p.key(taken+1).Mark
		if next != mark+1 && (mark != LastPrivateMark || next != FirstPrivateMark) || !Private(next) {
			t.Fatalf("%#x comes after %#x", next, mark)
		}
	}
}

// With as many as there may be, each has a mark of its own, and is found.
func TestAsManyPathsAsThereMayBe(t *testing.T) {
	all := paths(MaxPaths)
	table := PrivateServices(all)
	if len(table) != MaxPaths {
		t.Errorf("%d services for %d paths", len(table), MaxPaths)
	}
	marks(t, table, all)
}

// A mark that changes takes the check's service out of the kernel's table for a moment.
func TestMarksHardlyChange(t *testing.T) {
	all := paths(1000)
	before := marks(t, PrivateServices(all), all)
	for _, tt := range []struct {
		name string
		are  []Path
	}{
		{"in another order", reversed(all)},
		{"without one of them", all[1:]},
		{"without every tenth", slices.DeleteFunc(slices.Clone(all), func(p Path) bool { return p.Server.As4()[3]%10 == 0 })},
		{"with a hundred more", paths(1100)},
	} {
		changed := 0
		for p, mark := range marks(t, PrivateServices(tt.are), tt.are) {
			if was, known := before[p]; known && was != mark {
				changed++
			}
		}
		if changed > 5 {
			t.Errorf("%s: %d marks of %d have changed", tt.name, changed, len(tt.are))
		}
	}
}

func reversed(all []Path) []Path {
	all = slices.Clone(all)
	slices.Reverse(all)
	return all
}

func TestAPathThatTheTableDoesNotHave(t *testing.T) {
	p := paths(1)[0]
	good := p.row()
	broken := errors.New("the kernel does not answer")
	drained, other, second := good, good, good
	drained.Value.Weight, other.Value.Forward, second.Key.Addr = 0, Tunnel, netip.MustParseAddr("10.9.9.9")
	for _, tt := range []struct {
		name string
		rows Rows[Destination]
		err  error
		want error
	}{
		{"nothing is there", nil, nil, ErrNoPath},
		{"somebody has set its weight to 0", Rows[Destination]{drained}, nil, ErrNoPath},
		{"somebody has changed the method", Rows[Destination]{other}, nil, ErrNoPath},
		{"somebody has added a server", Rows[Destination]{good, second}, nil, ErrNoPath},
		{"the table cannot be read", nil, broken, broken},
	} {
		looks := 0
		_, err := p.MarkOf(func(key ServiceKey) (Rows[Destination], error) {
			if looks++; looks > 1 && key == p.key(0) {
				t.Fatalf("%s: it was looked for there already", tt.name)
			}
			return tt.rows, tt.err
		})
		if !errors.Is(err, tt.want) || looks > maxLooks {
			t.Errorf("%s: %v after %d looks, want %v", tt.name, err, looks, tt.want)
		}
	}
	if got, want := fmt.Sprint(p), "direct to 10.0.0.0"; got != want {
		t.Errorf("it is called %q, want %q", got, want)
	}
}
