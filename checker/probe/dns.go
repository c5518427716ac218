package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.DNS{}, compileDNS) }

// compileDNS returns the run that passes when a question is answered as expected.
func compileDNS(_ *Prober, o checker.DNS) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Type == "" {
		o.Type = "SOA"
	}
	if o.Code == "" {
		o.Code = "NOERROR"
	}
	for i, a := range o.Answers {
		o.Answers[i], _ = checker.CanonicalRecord(o.Type, a) // It is valid.
	}
	name, err := dnsmessage.NewName(checker.CanonicalDomain(o.Name))
	c := &dnsCheck{o, dnsmessage.Question{Name: name, Type: dnsmessage.Type(checker.DNSTypes[o.Type]), Class: dnsmessage.ClassINET}}
	return c.run, err
}

// A dnsCheck is a DNS check made ready to run.
type dnsCheck struct {
	checker.DNS
	question dnsmessage.Question
}

func (c *dnsCheck) run(ctx context.Context, t checker.Target) (found, error) {
	reply, err := c.ask(ctx, netip.AddrPortFrom(t.Addr, t.Port))
	if err == nil {
		err = because(checker.WrongName, c.judge(reply))
	}
	if err == nil && c.Primary.IsValid() {
		err = c.compare(ctx, reply.serial)
	}
	return found{}, err
}

// judge returns what is wrong with a reply.
func (c *dnsCheck) judge(r dnsReply) error {
	switch {
	case r.code != c.Code:
		return fmt.Errorf("the server answered %s, want %s", r.code, c.Code)
	case c.Code != "NOERROR":
		return nil
	case len(r.records) == 0:
		return fmt.Errorf("the answer has no record of type %s", c.Type)
	}
	for _, want := range c.Answers {
		if !slices.Contains(r.records, want) {
			return fmt.Errorf("the answer has no %s; it has %s", want, someOf(r.records))
		}
	}
	return nil
}

// someOf lists the first few of texts.
func someOf(list []string) string {
	if n := len(list); n > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:3], ", "), n-3)
	}
	return strings.Join(list, ", ")
}

// compare fails if the primary server has a newer serial. While that does not answer
// properly, nobody knows what is the newest, and clients are better served by what
// there is: it has half of the time that is left.
func (c *dnsCheck) compare(ctx context.Context, serial uint32) error {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/2)
	defer cancel()
	primary, err := c.ask(ctx, c.Primary)
	if err == nil && len(primary.records) > 0 && checker.NewerSerial(primary.serial, serial) {
		return fmt.Errorf("the zone's serial is %d, and the one of %v is newer: %d", serial, c.Primary, primary.serial)
	}
	return nil
}

// again is what a probe is doing that asks by TCP what UDP has no room for.
const again = "asking again by TCP, since the answer by UDP was truncated"

// ask asks the question at an address.
func (c *dnsCheck) ask(ctx context.Context, to netip.AddrPort) (dnsReply, error) {
	id := uint16(rand.Uint32())
	request, err := askDNS(id, c.question)
	if err != nil {
		return dnsReply{}, notRun(err)
	}
	if c.TCP {
		return c.askByTCP(ctx, to, id, request)
	}
	answer, err := exchange(ctx, to, request, func(b []byte) bool { return answersDNS(b, id, c.question) })
	if err != nil {
		return dnsReply{}, err
	}
	reply, err := parseDNS(answer, c.question.Type)
	if err != nil || !reply.truncated {
		return reply, err
	}
	if reply, err = c.askByTCP(ctx, to, id, request); err != nil && isNetError(err) {
		err = while(again, err)
	}
	return reply, err
}

// askByTCP sends a request by TCP, where a message follows its length (RFC 1035,
// section 4.2.2).
func (c *dnsCheck) askByTCP(ctx context.Context, to netip.AddrPort, id uint16, request []byte) (r dnsReply, err error) {
	plain, err := dial(ctx, to, false)
	if err != nil {
		return r, err
	}
	defer plain.Close()
	answer, err := roundTripDNS(plain, request)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return r, fmt.Errorf("%w without a whole answer", errClosed)
	case err != nil:
		return r, while("waiting for the answer by TCP", err)
	}
	plain.part(ctx, plain, nil)
	if !answersDNS(answer, id, c.question) {
		return r, errors.New("the server answered another question by TCP")
	}
	return parseDNS(answer, c.question.Type)
}

func roundTripDNS(stream io.ReadWriter, request []byte) ([]byte, error) {
	if _, err := stream.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(request))), request...)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(stream, size[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(stream, answer)
	return answer, err
}
