package probe

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// radiusReply is an answer to a request, made with a secret, and signed.
func radiusReply(request []byte, code byte, secret string) []byte {
	p := append([]byte{code, request[1], 0, 0}, request[4:radiusHead]...)
	p = append(append(p, radiusSignature, 2+md5.Size), make([]byte, md5.Size)...)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[len(p)-md5.Size:], radiusSign(p, secret))
	return authenticated(p, secret)
}

// authenticated puts the authenticator of an answer in the place of its request's.
func authenticated(p []byte, secret string) []byte {
	sum := md5.Sum(append(bytes.Clone(p), secret...))
	copy(p[4:], sum[:])
	return p
}

// radiusUserOf returns what a request asks for, if it is signed.
func radiusUserOf(t *testing.T, request []byte, secret string) (user, password string) {
	p := bytes.Clone(request)
	for at := radiusHead; at < len(p); at += int(p[at+1]) {
		value := p[at+2 : at+int(p[at+1])]
		switch p[at] {
		case radiusUser:
			user = string(value)
		case radiusPassword:
			last := request[4:radiusHead]
			for i := 0; i < len(value); i += 16 {
				key := md5.Sum(append([]byte(secret), last...))
				last = bytes.Clone(value[i : i+16])
				password += string(xor(value[i:i+16], key[:]))
			}
			password = strings.TrimRight(password, "\x00")
		case radiusSignature:
			shown := bytes.Clone(value)
			clear(value)
			copy(p, request[:at+2])
			if signed := radiusSign(slices.Concat(request[:at+2], make([]byte, md5.Size), request[at+2+md5.Size:]), secret); !bytes.Equal(signed, shown) {
				t.Error("the request is not signed")
			}
		}
	}
	return user, password
}

