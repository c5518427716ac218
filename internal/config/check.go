package config

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// A checkKind is one kind of check, and how its blocks are read.
type checkKind = block.Kind[checkReader]

// A checkReader reads the blocks of one kind of check.
type checkReader struct {
	// read reads a check, which has the defaults for what its block leaves out.
	read func(*block.Body, *defaults) probe
	// learn reads the block with the defaults of this kind; nil: there are none.
	learn func(*block.Body, *defaults)
}

// defaults are what checks have for the options that their blocks leave out.
type defaults struct {
	// timing is what all kinds have; nil: what their tables say.
	timing *probe
	// kinds has, by the name of a kind, a value of the type that its table makes.
	kinds map[string]any
}

// newCheckKind returns a kind of check whose options are in a table. Compile
// makes a probe of the value that a block and the defaults say, and reports what is
// wrong with the block.
func newCheckKind[T any](name, help string, table *block.Table[T], self func(*T) *probe, compile func(*block.Body, *T) probe) checkKind {
	decode := func(b *block.Body, d *defaults) *T {
		t := begin(d, name, table, self)
		table.Decode(b, &t)
		return &t
	}
	r := checkReader{
		read: func(b *block.Body, d *defaults) probe { return compile(b, decode(b, d)) },
		learn: func(b *block.Body, d *defaults) {
			t := decode(b, d)
			self(t).partial = true
			compile(b, t)
			self(t).partial = false
			d.kinds[name] = t
		},
	}
	return checkKind{Name: name, Help: help, Schema: table.Schema, Decode: r}
}

// begin returns what a check of a kind is whose block says nothing.
func begin[T any](d *defaults, kind string, table *block.Table[T], self func(*T) *probe) T {
	if t, ok := d.kinds[kind].(*T); ok {
		return *t
	}
	t := table.Start()
	self(&t).hasPort = table.Schema().Has("port")
	if d.timing != nil {
		self(&t).setTiming(d.timing)
	}
	return t
}

// A probe is a check before it is known whom it is aimed at.
type probe struct {
	spec              checker.Spec // empty: there is nothing to check
	interval, timeout time.Duration
	fast, down, idle  time.Duration // 0: the interval
	unknownAfter      time.Duration // 0: never
	rise, fall        int           // how many results in a row change the server's state
	hasPort           bool          // its kind asks a port
	port              uint16        // 0: the server's
	address           netip.Addr    // none: the server's
	portRefused       bool
	via               via
	viaRefused        bool
	forwarded         checker.Spec  // what the last server was asked by the forwarding path
	local             bool          // it asks this machine, and no server
	program           *checker.Exec // what runs for each server; nil: nothing
	auxiliary         bool          // it passes where nobody answers
	partial           bool          // these are defaults, which may lack what a check must have
	doubted           bool          // a warning was given about it
	at                block.Place   // its block
	// Of a check that consists of others: the name of its kind, these, how many of them
	// must pass (0: all), and how deep they are nested.
	group           string
	parts           []probe
	atLeast, nested int
}

// self lets the options below say where the probe of what embeds it is.
func (p *probe) self() *probe { return p }

// setTiming sets what the options of timing say.
func (p *probe) setTiming(o *probe) {
	p.interval, p.timeout, p.rise, p.fall = o.interval, o.timeout, o.rise, o.fall
	p.fast, p.down, p.idle, p.unknownAfter = o.fast, o.down, o.idle, o.unknownAfter
}

const (
	// defaultTimeout is the longest that a probe may take where nothing is said.
	defaultTimeout = time.Second
	maxInterval    = 24 * time.Hour
	maxRise        = 1000
)

// timing returns the options about when a probe is made and what its results
// change. All kinds but none have them.
func timing[T any](of func(*T) *probe) []block.Entry[T] {
	return []block.Entry[T]{
		block.Duration("interval", "The time from the start of one probe to the start of the next. A server that refuses connections is probed again after a quarter of this time, up to ten times in a row.",
			2*time.Second, 10*time.Millisecond, maxInterval, func(t *T) *time.Duration { return &of(t).interval }),
		block.Duration("fast_interval", "The same while rise or fall is being counted: from the first result that speaks against the server's state until that has changed, or a result speaks for it again. A server that fails is out of the table sooner, without more probes of those that do not. It replaces the quarter of the interval after a refusal.",
			0, 10*time.Millisecond, maxInterval, func(t *T) *time.Duration { return &of(t).fast }).Unless("the interval"),
		block.Duration("down_interval", "The same while the server is down, until a probe passes. Raise it to spare servers that are down for long.",
			0, 10*time.Millisecond, maxInterval, func(t *T) *time.Duration { return &of(t).down }).Unless("the interval"),
		block.Duration("idle_interval", "The same while the virtual service has had no packet for as long as that, or for a minute, as on a Backup, unless results speak against the server's state. It is the interval again a second or two after the first packet, or when this director becomes Master: until then, a server that has failed may be noticed as much later as this is longer.",
			0, 10*time.Millisecond, maxInterval, func(t *T) *time.Duration { return &of(t).idle }).Unless("the interval"),
		block.Duration("timeout", "The time limit for the whole probe, from connecting to reading the answer. It may be longer than the interval: the next probe then begins when this one ends.",
			0, time.Millisecond, maxInterval, func(t *T) *time.Duration { return &of(t).timeout }).Unless("1s, or the interval if that is shorter"),
		block.Count("rise", "How many probes in a row must pass before a server that is down is considered up.",
			2, 1, maxRise, func(t *T) *int { return &of(t).rise }),
		block.Count("fall", "How many probes in a row must fail before a server that is up is considered down. Lower it to react faster; raise it if servers are sometimes slow.",
			3, 1, maxRise, func(t *T) *int { return &of(t).fall }),
		block.Duration("unknown_after", "When a check could not be run for this long, because of a problem on this director (no route, no socket), each further try counts as a failure. 0s means never: the server keeps its state.",
			0, 0, maxInterval, func(t *T) *time.Duration { return &of(t).unknownAfter }),
	}
}

