package vrrp

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// The keys of the captures.
const (
	captureKey1 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" // in hex
	captureKey2 = "lvsd-test-key-of-thirty-two-byte"
)

func captureKeys(t testing.TB) []Key {
	t.Helper()
	first, err := hex.DecodeString(captureKey1)
	if err != nil {
		t.Fatal(err)
	}
	return []Key{{ID: 1, Secret: NewSecret(string(first))}, {ID: 2, Secret: NewSecret(captureKey2)}}
}

// A keeper that is started anew may have signed until its predecessor died: what it
// signs is later than all of that, and the second that had begun counts.
func TestASequenceLaterByATime(t *testing.T) {
	const seconds = Sequence(1 << 32)
	for _, tt := range []struct {
		later time.Duration
		want  Sequence
	}{
		{0, 7 * seconds},
		{1, 8 * seconds},
		{time.Second, 8 * seconds},
		{time.Second + 1, 9 * seconds},
		{time.Hour, 3607 * seconds},
	} {
		if got := (7*seconds + 3).Add(tt.later); got != tt.want+3 {
			t.Errorf("%v later it is %x, want %x", tt.later, uint64(got), uint64(tt.want+3))
		}
	}
}

// Sequences are in order beyond 2106, when the seconds begin anew. Zero is none, and
// nothing is before that.
func TestTheLatestSequence(t *testing.T) {
	const wrapped, old = Sequence(5 << 32), Sequence(0xffff_fff0 << 32)
	for _, tt := range []struct {
		name   string
		a, b   Sequence
		before bool
		latest Sequence
	}{
		{"one second apart", 6 << 32, 7 << 32, true, 7 << 32},
		{"the other way", 7 << 32, 6 << 32, false, 7 << 32},
		{"the same", 7, 7, false, 7},
		{"over the wrap", old, wrapped, true, wrapped},
		{"the other way over the wrap", wrapped, old, false, wrapped},
		{"none, and one", 0, 7, true, 7},
		{"none, and one that would be before 0", 0, old, false, old},
		{"one, and none", 7, 0, false, 7},
		{"one that would be before 0, and none", old, 0, false, old},
		{"none at all", 0, 0, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.a.Before(tt.b); got != tt.before {
				t.Errorf("before: %t", got)
			}
			if got := latest(tt.a, tt.b); got != tt.latest {
				t.Errorf("the latest is %x, want %x", uint64(got), uint64(tt.latest))
			}
		})
	}
}

// What keepalived 2.4.3 has signed is accepted, and we sign it as it does, byte for
// byte.
func TestTrailersOfKeepalived(t *testing.T) {
	for _, tt := range []struct {
		file   string
		signer uint8
		window time.Duration
	}{
		{"hmac-time.pcap", 1, 5 * time.Second},
		{"hmac-monotonic.pcap", 2, 0},
	} {
		t.Run(tt.file, func(t *testing.T) {
			a := Authentication{Keys: captureKeys(t), Signer: tt.signer, Mode: Enforce, Window: tt.window}
			var theirs, ours seals
			theirs.use(&a)
			ours.use(&a)
			for _, d := range readPcap(t, tt.file) {
				packet := d.payload[:len(d.payload)-trailerLen]
				seq := Sequence(binary.BigEndian.Uint64(d.payload[len(packet)+4:]))
				now := timeOf(seq)
				p, err := theirs.check(&a, now, d.src, d.payload, 0)
				if err != nil || p.key != tt.signer || p.age != 0 {
					t.Errorf("%x: %+v, %v", d.payload, p, err)
				}
				ours.sent = ours.sent.next(a.Window, now)
				if got := ours.sign(slices.Clone(packet), tt.signer, ours.sent, d.src); !bytes.Equal(got, d.payload) {
					t.Errorf("we sign\n%x, keepalived\n%x", got, d.payload)
				}
			}
		})
	}
}