func TestRadius(t *testing.T) {
	t.Parallel()
	const secret = "testing123"
	shared := passwordAt(t, "", secret).Password
	in := checker.Radius{Login: passwordAt(t, "lvsd", canary), Secret: shared}
	long := checker.Radius{Login: passwordAt(t, "lvsd", strings.Repeat("x", 40)), Secret: shared}
	status := checker.Radius{Secret: shared}
	as := func(answer string) checker.Radius {
		o := in
		o.Answer = answer
		return o
	}
	says := func(code byte) func([]byte) []byte {
		return func(request []byte) []byte { return radiusReply(request, code, secret) }
	}
	edited := func(edit func(p []byte) []byte) func([]byte) []byte {
		return func(request []byte) []byte { return edit(radiusReply(request, radiusAccept, secret)) }
	}
	for _, tt := range []struct {
		name    string
		answers func(request []byte) []byte
		asks    checker.Radius
		outcome checker.Outcome
		reason  checker.Reason
		detail  string
	}{
		{"a login", says(radiusAccept), in, checker.Passed, 0, ""},
		{"a login with a long password", says(radiusAccept), long, checker.Passed, 0, ""},
		{"a login that must be rejected", says(radiusReject), as("reject"), checker.Passed, 0, ""},
		{"a challenge", says(radiusChallenge), as("challenge"), checker.Passed, 0, ""},
		{"any answer", says(radiusReject), as("any"), checker.Passed, 0, ""},
		{"the status", says(radiusAccept), status, checker.Passed, 0, ""},
		{"the status of accounting", says(radiusAccounting), status, checker.Passed, 0, ""},
		{"an answer without a signature", func(request []byte) []byte {
			return authenticated(append([]byte{radiusAccept, request[1], 0, radiusHead}, request[4:radiusHead]...), secret)
		}, in, checker.Passed, 0, ""},

		{"a rejection", says(radiusReject), in, checker.Failed, checker.LoginRefused, "the server rejects the login"},
		{"no rejection", says(radiusAccept), as("reject"), checker.Failed, checker.WrongAnswer, "the server answers the login with accept, want reject"},
		{"a rejection of the question for the status", says(radiusReject), status, checker.Failed, checker.WrongAnswer, "a packet of code 3"},
		{"an unknown code", says(99), in, checker.Failed, checker.WrongAnswer, "a packet of code 99"},
		{"another secret", func(request []byte) []byte { return radiusReply(request, radiusAccept, "other") }, in, checker.Failed, checker.LoginRefused, "the answer is not made with the secret"},
		{"a code that somebody has changed", edited(func(p []byte) []byte { p[0] = radiusReject; return p }), as("any"), checker.Failed, checker.LoginRefused, "not made with the secret"},
		{"an answer to another request", edited(func(p []byte) []byte { p[1]++; return p }), in, checker.Failed, checker.TimedOut, "1 datagrams came that answer something else"},
		{"bytes after its end do not count", edited(func(p []byte) []byte { return append(p, 1, 2, 3) }), in, checker.Passed, 0, ""},
		{"a length beyond its end", edited(func(p []byte) []byte { p[2] = 0xff; return p }), in, checker.Failed, checker.WrongAnswer, "the answer has 38 bytes and says that it has 65318"},
		{"a length that is too short", edited(func(p []byte) []byte { p[3] = 4; return p }), in, checker.Failed, checker.WrongAnswer, "says that it has 4"},
		{"nothing", func([]byte) []byte { return []byte{} }, in, checker.Failed, checker.WrongAnswer, "the answer has 0 bytes"},
		{"itself", func(request []byte) []byte { return request }, in, checker.Failed, checker.LoginRefused, "not made with the secret"},
		{"a signature that somebody has changed", func(request []byte) []byte {
			p := append([]byte{radiusAccept, request[1], 0, radiusHead + 18}, request[4:radiusHead]...)
			return authenticated(append(append(p, radiusSignature, 18), make([]byte, 16)...), secret)
		}, in, checker.Failed, checker.LoginRefused, "signature (Message-Authenticator) is not made with the secret"},
		{"an attribute without a length", func(request []byte) []byte {
			p := append([]byte{radiusAccept, request[1], 0, radiusHead + 2}, request[4:radiusHead]...)
			return authenticated(append(p, 18, 0), secret)
		}, in, checker.Failed, checker.WrongAnswer, "an attribute that is longer than the answer"},
		{"silence", func([]byte) []byte { return nil }, in, checker.Failed, checker.TimedOut, "timeout after 400ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { server.Close() })
			go func() {
				buffer := make([]byte, 4096)
				n, from, err := server.ReadFromUDPAddrPort(buffer)
				if err != nil {
					return
				}
				if user, password := radiusUserOf(t, buffer[:n], secret); tt.asks.User != "" && (user != "lvsd" || password != canary && len(password) != 40) {
					t.Errorf("the request is for %q, %q", user, password)
				}
				if p := tt.answers(bytes.Clone(buffer[:n])); p != nil {
					server.WriteToUDPAddrPort(p, from)
				}
			}()
			timeout := patience
			if tt.reason == checker.TimedOut {
				timeout = brief
			}
			got := probeOnce(t, newProber(t), at(server.LocalAddr().(*net.UDPAddr).AddrPort(), tt.asks, timeout))
			if got.Outcome != tt.outcome || got.Reason != tt.reason || !strings.Contains(got.Detail, tt.detail) {
				t.Errorf("%v (%v): %s\nwant %v (%v): %s", got.Outcome, got.Reason, got.Detail, tt.outcome, tt.reason, tt.detail)
			}
		})
	}
	t.Run("another's answer, and then the server's", func(t *testing.T) {
		addr := serveUDP(t, func(request []byte) [][]byte {
			other := radiusReply(request, radiusReject, "other")
			other[1]++
			return [][]byte{other, radiusReply(request, radiusAccept, secret)}
		})
		expect(t, probeOnce(t, newProber(t), at(addr, in, patience)), checker.Passed, "")
	})
	t.Run("a password that is too long", func(t *testing.T) {
		o := in
		o.Login = passwordAt(t, "lvsd", strings.Repeat("x", 129))
		c, err := compileRadius(New(nil), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c(context.Background(), checker.Target{}); err == nil || !strings.Contains(err.Error(), "the password has 129 bytes, and RADIUS has room for 128") {
			t.Error(err)
		}
	})
}

// The example of RFC 2865, section 7.1: the hidden password of a request.
func TestRadiusPassword(t *testing.T) {
	authenticator := []byte("\x0f\x40\x3f\x94\x73\x97\x80\x57\xbd\x83\xd5\xcb\x98\xf4\x22\x7a")
	want := "\x0d\xbe\x70\x8d\x93\xd4\x13\xce\x31\x96\xe4\x3f\x78\x2a\x0a\xee"
	if got := hideRadiusPassword("arctangent", "xyzzy5461", authenticator); string(got) != want {
		t.Errorf("%x, want %x", got, want)
	}
}

// Nothing that comes by UDP is taken for an answer unless the secret made it.
func FuzzRadiusAnswer(f *testing.F) {
	request := newRadiusRequest("lvsd", "secret", "testing123")
	f.Add(radiusReply(request, radiusAccept, "other"))
	f.Add([]byte{2, 0, 0, 20})
	f.Fuzz(func(t *testing.T, answer []byte) {
		if code, err := radiusAnswer(request, answer, "testing123"); err == nil {
			t.Fatalf("%x is an answer with code %d", answer, code)
		}
		signed := append([]byte{radiusAccept, request[1], 0, 0}, request[4:radiusHead]...)
		signed = append(signed, answer...)
		if len(signed) > 4096 {
			return
		}
		binary.BigEndian.PutUint16(signed[2:], uint16(len(signed)))
		radiusAnswer(request, authenticated(signed, "testing123"), "testing123")
	})
}
