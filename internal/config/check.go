package config

import (
	"crypto/x509"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/ipvsctl"
)

// The defaults and limits of a check.
const (
	defaultInterval = 2 * time.Second
	defaultTimeout  = time.Second
	defaultRise     = 2
	defaultFall     = 3
	minInterval     = 10 * time.Millisecond
	maxInterval     = 24 * time.Hour
	maxRise         = 1000
)

var checkKinds = []string{"tcp", "http", "https", "ping", "none"}

// A probe is a check before it is known whom it is aimed at.
type probe struct {
	spec              checker.Spec
	port              uint16 // 0: the server's
	portRefused       bool
	interval, timeout time.Duration
	rise, fall        int
}

// defaultProbe is the check of a service without any: a TCP connect where the
// service is TCP and has a port, else a ping.
func defaultProbe(key ipvsctl.ServiceKey) probe {
	p := probe{spec: checker.SpecOf(checker.Ping{}), interval: defaultInterval, timeout: defaultTimeout, rise: defaultRise, fall: defaultFall}
	if key.Protocol == ipvsctl.TCP && key.Port != 0 {
		p.spec = checker.SpecOf(checker.TCP{})
	}
	return p
}

// checks reads the checks of a service or a server.
func (d *decoder) checks(raw []rawCheck) (probes []probe) {
	for i := range raw {
		r := &raw[i]
		switch {
		case !slices.Contains(checkKinds, r.Kind):
			d.unknown(r.KindRange, "check", r.Kind, checkKinds)
		case r.Kind == "none":
			d.noCheck(r, len(raw))
		default:
			probes = append(probes, d.check(r))
		}
	}
	return probes
}

// noCheck checks that `check "none"` stands alone and is empty.
func (d *decoder) noCheck(r *rawCheck, among int) {
	if among > 1 {
		d.mistake(r.Range, "Check none among others", "check \"none\" {} says that there is no check: remove it, or the others.")
	}
	for _, a := range append(r.httpArguments(), r.Interval, r.Timeout, r.Rise, r.Fall, r.Port) {
		if a != nil {
			d.mistake(a.NameRange, "Unused "+a.Name, "check \"none\" {} has no arguments: remove it.")
		}
	}
	d.httpBlocks(r, false, false)
}

// httpArguments are the arguments that only checks by HTTP have.
func (r *rawCheck) httpArguments() []*hcl.Attribute {
	return []*hcl.Attribute{r.Method, r.Path, r.Host, r.Headers}
}

// httpBlocks reports the blocks that the kind of check does not have.
func (d *decoder) httpBlocks(r *rawCheck, expect, tls bool) {
	if r.Expect != nil && !expect {
		d.mistake(r.Expect.Range, "Unused expect block", "Only checks \"http\" and \"https\" look at an answer: remove it.")
	}
	if r.TLS != nil && !tls {
		d.mistake(r.TLS.Range, "Unused tls block", "Only a check \"https\" uses TLS: remove the block, or write check \"https\".")
	}
}

func (d *decoder) check(r *rawCheck) probe {
	p := probe{
		interval: d.duration(r.Interval, defaultInterval, minInterval, maxInterval),
		rise:     int(d.count(r.Rise, defaultRise, 1, maxRise)),
		fall:     int(d.count(r.Fall, defaultFall, 1, maxRise)),
		port:     uint16(d.count(r.Port, 0, 1, math.MaxUint16)),
	}
	p.portRefused = d.refused(r.Port)
	p.timeout = d.duration(r.Timeout, min(defaultTimeout, p.interval), time.Millisecond, maxInterval)
	if p.timeout > p.interval && !d.refused(r.Interval) {
		d.mistake(place(r.Timeout, r.Range), "Timeout longer than interval", "A probe ends before the next one begins, and %s is longer than the interval %s: shorten timeout or lengthen interval.", short(p.timeout), short(p.interval))
	}
	byHTTP := r.Kind == "http" || r.Kind == "https"
	d.httpBlocks(r, byHTTP, r.Kind == "https")
	if byHTTP {
		p.spec = checker.SpecOf(d.httpSpec(r))
		return p
	}
	for _, a := range r.httpArguments() {
		if a != nil {
			d.mistake(a.NameRange, "Unused "+a.Name, "Only checks \"http\" and \"https\" have it: remove it, or write check \"http\".")
		}
	}
	p.spec = checker.SpecOf(checker.TCP{})
	if r.Kind == "ping" {
		p.spec = checker.SpecOf(checker.Ping{})
		if r.Port != nil {
			d.mistake(r.Port.NameRange, "Unused port", "A ping goes to an address and has no port: remove it, or write check \"tcp\".")
		}
	}
	return p
}