// timeOf is the first moment of which a sequence is.
func timeOf(s Sequence) time.Time {
	fraction := uint64(s >> 16 & 0xffff)
	return time.Unix(int64(s>>32), int64((fraction*1e9+65535)>>16))
}

// Whose clock is wrong is told by the sign.
func TestWhenAnAdvertWasSigned(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0:                "0s ago, by this director's clock",
		6 * time.Second:  "6s ago, by this director's clock",
		-7 * time.Second: "in 7s from now, by this director's clock",
	} {
		if got := moment(age); got != want {
			t.Errorf("%s: %q, want %q", age, got, want)
		}
	}
}

// Whatever is changed on the way is noticed, but for the checksum, which is verified
// before.
func TestNothingOfASignedAdvertCanBeChanged(t *testing.T) {
	d := readPcap(t, "hmac-time.pcap")[0]
	a := Authentication{Keys: captureKeys(t), Mode: Enforce}
	for i := range d.payload {
		for bit := range 8 {
			b := slices.Clone(d.payload)
			b[i] ^= 1 << bit
			var s seals
			s.use(&a)
			_, err := s.check(&a, epoch, d.src, b, 0)
			if inSum := i == checksumAt || i == checksumAt+1; (err == nil) != inSum || len(s.marks) > 0 != inSum {
				t.Errorf("byte %d, bit %d: %v, marks %v", i, bit, err, s.marks)
			}
		}
	}
	var s seals
	s.use(&a)
	if _, err := s.check(&a, epoch, netip.MustParseAddr("10.13.0.14"), d.payload, 0); ReasonOf(err) != ReasonHMACWrong {
		t.Errorf("from another source: %v", err)
	}
}

