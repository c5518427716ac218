package importer

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/lvsd/lvsd/ipvsctl"
)

// An Outline is what a configuration makes of a director that is Master, and whose real
// servers are all up: rows that say the same in the same words, whoever made them. That of
// another program is worked out from what the program reads, and not from what was made of
// it, so that a mistake in between is seen.
type Outline []Row

// A Row is one thing that there would be.
type Row struct {
	Place // zero: none is known
	About Aspect
	Key   string // what it is, the only one of its kind
	Value string // what is said about it
	Times []Span // when something is done, in an order that is the same for all of a kind
	// Wait is how long it takes on average until something is done for the first time, which
	// is not among Times.
	Wait time.Duration
}

// An Aspect is what rows are about.
type Aspect string

// The aspects, in the order in which they are shown.
const (
	OfTable     Aspect = "IPVS table"
	OfAddresses Aspect = "addresses"
	OfChecks    Aspect = "checks"
)

// A Span is a time with a name, such as after how long a silent server is down.
type Span struct {
	Name string
	Time time.Duration
}

// Equal reports whether two rows say the same. Times may differ by a tenth, with the wait
// before them: programs begin their pauses at other moments.
func (r *Row) Equal(o *Row) bool {
	if r.Value != o.Value || len(r.Times) != len(o.Times) {
		return false
	}
	for i, a := range r.Times {
		b := o.Times[i]
		if a.Name != b.Name || max(a.Time, b.Time)-min(a.Time, b.Time) > (max(a.Time, b.Time)+r.Wait)/10 {
			return false
		}
	}
	return true
}

// String writes what is said about a row, with the times.
func (r *Row) String() string {
	words := []string{r.Value}
	for _, t := range r.Times {
		words = append(words, t.Name+" "+short(t.Time.Round(time.Millisecond)))
	}
	return strings.Trim(strings.Join(words, ", "), ", ")
}

// short writes a time without parts that are zero: "3m20s", "3m".
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (o *Outline) add(r Row) { *o = append(*o, r) }

// Service adds a virtual service of the kernel's, as ipvsadm has it. A name stands for what
// has no address and no mark that would mean anything.
func (o *Outline) Service(at Place, name string, key ipvsctl.ServiceKey, s ipvsctl.Service) {
	head := ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: key}.String()[len("-D "):]
	text := ipvsctl.Op{Kind: ipvsctl.AddService, Service: key, Config: s}.String()[len("-A "):]
	o.add(Row{Place: at, About: OfTable, Key: named(name, head), Value: text[len(head)+1:]})
}

// Server adds a real server of such a service.
func (o *Outline) Server(at Place, name string, key ipvsctl.ServiceKey, d ipvsctl.DestinationKey, v ipvsctl.Destination) {
	service := ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: key}.String()[len("-D "):]
	head := ipvsctl.Op{Kind: ipvsctl.DeleteDestination, Service: key, Destination: d}.String()[len("-d "):]
	text := ipvsctl.Op{Kind: ipvsctl.AddDestination, Service: key, Destination: d, Dest: v}.String()[len("-a "):]
	o.add(Row{Place: at, About: OfTable, Key: named(name, service) + head[len(service):], Value: text[len(head)+1:]})
}

// Fallback adds what serves such a service when too few of its real servers are up.
func (o *Outline) Fallback(at Place, name string, key ipvsctl.ServiceKey, d ipvsctl.DestinationKey, v ipvsctl.Destination) {
	v.Weight = 1 // It is not shared with others.
	o.Server(at, name, key, d, v)
	(*o)[len(*o)-1].Key += ", fallback"
}

func named(name, otherwise string) string {
	if name != "" {
		return name
	}
	return otherwise
}

// Router adds a virtual router.
func (o *Outline) Router(at Place, id int, six bool, on, value string, every time.Duration) {
	o.add(Row{Place: at, About: OfAddresses, Key: fmt.Sprintf("virtual router %d of %s on %s", id, map[bool]string{false: "IPv4", true: "IPv6"}[six], on), Value: value,
		Times: []Span{{"an advert every", every}}})
}

// Address adds an address on an interface, of a virtual router, or without one: for good.
func (o *Outline) Address(at Place, p netip.Prefix, on string, id int) {
	value := "always"
	if id > 0 {
		value = fmt.Sprintf("of virtual router %d", id)
	}
	o.add(Row{Place: at, About: OfAddresses, Key: "address " + p.Addr().String() + " on " + on, Value: fmt.Sprintf("/%d, %s", p.Bits(), value)})
}

// A Probe is a check of a real server.
type Probe struct {
	Place
	Service, Server string
	Kind            string // lvsd's word for it
	Asked           string // address and port; empty: this machine
	Details         []string
	// Every is when it is made, and Refused and Silent after how long a server is down that
	// refuses at once, or never answers, from the first such attempt on; with Silent 0 that
	// does not count.
	Every, Refused, Silent time.Duration
}

// ServerName is a real server in a service at a port: its address, with a port of its own.
func ServerName(a netip.Addr, port, service uint16) string {
	if port == service || port == 0 {
		return a.String()
	}
	return netip.AddrPortFrom(a, port).String()
}

// Detail adds something that is said, if it is.
func (p *Probe) Detail(name, value string) {
	if value != "" {
		p.Details = append(p.Details, name+" "+value)
	}
}

// Checks adds the checks of one real server of a service.
func (o *Outline) Checks(all []Probe) {
	for i := range all {
		p := &all[i]
		key := p.Service + " -> " + p.Server
		if i > 0 {
			key += fmt.Sprintf(", check %d", i+1)
		}
		words := append([]string{p.Kind}, p.Details...)
		if p.Asked != "" {
			words[0] += " at " + p.Asked
		}
		o.add(Row{Place: p.Place, About: OfChecks, Key: key, Value: strings.Join(words, ", "), Times: p.times(), Wait: p.Every / 2})
	}
}

// times are those of a check. Nobody refuses a ping.
func (p *Probe) times() []Span {
	times := []Span{{"every", p.Every}}
	if p.Kind != "ping" {
		times = append(times, Span{"down after refusals of", p.Refused})
	}
	if p.Silent > 0 {
		times = append(times, Span{"after silence of", p.Silent})
	}
	return times
}