// httpSpec reads what a check asks and expects.
func (d *decoder) httpSpec(r *rawCheck) checker.HTTP {
	h := checker.HTTP{TLS: r.Kind == "https", Method: "GET", Path: "/", Status: checker.DefaultStatus}
	d.option(r.Method, &h.Method, func(s string) checker.HTTP { return checker.HTTP{Method: s} })
	d.option(r.Path, &h.Path, func(s string) checker.HTTP { return checker.HTTP{Path: s} })
	d.option(r.Host, &h.Host, func(s string) checker.HTTP { return checker.HTTP{Host: s} })
	h.Headers = d.headers(r.Headers)
	if r.Expect != nil {
		h.Status = d.status(r.Expect.Status)
		d.option(r.Expect.Body, &h.Body, func(s string) checker.HTTP { return checker.HTTP{Body: s} })
		if h.Method == "HEAD" && h.Body != "" {
			d.mistake(r.Expect.Body.Expr.Range(), "Body of HEAD", "The answer to HEAD has no body: remove body, or use method = \"GET\".")
		}
	}
	if r.TLS != nil {
		d.option(r.TLS.ServerName, &h.ServerName, func(s string) checker.HTTP { return checker.HTTP{ServerName: s} })
		h.Insecure = !d.flag(r.TLS.Verify, true)
		h.CA = d.certificates(r.TLS.CAFile)
	}
	return h
}

// option reads one option of an HTTP check, which alone must be valid.
func (d *decoder) option(a *hcl.Attribute, into *string, alone func(string) checker.HTTP) {
	s, ok := d.text(a)
	if !ok {
		return
	}
	err := alone(s).Validate()
	if err == nil && s == "" {
		d.mistake(a.Expr.Range(), "Empty "+a.Name, "Write a value, or remove %s.", a.Name)
		return
	}
	if err != nil {
		d.mistake(a.Expr.Range(), "Invalid "+a.Name, "%s.", sentence(err))
		return
	}
	*into = s
}

// sentence prints an error as a sentence without its full stop.
func sentence(err error) string {
	s := strings.ReplaceAll(err.Error(), "\n", "; ")
	return strings.ToUpper(s[:1]) + s[1:]
}

// headers reads a map of request headers, sorted so that equal ones are equal.
func (d *decoder) headers(a *hcl.Attribute) []checker.Header {
	if a == nil {
		return nil
	}
	v, ok := d.evaluate(a.Expr, a.Name, cty.Map(cty.String))
	if !ok {
		return nil
	}
	var headers []checker.Header
	named := v.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if named[name].IsNull() {
			continue
		}
		h := checker.Header{Name: name, Value: named[name].AsString()}
		if h.Validate() != nil {
			d.mistake(a.Expr.Range(), "Invalid header", "%q is no header: a name of letters, digits and hyphens, a value without line breaks, and neither Host (there is host) nor what the check sets itself.", name+": "+h.Value)
			continue
		}
		h.Value = strings.TrimSpace(h.Value)
		headers = append(headers, h)
	}
	return headers
}

// status reads the status codes that pass.
func (d *decoder) status(a *hcl.Attribute) checker.StatusRanges {
	items, ok := d.texts(a)
	if !ok {
		return checker.DefaultStatus
	}
	if len(items) == 0 {
		d.mistake(a.Expr.Range(), "No status", "No answer could pass: write for example status = [\"200-299\", 304].")
	}
	var all checker.StatusRanges
	for _, it := range items {
		ranges, err := checker.ParseStatus(it.text)
		if err != nil {
			d.mistake(it.at, "Invalid status", "%s.", sentence(err))
		}
		all = append(all, ranges...)
	}
	slices.SortFunc(all, func(a, b checker.StatusRange) int { return a.First - b.First })
	return all
}

// certificates checks that a file of certificates can be used, and returns
// its path.
func (d *decoder) certificates(a *hcl.Attribute) string {
	name, ok := d.text(a)
	if !ok {
		return ""
	}
	text, err := d.readFile(name)
	switch {
	case err != nil:
		d.mistake(a.Expr.Range(), "Unreadable ca_file", "%s.", sentence(err))
	case !x509.NewCertPool().AppendCertsFromPEM(text):
		d.mistake(a.Expr.Range(), "No certificate", "%s holds no certificate in PEM (-----BEGIN CERTIFICATE-----).", name)
	}
	return d.sources.resolve(name)
}

// aim turns probes into the checks of one server. Where neither the check nor
// the server has a port, the service must be one of any port to be at fault:
// else its own port was refused.
func (d *decoder) aim(probes []probe, to ipvsctl.DestinationKey, at hcl.Range, anyPort bool) []Check {
	checks := make([]Check, 0, len(probes))
	for _, p := range probes {
		t := checker.Target{Spec: p.spec, Addr: to.Addr, Interval: p.interval, Timeout: p.timeout}
		if p.spec.Kind() != (checker.Ping{}).Kind() {
			t.Port = to.Port
			if p.port != 0 {
				t.Port = p.port
			}
			if t.Port == 0 && anyPort && !p.portRefused {
				d.mistake(at, "Check without port", "The service has no port of its own, so the check \"%s\" must say which one to try; for example: port = 80", p.spec.Kind())
			}
		}
		checks = append(checks, Check{Target: t, Rise: p.rise, Fall: p.fall})
	}
	return checks
}
