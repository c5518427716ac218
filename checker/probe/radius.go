package probe

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.Radius{}, compileRadius) }

// A radius is a check of a RADIUS server made ready to run.
type radius struct {
	checker.Radius
	login, secret login
}

// compileRadius returns the run that passes when a server answers as it should.
func compileRadius(p *Prober, o checker.Radius) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c := &radius{Radius: o, login: newLogin(p.passwords, o.Login), secret: newLogin(p.passwords, checker.Login{Password: o.Secret})}
	return c.run, nil
}

func (c *radius) run(ctx context.Context, t checker.Target) (found, error) {
	secret, err := c.secret.password(ctx)
	if err != nil {
		return found{}, err
	}
	password, err := c.login.password(ctx)
	switch {
	case err != nil:
		return found{}, err
	case len(password) > checker.MaxRadius:
		return found{}, notRun(fmt.Errorf("the password has %d bytes, and RADIUS has room for %d", len(password), checker.MaxRadius))
	}
	request := newRadiusRequest(c.User, password, secret)
	answer, err := exchange(ctx, netip.AddrPortFrom(t.Addr, t.Port), request, func(b []byte) bool { return answersRadius(b, request) })
	if err != nil {
		return found{}, err
	}
	code, err := radiusAnswer(request, answer, secret)
	if err == nil {
		err = c.judge(code)
	}
	return found{}, err
}

// Codes of packets, and types of their attributes (RFC 2865, RFC 3579, RFC 5997).
const (
	radiusRequest    = 1
	radiusAccept     = 2
	radiusReject     = 3
	radiusAccounting = 5
	radiusChallenge  = 11
	radiusStatus     = 12

	radiusUser       = 1
	radiusPassword   = 2
	radiusService    = 6
	radiusIdentifier = 32
	radiusSignature  = 80
)

// radiusHead is how long the head of a packet is: a code, an id, a length, and an
// authenticator.
const radiusHead = 20

// newRadiusRequest returns a request for access, or for the status where there is no user.
func newRadiusRequest(user, password, secret string) []byte {
	p := make([]byte, radiusHead, 512)
	p[0] = radiusStatus
	rand.Read(p[4:radiusHead])
	p[1] = p[4] // any id: each request has a port of its own
	add := func(kind byte, value []byte) { p = append(append(p, kind, byte(2+len(value))), value...) }
	if user != "" {
		p[0] = radiusRequest
		add(radiusUser, []byte(user))
		add(radiusPassword, hideRadiusPassword(password, secret, p[4:radiusHead]))
		const authenticateOnly = 8
		add(radiusService, []byte{0, 0, 0, authenticateOnly})
	}
	add(radiusIdentifier, []byte("lvsd"))
	add(radiusSignature, make([]byte, md5.Size))
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[len(p)-md5.Size:], radiusSign(p, secret))
	return p
}

// hideRadiusPassword hides a password in blocks (RFC 2865, section 5.2).
func hideRadiusPassword(password, secret string, authenticator []byte) []byte {
	hidden := make([]byte, max(1, (len(password)+15)/16)*16)
	copy(hidden, password)
	last := authenticator
	for i := 0; i < len(hidden); i += 16 {
		key := md5.Sum(append([]byte(secret), last...))
		last = xor(hidden[i:i+16], key[:])
	}
	return hidden
}

// radiusSign returns the signature of a packet, whose own place has zeros (RFC 3579,
// section 3.2).
func radiusSign(p []byte, secret string) []byte {
	h := hmac.New(md5.New, []byte(secret))
	h.Write(p)
	return h.Sum(nil)
}

// answersRadius reports whether a datagram may be the answer to a request: it has its id,
// or too few bytes for one. Whether it is the server's, the secret tells.
func answersRadius(b, request []byte) bool { return len(b) < radiusHead || b[1] == request[1] }

// radiusAnswer returns the code of an answer to a request, if it is the server's: its
// authenticator, and its signature where it has one, are made with the secret.
func radiusAnswer(request, answer []byte, secret string) (code byte, err error) {
	if len(answer) < radiusHead {
		return 0, fmt.Errorf("the answer has %d bytes, and a packet of RADIUS has %d at least", len(answer), radiusHead)
	}
	n := int(binary.BigEndian.Uint16(answer[2:]))
	if n < radiusHead || n > len(answer) {
		return 0, fmt.Errorf("the answer has %d bytes and says that it has %d", len(answer), n)
	}
	answer = answer[:n]
	shown := bytes.Clone(answer[4:radiusHead])
	answer = slices.Concat(answer[:4], request[4:radiusHead], answer[radiusHead:])
	want := md5.Sum(append(bytes.Clone(answer), secret...))
	if !hmac.Equal(want[:], shown) {
		return 0, because(checker.LoginRefused, errors.New("the answer is not made with the secret: the server has another one for this director, or it is somebody else's"))
	}
	if err := radiusSigned(answer, secret); err != nil {
		return 0, err
	}
	return answer[0], nil
}

// radiusSigned checks the attributes of an answer, which has the request's authenticator.
func radiusSigned(answer []byte, secret string) error {
	for at := radiusHead; at < len(answer); {
		if at+2 > len(answer) || answer[at+1] < 2 || at+int(answer[at+1]) > len(answer) {
			return errors.New("the answer has an attribute that is longer than the answer")
		}
		value := answer[at+2 : at+int(answer[at+1])]
		if answer[at] == radiusSignature && len(value) == md5.Size {
			shown := bytes.Clone(value)
			clear(value)
			if !hmac.Equal(shown, radiusSign(answer, secret)) {
				return because(checker.LoginRefused, errors.New("the answer's signature (Message-Authenticator) is not made with the secret"))
			}
			return nil
		}
		at += int(answer[at+1])
	}
	return nil
}

// judge returns what is wrong with an answer.
func (c *radius) judge(code byte) error {
	is := map[byte]string{radiusAccept: "accept", radiusReject: "reject", radiusChallenge: "challenge"}[code]
	want := c.Answer
	if want == "" {
		want = "accept"
	}
	switch {
	case c.User == "" && (code == radiusAccept || code == radiusAccounting):
		return nil
	case c.User == "":
		return fmt.Errorf("the server answers the question for its status with a packet of code %d", code)
	case is == "":
		return fmt.Errorf("the server answers the login with a packet of code %d", code)
	case is == want || want == "any":
		return nil
	case is == "reject":
		return because(checker.LoginRefused, errors.New("the server rejects the login"))
	}
	return fmt.Errorf("the server answers the login with %s, want %s", is, want)
}
