package probe

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A sipQuestion is a request for a server's abilities, with what its answers must repeat.
type sipQuestion struct {
	uri, from string // of whom it is for, and of who asks
	transport string // as the Via header has it: "UDP", "TCP" or "TLS"
	token     string // by chance
}

// branch is what marks the request on its way; it begins as RFC 3261 demands (section
// 8.1.1.7).
func (q *sipQuestion) branch() string { return "z9hG4bK" + q.token }

func (q *sipQuestion) callID() string { return q.token + "@lvsd" }

// text returns the request, as it comes from an address.
func (q *sipQuestion) text(from netip.AddrPort) []byte {
	host := sipHost(from.Addr())
	own := q.from
	if own == "" {
		own = "sip:lvsd@" + host
	}
	return fmt.Appendf(nil, "OPTIONS %s SIP/2.0\r\n"+
		"Via: SIP/2.0/%s %s:%d;rport;branch=%s\r\n"+
		"Max-Forwards: 70\r\nFrom: <%s>;tag=%s\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n"+
		"Contact: <sip:lvsd@%s:%d;transport=%s>\r\nAccept: application/sdp\r\nUser-Agent: lvsd\r\nContent-Length: 0\r\n\r\n",
		q.uri, q.transport, host, from.Port(), q.branch(), own, q.token, q.uri, q.callID(),
		host, from.Port(), strings.ToLower(q.transport))
}

// sipHost is an address as URIs have it.
func sipHost(a netip.Addr) string {
	if a = a.WithZone(""); a.Is6() && !a.Is4In6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// A sipAnswer is the head of a response.
type sipAnswer struct {
	status                  int
	reason                  string
	branch, callID, command string
	length                  int // of its body; -1: it does not say
}

// final reports whether it is the last answer to its request.
func (a *sipAnswer) final() bool { return a.status >= 200 }

// answers reports whether it is an answer to a question.
func (a *sipAnswer) answers(q *sipQuestion) bool {
	return a.branch == q.branch() && a.callID == q.callID() && a.command == "1 OPTIONS"
}

// sipVersion begins each response.
const sipVersion = "SIP/2.0 "

// errNotSIP is what comes from a server that speaks something else.
var errNotSIP = errors.New("the server does not speak SIP")

// parseSIP reads the head of a response, up to the empty line at its end.
func parseSIP(head []byte) (a sipAnswer, err error) {
	a.length = -1
	lines := strings.Split(strings.ReplaceAll(string(head), "\r\n", "\n"), "\n")
	code, found := strings.CutPrefix(lines[0], sipVersion)
	code, a.reason, _ = strings.Cut(code, " ")
	if a.status, err = strconv.Atoi(code); !found || err != nil || len(code) != 3 || a.status < 100 || a.status > 699 {
		return a, fmt.Errorf("%w: its answer begins with %.40q", errNotSIP, lines[0])
	}
	seen := ""
	for _, line := range unfolded(lines[1:]) {
		name, value, found := strings.Cut(line, ":")
		if !found {
			return a, fmt.Errorf("the answer has a line that is no header: %.40q", line)
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case (name == "via" || name == "v") && !strings.Contains(seen, "v"):
			seen += "v" // Others are of those who stand before us on the way.
			a.branch = branchOf(value)
		case name == "call-id" || name == "i":
			a.callID = value
		case name == "cseq":
			a.command = strings.Join(strings.Fields(value), " ")
		case name == "content-length" || name == "l":
			if a.length, err = strconv.Atoi(value); err != nil || a.length < 0 {
				return a, fmt.Errorf("the answer has an invalid length: %.40q", value)
			}
		}
	}
	return a, nil
}

// unfolded joins the lines of headers that go on in the next line, and ends at an empty
// one.
func unfolded(lines []string) (all []string) {
	for _, line := range lines {
		switch {
		case line == "":
			return all
		case (line[0] == ' ' || line[0] == '\t') && len(all) > 0:
			all[len(all)-1] += " " + strings.TrimLeft(line, " \t")
		default:
			all = append(all, line)
		}
	}
	return all
}

// branchOf returns the branch of the first address in a Via header.
func branchOf(via string) string {
	first, _, _ := strings.Cut(via, ",")
	for parameter := range strings.SplitSeq(first, ";") {
		if name, value, _ := strings.Cut(parameter, "="); strings.EqualFold(strings.TrimSpace(name), "branch") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// headOf returns the head of what has come, without the empty lines that may be sent
// between messages (RFC 3261, section 7.5), and what follows it. An error is that it is
// the begin of none.
func headOf(text []byte) (head, rest []byte, whole bool, err error) {
	text = bytes.TrimLeft(text, "\r\n")
	if n := min(len(text), len(sipVersion)); string(text[:n]) != sipVersion[:n] {
		return nil, nil, false, fmt.Errorf("%w: its answer begins with %.40q", errNotSIP, text[:min(len(text), 40)])
	}
	head, rest, whole = bytes.Cut(text, []byte("\r\n\r\n"))
	return head, rest, whole, nil
}