// networked returns the options of timing, and those about where a probe of a kind that
// asks a port goes, and which way.
func networked[T any](via *block.Table[via], of func(*T) *probe) []block.Entry[T] {
	return append(timing(of), portOption(of), viaOption(via, of), otherOption(of))
}

// portOption is the port of the checks that have one.
func portOption[T any](of func(*T) *probe) block.Entry[T] {
	return block.Count("port", "The port to probe, if it is not the server's own. It is required if the service has no port of its own.",
		0, 1, math.MaxUint16, func(t *T) *uint16 { return &of(t).port }).Unless("the server's")
}

// otherOption is the address of the checks that ask one.
func otherOption[T any](of func(*T) *probe) block.Entry[T] {
	return block.Text("address", "The address to probe, if it is not the server's own: that of the database behind it, or of the server's management interface. Servers whose checks ask the same share one probe; when it fails, all of them are down.",
		netip.Addr{}, func(b *block.Body, s string, at block.Place) (netip.Addr, bool) {
			a, ok := b.ParseAddress(s, at)
			return a, ok && usable(b, a, at)
		}, func(t *T) *netip.Addr { return &of(t).address }).Within("an address").Unless("the server's")
}

// viaOption is the way of a check's packets.
func viaOption[T any](table *block.Table[via], of func(*T) *probe) block.Entry[T] {
	return block.Inner("via", "The way of the check's packets, where it is not to be left to the director's routes.", table,
		func(t *T) *via { return &of(t).via })
}

// agree checks, once, that an address can be asked from the source that the check says.
func (p *probe) agree(b *block.Body, asked netip.Addr) {
	source := p.via.Source
	if !source.IsValid() || source.Is4() == asked.Is4() || p.viaRefused {
		return
	}
	p.viaRefused = true
	b.Mistake(p.at, "Mixed families", "The address %v can't be asked from %v: give the check a source of the same family.", asked, source)
}

// asking returns the probe that a block describes, which asks what o says.
func (p probe) asking(b *block.Body, o checker.Options) probe {
	p = p.of(o)
	p.at = b.Head
	p.portRefused = p.hasPort && b.Refused("port")
	p.checkVia(b)
	if b.Given("fast_interval") && p.fast > p.interval {
		b.Mistake(b.At("fast_interval"), "Intervals reversed", "fast_interval %s must not be longer than interval %s.", block.Short(p.fast), block.Short(p.interval))
	}
	if b.Given("idle_interval") && p.idle < p.interval {
		b.Mistake(b.At("idle_interval"), "Intervals reversed", "idle_interval %s must not be shorter than interval %s.", block.Short(p.idle), block.Short(p.interval))
	}
	return p
}

// checkVia checks what the way of a check says, as far as that needs no server.
func (p *probe) checkVia(b *block.Body) {
	if p.via == (via{}) {
		return // It may be of a kind that has none.
	}
	at := func(string) block.Place { return b.Head }
	if inner, given := b.Block("via"); given {
		checkMark(inner, p.via.Mark)
		at = func(name string) block.Place {
			if inner.Given(name) {
				return inner.NameAt(name)
			}
			return inner.Head
		}
	}
	if p.via.forwarded && p.address.IsValid() {
		b.Mistake(at("forwarded"), "Forwarded check of another address", "With forwarded, the server is asked at the virtual address: remove address, or forwarded.")
	}
	const summary, text = "Path that is given", "With forwarded, IPVS knows the packets by a firewall mark of its own, and chooses the interface: remove %s."
	switch {
	case !p.via.forwarded:
	case p.via.Mark != 0:
		b.Mistake(at("firewall_mark"), summary, text, "firewall_mark")
	case p.via.Interface != "":
		b.Mistake(at("interface"), summary, text, "interface")
	}
}

// of returns the probe that asks what o says.
func (p probe) of(o checker.Options) probe {
	p.spec = checker.SpecOf(o).By(p.via.way())
	if p.timeout == 0 {
		p.timeout = min(defaultTimeout, p.interval)
	}
	return p
}

// pace is how the interval depends on the results.
func (p *probe) pace() checker.Pace {
	if p.fast == 0 && p.down == 0 && p.idle == 0 {
		return checker.Pace{}
	}
	return checker.Pace{Fast: checker.In(min(p.fast, p.interval)), Down: checker.In(p.down), Idle: checker.In(p.idle), Rise: uint16(p.rise), Fall: uint16(p.fall)}
}

// validText is a text that a check says must be valid, and is not empty.
func validText[T any](name, help, def string, validate func(string) error, ref func(*T) *string) block.Entry[T] {
	return block.Text(name, help, def, func(b *block.Body, s string, at block.Place) (string, bool) {
		err := validate(s)
		switch {
		case err != nil:
			b.Mistake(at, "Invalid "+name, "%s.", sentence(err))
		case s == "":
			b.Mistake(at, "Empty "+name, "Write a value, or remove %s.", name)
		}
		return s, err == nil && s != ""
	}, ref)
}

// sentence prints an error as a sentence without its full stop.
func sentence(err error) string {
	s := strings.ReplaceAll(err.Error(), "\n", "; ")
	return strings.ToUpper(s[:1]) + s[1:]
}

// words are the values of a choice that mean themselves.
func words(names ...string) (list []block.Word[string]) {
	for _, n := range names {
		list = append(list, block.Word[string]{Name: n, Value: n})
	}
	return list
}