func TestSequences(t *testing.T) {
	const second = Sequence(1) << 32
	now := time.Unix(1795717203, 500_000_000)
	is := sequenceAt(now)
	wrapped := time.Unix(1<<32+1, 0)
	for _, tt := range []struct {
		name   string
		last   Sequence
		window time.Duration
		now    time.Time
		want   Sequence
	}{
		{"the first one is the time", 0, 0, now, 1795717203*second | 0x80000000},
		{"the next one is the time", is - 7*second, 0, now, is},
		{"the clock stands", is, 5 * time.Second, now, is + 1},
		{"the counter overflows into the fraction", is | 0xffff, 0, now, is + 0x10000},
		{"the clock was set back, within the window", is + 5*second, 5 * time.Second, now, is + 5*second + 1},
		{"the clock was set back by more: receivers would refuse it", is + 6*second, 5 * time.Second, now, is},
		{"the clock was set back, and only the order counts", is + 1000*second, 0, now, is + 1000*second + 1},
		{"the seconds wrap in 2106", 0xffffffff * second, 0, wrapped, 1 * second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.last.next(tt.window, tt.now); got != tt.want {
				t.Errorf("%#x, want %#x", got, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		s    Sequence
		now  time.Time
		want time.Duration
	}{
		{is, now, 0},
		{is, now.Add(3 * time.Second), 3 * time.Second},
		{is, now.Add(-3 * time.Second), -3 * time.Second},
		{0xffffffff * second, wrapped, 2 * time.Second},
	} {
		if got := tt.s.age(tt.now); got != tt.want {
			t.Errorf("%#x is %s old at %s, want %s", tt.s, got, tt.now, tt.want)
		}
	}
}

// What is replayed, as a story of the senders a and b.
func TestMarks(t *testing.T) {
	type step struct {
		sender string
		seq    int // seconds after the epoch
		now    int
		want   bool
	}
	for _, tt := range []struct {
		name   string
		window time.Duration
		limit  int
		steps  []step
	}{
		{"each must come after the last one", 0, 16, []step{{"a", 1, 1, true}, {"a", 1, 1, false}, {"a", 0, 1, false}, {"a", 2, 2, true}, {"a", 1, 2, false}}},
		{"each sender has its own order", 0, 16, []step{{"a", 5, 5, true}, {"b", 1, 5, true}, {"b", 5, 5, true}, {"a", 5, 5, false}}},
		{"one may be lost", 0, 16, []step{{"a", 1, 1, true}, {"a", 9, 9, true}}},
		{"without a window an old one counts for ever", 0, 16, []step{{"a", 900, 900, true}, {"a", 1, 1, false}, {"a", 2, 2, false}, {"a", 901, 901, true}}},
		{"with a window a sender whose clock was set back is heard again", 5 * time.Second, 16, []step{{"a", 900, 900, true}, {"a", 1, 1, true}, {"a", 1, 1, false}}},
		{"within the window it is not", 5 * time.Second, 16, []step{{"a", 6, 6, true}, {"a", 1, 1, false}, {"a", 6, 6, false}, {"a", 7, 7, true}}},
		{"the one heard longest ago is forgotten", 0, 2, []step{{"a", 1, 1, true}, {"b", 1, 1, true}, {"a", 2, 2, true}, {"c", 1, 1, true}, {"a", 2, 2, false}, {"b", 1, 1, true}}},
		{"of one that is refused nothing is noted", 0, 2, []step{{"a", 5, 5, true}, {"b", 1, 1, true}, {"a", 4, 5, false}, {"c", 1, 1, true}, {"b", 1, 1, false}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m marks
			for i, s := range tt.steps {
				sender := netip.AddrFrom4([4]byte{10, 0, 0, s.sender[0]})
				if got := m.advance(sender, sequenceAt(at(time.Duration(s.seq)*time.Second)), tt.limit, tt.window, at(time.Duration(s.now)*time.Second)); got != s.want {
					t.Errorf("step %d, %+v: %t", i+1, s, got)
				}
				if len(m) > tt.limit {
					t.Errorf("step %d: %d are remembered", i+1, len(m))
				}
			}
		})
	}
}

// signing is a configuration with the keys 1 and 2, which signs by the first.
func signing(mode AuthMode, edit func(a *Authentication)) Config {
	c := testConfig()
	c.Authentication = Authentication{Signer: 1, Mode: mode, Window: 5 * time.Second,
		Keys: []Key{{ID: 1, Secret: NewSecret("the first key, of 32 bytes: 1234")}, {ID: 2, Secret: NewSecret("the second key, of 32 bytes: 123")}}}
	if edit != nil {
		edit(&c.Authentication)
	}
	return c
}

// none is a configuration without any authentication.
func none(a *Authentication) { *a = Authentication{} }

// signed is an advert of another director, as it arrives.
func signed(c Config, now time.Time, priority uint8) Packet {
	r := NewRouter(c)
	r.source = higher
	r.c.Priority = priority
	return Packet{Src: higher, Dst: Group4, TTL: TTL, Payload: r.Encode(nil, r.send(now, priority).(Send), Group4)}
}

// What a router makes of adverts, by its own mode and by how they were signed.
func TestWhatIsAcceptedInEachMode(t *testing.T) {
	other := func(a *Authentication) { a.Keys[0].Secret = NewSecret("another key of 32 bytes: 1234567") }
	third := func(a *Authentication) { a.Signer, a.Keys = 3, append(a.Keys, Key{ID: 3, Secret: a.Keys[0].Secret}) }
	second := func(a *Authentication) { a.Signer = 2 }
	ordered := func(a *Authentication) { a.Window = 0 }
	early, late := epoch.Add(-6*time.Second), epoch.Add(6*time.Second)
	edit := func(f func(b []byte)) func(*Packet) {
		return func(p *Packet) { f(p.Payload[len(p.Payload)-trailerLen:]) }
	}
	for _, tt := range []struct {
		name         string
		ours, theirs Config
		at           time.Time // by their clock
		edit         func(*Packet)
		refused      Reason // empty: it is accepted
		differs      Reason
	}{
		{"both enforce", signing(Enforce, nil), signing(Enforce, nil), epoch, nil, "", ""},
		{"the other key is accepted too", signing(Enforce, nil), signing(Enforce, second), epoch, nil, "", ""},
		{"we permit, they enforce", signing(Permissive, nil), signing(Enforce, nil), epoch, nil, "", ""},
		{"we permit, they don't sign yet", signing(Permissive, nil), signing(ReceiveOnly, nil), epoch, nil, "", ReasonUnsigned},
		{"we permit, they have no keys", signing(Permissive, nil), signing(Permissive, none), epoch, nil, "", ReasonUnsigned},
		{"we only receive, they permit", signing(ReceiveOnly, nil), signing(Permissive, nil), epoch, nil, "", ""},
		{"we have no keys, whatever the mode", signing(Enforce, func(a *Authentication) { a.Keys = nil }), signing(Permissive, none), epoch, nil, "", ""},
		{"we have no keys, they permit", signing(Permissive, none), signing(Permissive, nil), epoch, nil, "", ReasonUnverified},
		{"their clock is 5 s behind", signing(Enforce, nil), signing(Enforce, nil), epoch.Add(-5 * time.Second), nil, "", ReasonClock},
		{"their clock is 3 s ahead", signing(Enforce, nil), signing(Enforce, nil), epoch.Add(3 * time.Second), nil, "", ReasonClock},
		{"their clock is 2 s behind", signing(Enforce, nil), signing(Enforce, nil), epoch.Add(-2 * time.Second), nil, "", ""},
		{"only the order counts, and their clock is behind", signing(Enforce, ordered), signing(Enforce, nil), early, nil, "", ""},

		{"we enforce, they don't sign yet", signing(Enforce, nil), signing(ReceiveOnly, nil), epoch, nil, ReasonHMACMissing, ""},
		{"we enforce, they have no keys", signing(Enforce, nil), signing(Enforce, none), epoch, nil, ReasonHMACMissing, ""},
		{"another key of that id", signing(Enforce, nil), signing(Enforce, other), epoch, nil, ReasonHMACWrong, ""},
		{"another key of that id, while we permit", signing(Permissive, nil), signing(Enforce, other), epoch, nil, ReasonHMACWrong, ""},
		{"another key of that id, while we only receive", signing(ReceiveOnly, nil), signing(Enforce, other), epoch, nil, ReasonHMACWrong, ""},
		{"a key that we don't have", signing(Enforce, nil), signing(Enforce, third), epoch, nil, ReasonHMACKey, ""},
		{"their clock is behind", signing(Enforce, nil), signing(Enforce, nil), early, nil, ReasonHMACStale, ""},
		{"their clock is ahead", signing(Enforce, nil), signing(Enforce, nil), late, nil, ReasonHMACStale, ""},
		{"a trailer of another type", signing(Enforce, nil), signing(Enforce, nil), epoch, edit(func(b []byte) { b[0] = 2 }), ReasonHMACMalformed, ""},
		{"reserved bits", signing(Enforce, nil), signing(Enforce, nil), epoch, edit(func(b []byte) { b[3] = 1 }), ReasonHMACMalformed, ""},
		{"more bits reserved", signing(Enforce, nil), signing(Enforce, nil), epoch, edit(func(b []byte) { b[2] = 1 }), ReasonHMACMalformed, ""},
		{"a tag of zeros", signing(Enforce, nil), signing(Enforce, nil), epoch, edit(func(b []byte) { clear(b[tagAt:]) }), ReasonHMACWrong, ""},
		{"the last byte of the tag", signing(Enforce, nil), signing(Enforce, nil), epoch, edit(func(b []byte) { b[trailerLen-1]++ }), ReasonHMACWrong, ""},
		{"28 bytes that are no trailer, and we have no keys", signing(Enforce, none), signing(Enforce, nil), epoch, edit(func(b []byte) { b[0] = 9 }), ReasonLength, ""},
		{"the trailer is cut", signing(Enforce, nil), signing(Enforce, nil), epoch, func(p *Packet) { p.Payload = p.Payload[:len(p.Payload)-1] }, ReasonLength, ""},
		{"a second trailer", signing(Enforce, nil), signing(Enforce, nil), epoch, func(p *Packet) { p.Payload = append(p.Payload, p.Payload[len(p.Payload)-trailerLen:]...) }, ReasonLength, ""},
		{"a count of addresses that includes the trailer", signing(Enforce, nil), signing(Enforce, nil), epoch, func(p *Packet) { p.Payload[3] = 8 }, ReasonChecksum, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRouter(tt.ours)
			r.Startup(epoch, ours)
			p := signed(tt.theirs, tt.at, 200)
			if tt.edit != nil {
				tt.edit(&p)
			}
			r.Receive(epoch, p)
			s := r.Status()
			if accepted := s.Counters.AdvertsReceived == 1; accepted != (tt.refused == "") || accepted != (s.Master == higher) {
				t.Errorf("accepted %t, the Master is %s; want the reason %q: %v", accepted, s.Master, tt.refused, s.Counters.Discarded)
			}
			if tt.refused != "" && (s.Counters.Discarded[tt.refused] != 1 || s.Senders[tt.refused] != higher) {
				t.Errorf("counted %v of %v, want one of the reason %q", s.Counters.Discarded, s.Senders, tt.refused)
			}
			for reason, n := range s.Counters.Mismatched {
				if (n == 1) != (reason == tt.differs) {
					t.Errorf("%d adverts differ in %s, want one in %q", n, reason, tt.differs)
				}
			}
			if want := epoch.Sub(tt.at); tt.edit == nil && len(tt.ours.Authentication.Keys) > 0 && len(tt.theirs.Authentication.Keys) > 0 &&
				tt.theirs.Authentication.Mode != ReceiveOnly && s.SignedAgo != want {
				t.Errorf("it was signed %s ago, want %s", s.SignedAgo, want)
			}
			if tt.refused == "" {
				proved := r.peers[0].key != 0
				r.Receive(epoch, p)
				if n := r.Status().Counters.Discarded[ReasonHMACReplayed]; (n == 1) != proved {
					t.Errorf("the same advert again: %d were refused as replayed, want it %t", n, proved)
				}
			}
		})
	}
}

// Where only signed adverts are accepted, anybody can have sent the others, and who
// answers ARP too would keep a Backup from ever becoming Master.
func TestABackupThatEnforcesStandsAsideForNobody(t *testing.T) {
	old := func(p *Packet) {
		*p = strange(nil)
	}
	for _, tt := range []struct {
		name string
		ours Config
		p    func(now time.Time) Packet
		want bool // it stands aside
	}{
		{"enforce, and the other does not sign", signing(Enforce, nil), func(now time.Time) Packet { return signed(signing(Enforce, none), now, 200) }, false},
		{"enforce, and the other has another version", signing(Enforce, nil), func(time.Time) (p Packet) { old(&p); return p }, false},
		{"permissive, and the other has another version", signing(Permissive, nil), func(time.Time) (p Packet) { old(&p); return p }, true},
		{"permissive, and the other has another key", signing(Permissive, nil), func(now time.Time) Packet {
			return signed(signing(Enforce, func(a *Authentication) { a.Signer = 9 }), now, 200)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRouter(tt.ours)
			r.Startup(epoch, ours)
			for now := epoch; r.State() == Backup && now.Before(at(10*time.Second)); now = now.Add(50 * time.Millisecond) {
				if now.Sub(epoch)%time.Second == 0 {
					r.Receive(now, tt.p(now))
				}
				for _, a := range r.Expire(now) {
					if a, ok := a.(Ask); ok {
						r.Claim(now, Claim{a.Interface, a.Address, "52:54:00:00:00:01"})
					}
				}
			}
			if s := r.Status(); (s.Aside != nil) != tt.want || len(r.peers) > 0 != tt.want {
				t.Errorf("it is %s, stands aside for %+v, and has heard %+v; want %t", s.State, s.Aside, r.peers, tt.want)
			}
		})
	}
}

// The packets of one advert to several peers have one sequence, so that each accepts
// what it gets; the next advert has another one, also where the clock stands.
func TestEachAdvertIsSignedOnce(t *testing.T) {
	r := NewRouter(signing(Enforce, nil))
	r.Startup(epoch, ours)
	first, second := r.send(epoch, 100).(Send), r.send(epoch, 100).(Send)
	to := func(s Send, dst string) []byte { return r.Encode(nil, s, netip.MustParseAddr(dst))[12:] }
	if a, b := to(first, "10.0.0.7"), to(first, "10.0.0.8"); !bytes.Equal(a, b) {
		t.Errorf("one advert to two peers:\n%x\n%x", a, b)
	}
	if !second.Sequence.after(first.Sequence) {
		t.Errorf("sequences %#x, then %#x", first.Sequence, second.Sequence)
	}
	if b := r.Encode([]byte("before"), first, Group4); !bytes.HasPrefix(b, []byte("before1")) || !bytes.HasSuffix(b, to(first, "10.0.0.7")) {
		t.Errorf("appended %x", b)
	}
}

// What the reload of a rotation changes is in force at once, and what was heard stays
// known: nothing can be replayed that was sent before it.
func TestAReloadKeepsWhatWasHeard(t *testing.T) {
	r := NewRouter(signing(Enforce, nil))
	r.Startup(epoch, ours)
	p := signed(signing(Enforce, nil), epoch, 200)
	r.Receive(epoch, p)
	r.Update(epoch, signing(Enforce, func(a *Authentication) { a.Signer = 2 }))
	r.Receive(epoch, p)
	if n := r.Status().Counters.Discarded[ReasonHMACReplayed]; n != 1 {
		t.Errorf("%d were refused as replayed", n)
	}
	r.Update(epoch, signing(Enforce, func(a *Authentication) { a.Signer, a.Keys = 2, a.Keys[1:] }))
	r.Receive(epoch, signed(signing(Enforce, nil), at(time.Second), 200))
	if n := r.Status().Counters.Discarded[ReasonHMACKey]; n != 1 {
		t.Errorf("%d were refused for a key that was removed", n)
	}
	if a := r.send(at(time.Second), 100).(Send); r.Encode(nil, a, Group4)[12+1] != 2 {
		t.Error("it does not sign by the other key")
	}
}

// Whatever prints or encodes what a secret is part of.
func TestASecretIsNotShown(t *testing.T) {
	const text = "the first key, of 32 bytes: 1234"
	c := signing(Enforce, nil)
	r := NewRouter(c)
	r.Startup(epoch, ours)
	s := r.send(epoch, 1)
	var shown strings.Builder
	for _, v := range []any{c, &c, c.Authentication.Keys[0].Secret, &c.Authentication.Keys[0].Secret, Desired{Routers: []Config{c}}, r, *r, s} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&shown, verb+"\n", v)
		}
	}
	if err := json.NewEncoder(&shown).Encode(Desired{Routers: []Config{c}}); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewEncoder(&shown).Encode(c); err != nil {
		t.Fatal(err)
	}
	encoded := fmt.Sprint([]byte(text[:8]))
	for _, hint := range []string{text, text[:8], hex.EncodeToString([]byte(text[:8])), strings.Trim(encoded, "[]")} {
		if strings.Contains(shown.String(), hint) {
			t.Errorf("%q is shown in\n%s", hint, shown.String())
		}
	}
	if got := c.Authentication.Keys[0].Secret.Reveal(); got != text {
		t.Errorf("the secret is %q", got)
	}
	if got := (Secret{}).Reveal(); got != "" {
		t.Errorf("no secret is %q", got)
	}
}

// A key whose text is missing signs nothing that anybody accepts.
func TestASignerThatIsMissing(t *testing.T) {
	c := signing(Enforce, func(a *Authentication) { a.Signer = 9 })
	b := signed(c, epoch, 200).Payload
	if tag := b[len(b)-tagLen:]; !bytes.Equal(tag, make([]byte, tagLen)) {
		t.Errorf("signed by %x", tag)
	}
}
