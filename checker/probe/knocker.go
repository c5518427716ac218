package probe

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/rawip"
	"golang.org/x/sys/unix"
)

// A knocker asks many servers at once whether their kernels would establish a
// connection, by one raw socket for each family: it is the checker's Engine.
//
// It sends each a SYN. Answered by SYN/ACK the server is well, and by RST it refuses;
// the kernel, which knows no such connection, resets it. Who does not answer in a third of
// the timeout is left to knock, and so is whatever cannot be sent: what connect(2) says
// counts. So a lost packet is repeated, and a rule that only raw packets fall under
// makes no server look dead.
type knocker struct {
	gates [2]gate
}

// newKnocker returns a knocker that opens its sockets when they are first needed.
func newKnocker() *knocker {
	return &knocker{gates: [2]gate{{family: ipv4TCP}, {family: ipv6TCP}}}
}

// gate returns the one that a target is asked through; nil: none. An address with a
// zone is left to connect(2): few have one.
func (k *knocker) gate(t *checker.Target) *gate {
	switch addr := t.Addr.Unmap(); {
	case addr.Is4():
		return &k.gates[0]
	case addr.Is6() && addr.Zone() == "":
		return &k.gates[1]
	default:
		return nil
	}
}

// Asks reports whether a Spec is that of a TCP check which says nothing.
func (k *knocker) Asks(s checker.Spec) bool { return s == plainTCP }

// plainTCP is the only Spec of such a check.
var plainTCP = checker.SpecOf(checker.TCP{})

// Ask is part of checker.Engine.
func (k *knocker) Ask(questions []checker.Question) (left []checker.Question) {
	for i := range k.gates {
		left = k.gates[i].ask(questions, k.gate, left)
	}
	for _, q := range questions {
		if k.gate(q.Target) == nil {
			left = append(left, q)
		}
	}
	return left
}

// Begin is part of checker.Engine.
func (k *knocker) Begin(deliver func([]checker.Answer)) {
	for i := range k.gates {
		k.gates[i].begin(deliver)
	}
}

// End is part of checker.Engine.
func (k *knocker) End() {
	for i := range k.gates {
		k.gates[i].end()
	}
}

// Forget is part of checker.Engine.
func (k *knocker) Forget() {
	for i := range k.gates {
		g := &k.gates[i]
		g.mu.Lock()
		g.sources.forget()
		g.mu.Unlock()
	}
}

