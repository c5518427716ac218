package link

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/fault"
)

// A datagram is what the kernel answers with.
type datagram []byte

// with appends a message to a datagram.
func (d datagram) with(kind, flags uint16, sequence uint32, data []byte) datagram {
	start := len(d)
	d = append(appendHeader(d, kind, flags, sequence), data...)
	binary.NativeEndian.PutUint32(d[start:], uint32(len(d)-start))
	for len(d)%4 != 0 {
		d = append(d, 0)
	}
	return d
}

// code is the data of an acknowledgement, or of the end of a list.
func code(errno unix.Errno) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(-int32(errno)))
}

// anAddress is the data of a message of an address of ours.
func anAddress() []byte {
	m := appendAddress(nil, 0, 0, assignment{index: 7, prefix: netip.MustParsePrefix("10.9.0.200/24")})
	return m[unix.SizeofNlMsghdr:]
}

// answered are requests that are answered with these datagrams, each exchange with the next
// ones. What is said in answer to nobody has another sequence number.
func answered(t *testing.T, exchanges ...func(sequence uint32) []datagram) *requests {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetsockoptTimeval(ends[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 50_000})
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		b := make([]byte, 64<<10)
		for _, answer := range exchanges {
			n, err := unix.Read(ends[1], b)
			if err != nil || n < unix.SizeofNlMsghdr {
				return
			}
			for _, d := range answer(binary.NativeEndian.Uint32(b[8:])) {
				if _, err := unix.Write(ends[1], d); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	t.Cleanup(func() {
		_ = unix.Shutdown(ends[0], unix.SHUT_RDWR)
		<-done
		_ = unix.Close(ends[0])
		_ = unix.Close(ends[1])
	})
	return &requests{fd: ends[0], answers: make([]byte, 8<<10)}
}

// A list of our addresses is whole, or an error: one that was taken for whole and lacks an
// address would leave it behind for ever.
func TestAListOfAddressesIsWholeOrAnError(t *testing.T) {
	whole := func(seq uint32) []datagram {
		return []datagram{
			datagram(nil).with(unix.RTM_NEWADDR, unix.NLM_F_MULTI, seq, anAddress()),
			datagram(nil).with(unix.NLMSG_DONE, unix.NLM_F_MULTI, seq, code(0)),
		}
	}
	one := func(kind, flags uint16, data []byte) func(uint32) []datagram {
		return func(seq uint32) []datagram { return []datagram{datagram(nil).with(kind, flags, seq, data)} }
	}
	for _, tt := range []struct {
		name    string
		answers []func(uint32) []datagram
		want    int
		err     error
		kind    string
	}{
		{"whole", []func(uint32) []datagram{whole}, 1, nil, ""},
		{"refused", []func(uint32) []datagram{one(unix.NLMSG_ERROR, 0, code(unix.EBUSY))}, 0, unix.EBUSY, "EBUSY"},
		{"ended by an error", []func(uint32) []datagram{one(unix.NLMSG_DONE, unix.NLM_F_MULTI, code(unix.ENOMEM))}, 0, unix.ENOMEM, "ENOMEM"},
		{"without an end", []func(uint32) []datagram{one(unix.RTM_NEWADDR, unix.NLM_F_MULTI, anAddress())}, 0, nil, fault.NoAnswer},
		{"an address cut short", []func(uint32) []datagram{one(unix.RTM_NEWADDR, unix.NLM_F_MULTI, anAddress()[:6])}, 0, nil, fault.NoAnswer},
		{"an attribute cut short", []func(uint32) []datagram{func(seq uint32) []datagram {
			return []datagram{datagram(nil).with(unix.RTM_NEWADDR, 0, seq, anAddress()[:14]).with(unix.NLMSG_DONE, 0, seq, code(0))}
		}}, 0, nil, fault.CutShort},
		{"an end cut short", []func(uint32) []datagram{one(unix.NLMSG_DONE, unix.NLM_F_MULTI, nil)}, 0, nil, fault.CutShort},
		{"half a message", []func(uint32) []datagram{func(seq uint32) []datagram { return []datagram{whole(seq)[0][:20]} }}, 0, nil, fault.CutShort},
		{"more than there is room for", []func(uint32) []datagram{func(seq uint32) []datagram {
			return []datagram{slices.Concat(whole(seq)[0], make([]byte, 9<<10))}
		}}, 0, nil, fault.CutShort},
		{"no answer", []func(uint32) []datagram{func(uint32) []datagram { return nil }}, 0, nil, fault.NoAnswer},
		{"changed meanwhile, and then whole", []func(uint32) []datagram{func(seq uint32) []datagram {
			return []datagram{datagram(nil).with(unix.RTM_NEWADDR, unix.NLM_F_DUMP_INTR, seq, anAddress()).with(unix.NLMSG_DONE, unix.NLM_F_DUMP_INTR, seq, code(0))}
		}, whole}, 1, nil, ""},
		{"after a late answer to somebody else", []func(uint32) []datagram{func(seq uint32) []datagram {
			return append([]datagram{datagram(nil).with(unix.NLMSG_DONE, 0, seq-9, code(0))}, whole(seq)...)
		}}, 1, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			own, err := answered(t, tt.answers...).own()
			kind := ""
			var known interface{ FaultKind() string }
			if errors.As(fault.Of(err), &known) {
				kind = known.FaultKind()
			}
			if kind != tt.kind || tt.err != nil && !errors.Is(err, tt.err) || err == nil && len(own) != tt.want {
				t.Errorf("%d addresses, error %v of the kind %q; want %d, %v, %q", len(own), err, kind, tt.want, tt.err, tt.kind)
			}
		})
	}
}

// After an exchange whose answers found no room, the next one is as any.
func TestAnswersThatFindNoRoom(t *testing.T) {
	r, err := openRequests()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(r.fd) })
	if err := unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
		t.Fatal(err)
	}
	nowhere := func(int) assignment {
		return assignment{index: 1 << 30, prefix: netip.MustParsePrefix("10.9.0.200/24"), preferred: forever, valid: forever}
	}
	if refused, err := r.renew(renewedAtOnce, nowhere); !errors.Is(err, unix.ENOBUFS) {
		t.Errorf("%d refused, error %v, want ENOBUFS", len(refused), err)
	}
	if refused, err := r.renew(1, nowhere); err != nil || refused[0] != unix.ENODEV {
		t.Errorf("afterwards: refused %v, error %v", refused, err)
	}
	if _, err := r.own(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Whatever the kernel answers, no decoder panics or reads beyond it.
func FuzzAnswers(f *testing.F) {
	full := datagram(nil).with(unix.RTM_NEWADDR, unix.NLM_F_MULTI, 1, anAddress()).with(unix.NLMSG_DONE, unix.NLM_F_MULTI, 1, code(0))
	for n := 0; n <= len(full); n += 2 {
		f.Add([]byte(full[:n]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := syscall.ParseNetlinkMessage(b)
		if err != nil {
			return
		}
		for i := range all {
			if _, ok, err := ownedOf(&all[i]); ok && err != nil {
				t.Errorf("an address and an error: %v", err)
			}
			_ = refusalOf(&all[i])
		}
	})
}
