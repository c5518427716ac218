//go:build linux

package kernel

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"
	"github.com/mdlayher/netlink/nltest"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
)

const testFamily = 0x21

// A wire is the kernel's end of a netlink socket: it answers the question
// about the family, keeps every other request, and hands out the datagrams
// that the test queues for it.
type wire struct {
	requests [][]netlink.Message // by sendmsg
	answer   func(requests []netlink.Message) [][]netlink.Message
	queue    [][]netlink.Message
	lost     error // what receiving ends with when the queue is empty
	dials    int
	missing  bool // the kernel has no such family
}

func (w *wire) dial() (*netlink.Conn, error) {
	w.dials++
	w.queue = nil
	family := genltest.ServeFamily(genetlink.Family{ID: testFamily, Name: familyName, Version: familyVersion}, nil)
	return nltest.Dial(func(requests []netlink.Message) ([]netlink.Message, error) {
		switch {
		case len(requests) == 0:
			return w.receive()
		case requests[0].Header.Type == unix.GENL_ID_CTRL && w.missing:
			return nltest.Error(int(unix.ENOENT), requests)
		case requests[0].Header.Type == unix.GENL_ID_CTRL:
			return serve(family, requests[0])
		}
		w.requests = append(w.requests, slices.Clone(requests))
		w.queue = append(w.queue, w.answer(requests)...)
		return nil, nil
	}), nil
}

// serve lets genltest answer one generic netlink request.
func serve(fn genltest.Func, request netlink.Message) ([]netlink.Message, error) {
	var m genetlink.Message
	if err := m.UnmarshalBinary(request.Data); err != nil {
		return nil, err
	}
	answers, err := fn(m, request)
	if err != nil {
		return nil, err
	}
	var out []netlink.Message
	for _, a := range answers {
		b, err := a.MarshalBinary()
		if err != nil {
			return nil, err
		}
		out = append(out, netlink.Message{Header: netlink.Header{Sequence: request.Header.Sequence, PID: request.Header.PID}, Data: b})
	}
	return out, nil
}

func (w *wire) receive() ([]netlink.Message, error) {
	if len(w.queue) == 0 {
		return nil, w.lost
	}
	next := w.queue[0]
	w.queue = w.queue[1:]
	return next, nil
}

// ack answers a request, with an error where errno is not zero.
func ack(request netlink.Message, errno unix.Errno) []netlink.Message {
	h := request.Header
	h.Type = netlink.Error
	return []netlink.Message{{Header: h, Data: nlenc.Int32Bytes(-int32(errno))}}
}