// Unusable is part of checker.Engine.
func (k *knocker) Unusable() error {
	for i := range k.gates {
		g := &k.gates[i]
		g.mu.Lock()
		err := g.err
		g.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// A gate is one family's part of a knocker.
type gate struct {
	family tcpFamily

	readers sync.WaitGroup
	mu      sync.Mutex
	// deliver is nil while nobody is asked.
	deliver func([]checker.Answer)
	socket  *knockSocket // nil: none is open
	flying  knocks
	sources sources
	// sent are the questions of the SYNs in the socket's out.
	sent []checker.Question
	// answers is room for the reader's.
	answers [atOnce]checker.Answer
	// wake is when the reader looks who has not answered; zero: nobody is waited for.
	wake time.Time
	// err is why the socket could not be opened, and again when that is tried next.
	err   error
	again time.Time
}

func (g *gate) begin(deliver func([]checker.Answer)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deliver = deliver
}

// end closes the socket, and returns when nobody reads from it.
func (g *gate) end() {
	g.mu.Lock()
	g.deliver = nil
	if g.socket != nil {
		g.socket.close()
		g.socket = nil
	}
	g.mu.Unlock()
	g.readers.Wait()
}

// openAgain is how long no socket is tried to be opened after that has failed.
const openAgain = time.Minute

// ask asks those questions that are for this gate, and appends to left those that
// cannot be asked.
func (g *gate) ask(questions []checker.Question, gateOf func(*checker.Target) *gate, left []checker.Question) []checker.Question {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, q := range questions {
		if gateOf(q.Target) != g {
			continue
		}
		if !g.open(q.Began) || !g.prepare(q) {
			left = append(left, q)
			continue
		}
		if g.socket.out.n == atOnce {
			left = g.send(left)
		}
	}
	if len(g.sent) > 0 {
		left = g.send(left)
	}
	return left
}

// open opens the socket if none is open, and reports whether one is.
func (g *gate) open(now time.Time) bool {
	if g.socket != nil || g.deliver == nil || now.Before(g.again) {
		return g.socket != nil
	}
	socket, err := openKnocks(g.family)
	if g.err = err; err != nil {
		g.again = now.Add(openAgain)
		return false
	}
	g.socket, g.flying, g.wake = socket, make(knocks), time.Time{}
	deliver := g.deliver
	g.readers.Go(func() { g.read(socket, deliver) })
	return true
}

// prepare makes the SYN of a question. It reports false if there can be none.
func (g *gate) prepare(q checker.Question) bool {
	to := whom(q.Target)
	var from netip.Addr
	if g.family.hasHeader {
		var ok bool
		if from, *q.Note, ok = g.sources.of(q.Began, to, *q.Note); !ok {
			return false
		}
	}
	seq := rand.Uint32()
	if !g.flying.add(q, seq) {
		return false
	}
	segment := g.family.request(g.socket.port, to.Port(), seq)
	if g.family.hasHeader {
		rawip.Seal(segment[:], from, to.Addr())
	}
	g.socket.out.add(segment, from, to.Addr())
	g.sent = append(g.sent, q)
	return true
}

// send sends the SYNs that are prepared, and appends to left those that could not be.
func (g *gate) send(left []checker.Question) []checker.Question {
	drop := func(i int) {
		g.flying.drop(g.sent[i])
		*g.sent[i].Note = 0 // Its source may be gone.
		left = append(left, g.sent[i])
	}
	if err := g.socket.send(drop); err != nil {
		for i := range g.sent {
			drop(i)
		}
	}
	for _, q := range g.sent {
		if until := (&syn{Question: q}).until(); g.wake.IsZero() || until.Before(g.wake) {
			g.wake = until
			g.socket.wakeAt(until)
		}
	}
	clear(g.sent)
	g.sent, g.socket.out.n = g.sent[:0], 0
	return left
}

// read delivers answers until the socket fails or is closed.
func (g *gate) read(socket *knockSocket, deliver func([]checker.Answer)) {
	arrived := func(n int) {
		if answers := g.arrived(socket, n); len(answers) > 0 {
			deliver(answers)
		}
	}
	for {
		err := socket.serve(arrived)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			// What came in time counts, however late it is read.
			err = socket.look(arrived)
		}
		answers := g.expire(socket, time.Now(), err)
		if len(answers) > 0 {
			deliver(answers)
		}
		if err != nil {
			return
		}
	}
}

// arrived returns what the answers say that were read; of none, that there may be ICMP
// errors.
func (g *gate) arrived(socket *knockSocket, n int) (answers []checker.Answer) {
	var rejected []rejection
	if n == 0 {
		rejected = socket.rejections()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	answers = g.answers[:0]
	for i := range n {
		packet, from := socket.in.at(i)
		s, ok := g.family.decode(packet)
		if !ok || s.To != socket.port {
			continue
		}
		if q, refused, ok := g.flying.answered(from, s); ok {
			answers = append(answers, answer(q, refused))
		}
	}
	for _, r := range rejected {
		if r.from != socket.port {
			continue
		}
		if q, ok := g.flying.rejected(r.to, r.seq); ok {
			answers = append(answers, checker.Answer{Question: q, Result: verdict(context.Background(), *q.Target, while(connecting, r.errno))})
		}
	}
	return answers
}

// answer is what a server's answer says.
func answer(q checker.Question, refused bool) checker.Answer {
	if refused {
		return checker.Answer{Question: q, Result: verdict(context.Background(), *q.Target, while(connecting, unix.ECONNREFUSED))}
	}
	return checker.Answer{Question: q, Result: checker.Result{Outcome: checker.Passed}}
}

// expire returns those that have not answered in time, undecided, and sets when to look
// again. If the socket has failed, that is all; the next question opens another one.
func (g *gate) expire(socket *knockSocket, now time.Time, failed error) (answers []checker.Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if failed != nil && g.socket == socket {
		socket.close()
		g.socket = nil
	}
	if failed != nil {
		now = now.Add(24 * time.Hour)
	}
	over, next := g.flying.expire(now)
	for _, q := range over {
		answers = append(answers, checker.Answer{Question: q})
	}
	g.wake = next
	if failed == nil {
		socket.wakeAt(next)
	}
	return answers
}
