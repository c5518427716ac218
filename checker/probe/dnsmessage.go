package probe

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/lvsd/lvsd/checker"
)

// A dnsReply is what a server has answered.
type dnsReply struct {
	code      string // one of checker.DNSCodes, or a number
	truncated bool
	records   []string // those of the type that was asked for, as checker.CanonicalRecord has them
	serial    uint32   // of the last one, if that is an SOA
}

// askDNS returns a message with a question.
func askDNS(id uint16, q dnsmessage.Question) ([]byte, error) {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true}, Questions: []dnsmessage.Question{q}}
	return m.Pack()
}

// answersDNS reports whether a message answers a question, by its id and what it
// repeats (RFC 5452, section 9.1). Who cannot read a question repeats none.
func answersDNS(message []byte, id uint16, q dnsmessage.Question) bool {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || !h.Response || h.ID != id {
		return false
	}
	repeated, err := p.Question()
	if err == dnsmessage.ErrSectionDone {
		return h.RCode != dnsmessage.RCodeSuccess
	}
	_, more := p.Question()
	return err == nil && more == dnsmessage.ErrSectionDone && repeated.Type == q.Type && repeated.Class == q.Class &&
		strings.EqualFold(repeated.Name.String(), q.Name.String())
}

// maxRecords bounds how many records of an answer are looked at.
const maxRecords = 256

// parseDNS reads an answer, and its records of a type. Where it is truncated, these do
// not count.
func parseDNS(message []byte, kind dnsmessage.Type) (dnsReply, error) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil {
		return dnsReply{}, unreadableDNS(err)
	}
	r := dnsReply{code: fmt.Sprint("code ", uint16(h.RCode)), truncated: h.Truncated}
	if int(h.RCode) < len(checker.DNSCodes) {
		r.code = checker.DNSCodes[h.RCode]
	}
	if r.truncated || h.RCode != dnsmessage.RCodeSuccess {
		return r, nil
	}
	if err := p.SkipAllQuestions(); err != nil {
		return r, unreadableDNS(err)
	}
	for range maxRecords {
		head, err := p.AnswerHeader()
		switch {
		case err == dnsmessage.ErrSectionDone:
			return r, nil
		case err == nil && (head.Type != kind || head.Class != dnsmessage.ClassINET):
			err = p.SkipAnswer()
		case err == nil:
			err = r.read(&p)
		}
		if err != nil {
			return r, unreadableDNS(err)
		}
	}
	return r, fmt.Errorf("the answer has more than %d records", maxRecords-1)
}

func unreadableDNS(err error) error { return fmt.Errorf("the answer cannot be read: %w", err) }

// read reads the record that is next.
func (r *dnsReply) read(p *dnsmessage.Parser) error {
	record, err := p.Answer()
	if err != nil {
		return err
	}
	if soa, ok := record.Body.(*dnsmessage.SOAResource); ok {
		r.serial = soa.Serial
	}
	r.records = append(r.records, recordText(record.Body))
	return nil
}

// recordText returns the data of a record as checker.CanonicalRecord does.
func recordText(body dnsmessage.ResourceBody) string {
	name := func(n dnsmessage.Name) string { return checker.CanonicalDomain(n.String()) }
	switch b := body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA).String()
	case *dnsmessage.NSResource:
		return name(b.NS)
	case *dnsmessage.CNAMEResource:
		return name(b.CNAME)
	case *dnsmessage.PTRResource:
		return name(b.PTR)
	case *dnsmessage.MXResource:
		return fmt.Sprintf("%d %s", b.Pref, name(b.MX))
	case *dnsmessage.SRVResource:
		return fmt.Sprintf("%d %d %d %s", b.Priority, b.Weight, b.Port, name(b.Target))
	case *dnsmessage.SOAResource:
		return fmt.Sprintf("%s %s %d %d %d %d %d", name(b.NS), name(b.MBox), b.Serial, b.Refresh, b.Retry, b.Expire, b.MinTTL)
	case *dnsmessage.TXTResource:
		return strings.Join(b.TXT, "")
	}
	return ""
}
