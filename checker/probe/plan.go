package probe

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/lvsd/lvsd/checker"
)

// A plan is an HTTP Spec made ready to run: what its texts mean is worked out
// once, not for every probe.
type plan struct {
	spec   checker.HTTP
	method string
	path   string
	// headers are the header lines after Host, as they are sent.
	headers []byte
	status  checker.StatusRanges
	body    *regexp.Regexp // nil: the body does not matter
}

// planLimit bounds how many plans and files of certificates are remembered. At
// the bound all are forgotten: those in use are soon back, and what a reload
// left behind is gone.
const planLimit = 4096

// The plans remember those of the Specs that were probed lately.
type plans struct {
	mu    sync.Mutex
	known map[checker.HTTP]*plan
	files map[string]authorities
}

// plan returns the plan for a Spec.
func (p *plans) plan(spec checker.HTTP) (*plan, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.known[spec]; ok {
		return known, nil
	}
	made, err := newPlan(spec)
	if err != nil {
		return nil, err
	}
	if p.known == nil || len(p.known) >= planLimit {
		p.known = make(map[checker.HTTP]*plan)
	}
	p.known[spec] = made
	return made, nil
}

// newPlan makes a Spec ready to run.
func newPlan(spec checker.HTTP) (*plan, error) {
	if err := spec.Validate(); err != nil {
		return nil, fmt.Errorf("the check can't be run: %w", err)
	}
	p := &plan{spec: spec, method: cmp.Or(spec.Method, "GET"), path: cmp.Or(spec.Path, "/")}
	var err error
	if p.status, err = checker.ParseStatus(cmp.Or(spec.Status, checker.DefaultStatus)); err != nil {
		return nil, err
	}
	if spec.Body != "" {
		if p.body, err = regexp.Compile(spec.Body); err != nil {
			return nil, err
		}
	}
	headers, err := checker.ParseHeaders(spec.Headers)
	if err != nil {
		return nil, err
	}
	p.headers = headerLines(headers)
	return p, nil
}

// headerLines returns all of a request that follows the Host header.
func headerLines(headers []checker.Header) []byte {
	var b bytes.Buffer
	for _, h := range append(unlessGiven(headers), headers...) {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	b.WriteString("Connection: close\r\n\r\n")
	return b.Bytes()
}

// unlessGiven returns the headers that a probe sends unless the configuration
// has its own.
func unlessGiven(given []checker.Header) []checker.Header {
	for _, h := range given {
		if strings.EqualFold(h.Name, "User-Agent") {
			return nil
		}
	}
	return []checker.Header{{Name: "User-Agent", Value: "lvsd"}}
}

// request returns the request as it is sent to one target.
func (p *plan) request(t checker.Target) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", p.method, p.path, hostHeader(t, p.spec))
	b.Write(p.headers)
	return b.Bytes()
}
