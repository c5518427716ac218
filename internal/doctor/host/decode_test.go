package host

import (
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/net/icmp"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/doctor"
	"github.com/lvsd/lvsd/internal/rawip"
)

// Whatever arrives, it is an answer of a server that was asked, or none, and each answer passes
// the filter.
func FuzzAnswerOf(f *testing.F) {
	inquiries := []*inquiry{inquiryOf(f, &four, "192.168.1.4", "192.168.1.5"), inquiryOf(f, &six, "2001:db8::4", "2001:db8::5")}
	for _, q := range inquiries {
		for _, p := range q.answersOfAll(f) {
			f.Add(p)
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		for _, q := range inquiries {
			if server, place, ok := q.answerOf(p); ok && q.questions[place/asMany].Server != server {
				t.Errorf("place %d is not of %v", place, server)
			}
		}
	})
}

// inquiryOf asks a server by TCP, and one for an echo.
func inquiryOf(tb testing.TB, f *family, web, dns string) *inquiry {
	tb.Helper()
	return &inquiry{family: f, port: 40000, first: 1<<32 - 2, questions: []doctor.Question{
		{Server: netip.MustParseAddr(web), Port: 80}, {Server: netip.MustParseAddr(dns)},
	}}
}

// answersOfAll are a SYN-ACK of the first server to somebody outside, and an echo of the second
// one to this director.
func (q *inquiry) answersOfAll(tb testing.TB) (packets [][]byte) {
	tb.Helper()
	web, dns := q.questions[0].Server, q.questions[1].Server
	b := make([]byte, rawip.HeaderLen)
	rawip.Segment{From: 80, To: q.port, Ack: q.first + asOutside + 1, Flags: rawip.SYN | rawip.ACK}.Put(b)
	tcp := append(q.header(unix.IPPROTO_TCP, web, doctor.Outside(web), len(b)), b...)
	m := icmp.Message{Type: q.request, Body: &icmp.Echo{ID: int(q.port), Seq: asMany + asOwn}}
	body, err := m.Marshal(nil)
	if err != nil {
		tb.Fatal(err)
	}
	body[0] = q.reply
	return [][]byte{tcp, append(q.header(q.control, dns, doctor.Outside(dns), len(body)), body...)}
}

// Answers of both families are known by their server and as whom it was asked, and pass the
// filter, as nothing for another port does.
func TestAnswersAreKnown(t *testing.T) {
	for _, q := range []*inquiry{inquiryOf(t, &four, "192.168.1.4", "192.168.1.5"), inquiryOf(t, &six, "2001:db8::4", "2001:db8::5")} {
		for i, p := range q.answersOfAll(t) {
			server, place, ok := q.answerOf(p)
			if want := i*asMany + []int{asOutside, asOwn}[i]; !ok || server != q.questions[i].Server || place != want {
				t.Errorf("%s: answer %d is place %d of %v, %v", q.name, i, place, server, ok)
			}
			if !q.lets(t, q.port, p) || q.lets(t, q.port+1, p) {
				t.Errorf("%s: the filter does not let in answer %d, or lets it in for another port", q.name, i)
			}
			for n := range len(p) {
				if _, _, ok := q.answerOf(p[:n]); ok && n < len(p)-1 {
					t.Errorf("%s: %d bytes of answer %d are one", q.name, n, i)
				}
			}
		}
	}
}

// lets has the filter for a port judge a packet, as the kernel would.
func (q *inquiry) lets(t *testing.T, port uint16, p []byte) bool {
	t.Helper()
	raw, err := q.filter(port)
	if err != nil {
		t.Fatal(err)
	}
	program, _ := bpf.Disassemble(raw)
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(p)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}