func open(t *testing.T, w *wire) *Conn {
	t.Helper()
	if w.lost == nil {
		w.lost = errors.New("timed out")
	}
	c, err := DialBy(w.dial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func reweighs(n int) []ipvsctl.Op {
	ops := make([]ipvsctl.Op, n)
	for i := range ops {
		ops[i] = ipvsctl.Op{Kind: ipvsctl.SetDestination, Service: web, Destination: node, Dest: ipvsctl.Destination{Weight: uint32(i)}}
	}
	return ops
}

// 1,200 operations are three sendmsg, each with one acknowledgement asked for,
// and each refusal finds its operation.
func TestApplyInBatches(t *testing.T) {
	w := &wire{answer: func(requests []netlink.Message) (answers [][]netlink.Message) {
		for i, r := range requests {
			switch {
			case i == 3:
				answers = append(answers, ack(r, unix.ENOENT))
			case i == len(requests)-1:
				answers = append(answers, ack(r, 0))
			}
		}
		return answers
	}}
	c := open(t, w)
	failures, err := c.Apply(t.Context(), reweighs(1200))
	if err != nil {
		t.Fatal(err)
	}
	var indexes []int
	for _, f := range failures {
		indexes = append(indexes, f.Index)
		if !errors.Is(f.Err, fs.ErrNotExist) {
			t.Errorf("failure %v", f.Err)
		}
	}
	if want := []int{3, 503, 1003}; !slices.Equal(indexes, want) {
		t.Errorf("failures of the operations %v, want %v", indexes, want)
	}
	var sizes []int
	for _, batch := range w.requests {
		sizes = append(sizes, len(batch))
		for i, r := range batch {
			want := netlink.Request
			if i == len(batch)-1 {
				want |= netlink.Acknowledge
			}
			if r.Header.Flags != want || r.Header.Type != testFamily {
				t.Fatalf("request %d of a batch: header %+v", i, r.Header)
			}
		}
	}
	if want := []int{500, 500, 200}; !slices.Equal(sizes, want) {
		t.Errorf("batches %v, want %v", sizes, want)
	}
}

// The last request of a batch may be the one that is refused: then the
// refusal is its answer.
func TestApplyWhoseLastOperationIsRefused(t *testing.T) {
	w := &wire{answer: func(requests []netlink.Message) [][]netlink.Message {
		return [][]netlink.Message{ack(requests[len(requests)-1], unix.ERANGE)}
	}}
	failures, err := open(t, w).Apply(t.Context(), reweighs(2))
	if err != nil || len(failures) != 1 || failures[0].Index != 1 || !errors.Is(failures[0].Err, unix.ERANGE) {
		t.Errorf("failures %v, error %v", failures, err)
	}
}

// After a broken exchange the next one has a new socket: a late answer of the
// old one is never taken for an answer of the new one.
func TestABrokenExchangeGetsANewSocket(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func([]netlink.Message) [][]netlink.Message
	}{
		{"no answer", func([]netlink.Message) [][]netlink.Message { return nil }},
		{"the answer to another request", func(requests []netlink.Message) [][]netlink.Message {
			r := requests[0]
			r.Header.Sequence += 1000
			return [][]netlink.Message{ack(r, 0)}
		}},
		{"a refusal of another request", func(requests []netlink.Message) [][]netlink.Message {
			r := requests[0]
			r.Header.Sequence--
			return [][]netlink.Message{ack(r, unix.ENOENT)}
		}},
		{"two answers in one datagram", func(requests []netlink.Message) [][]netlink.Message {
			return [][]netlink.Message{append(ack(requests[0], 0), ack(requests[0], 0)...)}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &wire{answer: tt.answer}
			c := open(t, w)
			if _, err := c.Apply(t.Context(), reweighs(3)); err == nil {
				t.Fatal("the exchange was taken for a success")
			}
			w.answer = func(requests []netlink.Message) [][]netlink.Message {
				return [][]netlink.Message{ack(requests[len(requests)-1], 0)}
			}
			if failures, err := c.Apply(t.Context(), reweighs(3)); err != nil || len(failures) > 0 {
				t.Errorf("afterwards: failures %v, error %v", failures, err)
			}
			if w.dials != 2 {
				t.Errorf("%d sockets, want 2", w.dials)
			}
		})
	}
}

// dump answers with the bodies as one multi-part message.
func dump(request netlink.Message, bodies ...[]byte) [][]netlink.Message {
	var messages []netlink.Message
	h := request.Header
	h.Flags = netlink.Multi
	for _, b := range bodies {
		messages = append(messages, netlink.Message{Header: h, Data: b})
	}
	h.Type = netlink.Done
	return [][]netlink.Message{append(messages, netlink.Message{Header: h, Data: make([]byte, 4)})}
}

func TestListAndRead(t *testing.T) {
	svc := ipvsctl.Service{Scheduler: "wrr", Netmask: 32}
	dest := toldDestination(func(r *request) {
		r.destination(ipvsctl.Op{Kind: ipvsctl.AddDestination, Destination: node, Dest: ipvsctl.Destination{Weight: 3}})
	})
	w := &wire{answer: func(requests []netlink.Message) [][]netlink.Message {
		r := requests[0]
		switch {
		case r.Data[0] == cmdGetService && r.Header.Flags&netlink.Dump == netlink.Dump:
			return dump(r, told(t, web, svc))
		case r.Data[0] == cmdGetDest:
			return dump(r, dest)
		default:
			return [][]netlink.Message{{{Header: r.Header, Data: told(t, web, svc)}}}
		}
	}}
	w.answer = without81(w.answer)
	c := open(t, w)
	want := ipvsctl.VirtualService{Service: svc, Destinations: ipvsctl.Rows[ipvsctl.Destination]{{Key: node, Value: ipvsctl.Destination{Weight: 3}}}}
	table, err := c.List(t.Context())
	if diff := cmp.Diff(ipvsctl.Table{web: want}, table, addrs); diff != "" || err != nil {
		t.Errorf("listed, error %v (-want +got)\n%s", err, diff)
	}
	vs, counters, err := c.Read(t.Context(), web)
	if diff := cmp.Diff(want, vs, addrs); diff != "" || err != nil {
		t.Errorf("read, error %v (-want +got)\n%s", err, diff)
	}
	// The service's own come first, under no address.
	if len(counters) != 2 || counters[0].Key.Addr.IsValid() || counters[1].Key != node {
		t.Errorf("counters %v, want the service's and the server's", counters)
	}
	elsewhere := web
	elsewhere.Port = 81
	if _, _, err := c.Read(t.Context(), elsewhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a service that does not exist: %v", err)
	}
	if w.dials != 1 {
		t.Errorf("%d sockets: the answer that something is absent breaks no exchange", w.dials)
	}
}

// without81 answers questions about the port 81 as the kernel does where
// there is no such service.
func without81(next func([]netlink.Message) [][]netlink.Message) func([]netlink.Message) [][]netlink.Message {
	return func(requests []netlink.Message) [][]netlink.Message {
		elsewhere := web
		elsewhere.Port = 81
		if string(requests[0].Data) == string(question(cmdGetService, elsewhere)) {
			return [][]netlink.Message{ack(requests[0], unix.ESRCH)}
		}
		return next(requests)
	}
}

func TestDialWithoutIPVSNamesTheModule(t *testing.T) {
	_, err := DialBy((&wire{missing: true, lost: io.EOF}).dial)
	if !errors.Is(err, ipvsctl.ErrNoIPVS) || !strings.Contains(err.Error(), "modprobe ip_vs") {
		t.Errorf("error %v", err)
	}
}

// Only the absence of a row may look like one.
func TestRefusalsInWords(t *testing.T) {
	badScheduler := ipvsctl.Op{Kind: ipvsctl.AddService, Service: web, Config: ipvsctl.Service{Scheduler: "wrrr", Engine: "sop"}}
	for _, tt := range []struct {
		op    ipvsctl.Op
		errno unix.Errno
		is    error
		text  string
	}{
		{badScheduler, unix.ENOENT, nil, `scheduler "wrrr" (module ip_vs_wrrr) or the persistence engine "sop" (module ip_vs_pe_sop)`},
		{badScheduler, unix.EEXIST, fs.ErrExist, "already"},
		{reweighs(1)[0], unix.ENOENT, fs.ErrNotExist, "no such real server"},
		{reweighs(1)[0], unix.ESRCH, fs.ErrNotExist, "no such virtual service"},
		{reweighs(1)[0], unix.EPERM, fs.ErrPermission, "CAP_NET_ADMIN"},
		{reweighs(1)[0], unix.ENOMEM, unix.ENOMEM, "cannot allocate memory"},
	} {
		err := explain(tt.op, tt.errno)
		if !strings.Contains(err.Error(), tt.text) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%v: %v", tt.errno, err)
		}
		if tt.is == nil && errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: %v looks like the absence of a row", tt.errno, err)
		}
	}
	if err := explainRead(fmt.Errorf("receive: %w", unix.ENOENT)); errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v looks like the absence of a service", err)
	}
}
