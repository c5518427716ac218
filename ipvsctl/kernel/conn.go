//go:build linux

package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/ipvsctl"
)

const (
	// The most requests in one sendmsg.
	batchSize = 500

	// The usual length of a request, in bytes.
	requestSize = 160

	// The socket's buffers, in bytes. The kernel answers every refused request
	// of a batch before we read the first answer, and charges about 1 kB for
	// each answer; the batch itself takes about 150 B per request.
	readBuffer  = 4 << 20
	writeBuffer = 1 << 20

	// The longest datagram that we read, in bytes: a dump of the kernel has at
	// most 32 kB in one. Without a fixed length each is received twice, the
	// first time to learn its length.
	messageBuffer = 64 << 10

	// How long to wait for an answer. The kernel answers while we send, so a
	// longer silence means that the answer was lost.
	answerTimeout = 10 * time.Second
)

var _ ipvsctl.Kernel = (*Conn)(nil)

// A Conn is a connection to the IPVS table of one network namespace, the one
// that the calling thread was in when it dialed. After an exchange failed it
// connects again by itself, in the namespace that the thread is in then. Its
// methods must not be called concurrently.
type Conn struct {
	dial   func() (*netlink.Conn, error)
	nl     *netlink.Conn // nil after an exchange failed
	family uint16
}

// Dial connects to the IPVS table of this network namespace. The kernel loads
// the module by itself where it can; where it cannot, the error is
// ipvsctl.ErrNoIPVS.
func Dial() (*Conn, error) {
	return DialBy(func() (*netlink.Conn, error) {
		nl, err := netlink.Dial(unix.NETLINK_GENERIC, &netlink.Config{MessageBufferSize: messageBuffer})
		if err != nil {
			return nil, err
		}
		// Exchanges work without these until they are large.
		err = errors.Join(nl.SetReadBuffer(readBuffer), nl.SetWriteBuffer(writeBuffer),
			nl.SetOption(netlink.CapAcknowledge, true))
		if err != nil {
			_ = nl.Close()
			return nil, err
		}
		return nl, nil
	})
}

// DialBy is Dial by sockets of generic netlink that dial opens.
func DialBy(dial func() (*netlink.Conn, error)) (*Conn, error) {
	c := &Conn{dial: dial}
	if err := c.connect(); err != nil {
		return nil, fault.Of(err)
	}
	return c, nil
}

// connect opens the socket if it is not open, and asks for the family's number,
// which is another one after the module was loaded again.
func (c *Conn) connect() error {
	if c.nl != nil {
		return nil
	}
	nl, err := c.dial()
	if err != nil {
		return fmt.Errorf("opening a generic netlink socket: %w", err)
	}
	_ = nl.SetDeadline(time.Now().Add(answerTimeout))
	f, err := genetlink.NewConn(nl).GetFamily(familyName)
	if err != nil {
		_ = nl.Close()
		if errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.NoIPVS, fmt.Errorf("%w: load its module with \"modprobe ip_vs\", or install a kernel that has it (CONFIG_IP_VS)", ipvsctl.ErrNoIPVS))
		}
		err = fmt.Errorf("asking the kernel for the netlink family %s: %w", familyName, err)
		if op := (*netlink.OpError)(nil); !errors.As(err, &op) { // The answer cannot be read.
			return fault.New(fault.CutShort, err)
		}
		return err
	}
	c.nl, c.family = nl, f.ID
	return nil
}

// Close closes the connection.
func (c *Conn) Close() error {
	if c.nl == nil {
		return nil
	}
	nl := c.nl
	c.nl = nil
	return nl.Close()
}

// exchange sends and receives by way of talk. If that fails, late answers may
// still be under way, so the next exchange gets a new socket.
func (c *Conn) exchange(ctx context.Context, talk func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.connect(); err != nil {
		return fault.Of(err)
	}
	end := time.Now().Add(answerTimeout)
	if sooner, ok := ctx.Deadline(); ok && sooner.Before(end) {
		end = sooner
	}
	// This fails only on a closed socket, and then so does talk.
	_ = c.nl.SetDeadline(end)
	err := talk()
	if err != nil && !errors.Is(err, errNoService) {
		_ = c.Close()
	}
	return fault.Of(err)
}

func (c *Conn) message(flags netlink.HeaderFlags, body []byte) netlink.Message {
	return netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(c.family), Flags: netlink.Request | flags},
		Data:   body,
	}
}

// ask sends one request and calls each with every message of the answer, as it
// comes: a dump of a large table is never in memory as a whole.
func (c *Conn) ask(ctx context.Context, flags netlink.HeaderFlags, body request, each func(body []byte) error) error {
	return c.exchange(ctx, func() error {
		sent, err := c.nl.Send(c.message(flags, body))
		if err != nil {
			return explainRead(err)
		}
		answer := make([]netlink.Message, 1)
		for m, err := range c.nl.ReceiveIter() {
			if err == nil {
				answer[0] = m
				err = netlink.Validate(sent, answer)
			}
			if err == nil && m.Header.Flags&netlink.DumpInterrupted != 0 {
				err = fault.New(fault.CutShort, errors.New("the table was changed while the kernel listed it"))
			}
			if err != nil {
				return explainRead(err)
			}
			if err := each(m.Data); err != nil {
				return err
			}
		}
		return nil
	})
}

// Services calls each with every service and the packets that have come for it, without
// its real servers.
func (c *Conn) Services(ctx context.Context, each func(ipvsctl.ServiceKey, ipvsctl.Service, uint64)) error {
	var all request
	all.command(cmdGetService)
	err := c.ask(ctx, netlink.Dump, all, func(body []byte) error {
		key, svc, total, err := decodeService(body)
		if err == nil {
			each(key, svc, total.PacketsIn)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("listing the virtual services: %w", err)
	}
	return nil
}

// List reads the whole table, with one exchange for the services and one for
// each of them.
func (c *Conn) List(ctx context.Context) (ipvsctl.Table, error) {
	table := ipvsctl.Table{}
	err := c.Services(ctx, func(key ipvsctl.ServiceKey, svc ipvsctl.Service, _ uint64) {
		table[key] = ipvsctl.VirtualService{Service: svc}
	})
	if err != nil {
		return nil, err
	}
	for key, vs := range table {
		if table[key], _, err = c.destinations(ctx, key, vs.Service, ipvsctl.Counters{}); err != nil {
			return nil, err
		}
	}
	return table, nil
}

// Read reads one service. The error is fs.ErrNotExist where there is no such
// service.
func (c *Conn) Read(ctx context.Context, key ipvsctl.ServiceKey) (ipvsctl.VirtualService, ipvsctl.Rows[ipvsctl.Counters], error) {
	// For a service that does not exist, the kernel answers that it has no
	// destinations, so the service has to be asked for first.
	var svc ipvsctl.Service
	var total ipvsctl.Counters
	err := c.ask(ctx, 0, question(cmdGetService, key), func(body []byte) (err error) {
		_, svc, total, err = decodeService(body)
		return err
	})
	if err != nil {
		return ipvsctl.VirtualService{}, nil, fmt.Errorf("reading the service %v: %w", key, err)
	}
	return c.destinations(ctx, key, svc, total)
}

// Destinations reads the real servers of one service. Of one that does not exist there
// are none.
func (c *Conn) Destinations(ctx context.Context, key ipvsctl.ServiceKey) (ipvsctl.Rows[ipvsctl.Destination], error) {
	vs, _, err := c.destinations(ctx, key, ipvsctl.Service{}, ipvsctl.Counters{})
	return vs.Destinations, err
}

func (c *Conn) destinations(ctx context.Context, key ipvsctl.ServiceKey, svc ipvsctl.Service, total ipvsctl.Counters) (ipvsctl.VirtualService, ipvsctl.Rows[ipvsctl.Counters], error) {
	var rows []ipvsctl.Row[ipvsctl.Destination]
	counters := []ipvsctl.Row[ipvsctl.Counters]{{Value: total}}
	err := c.ask(ctx, netlink.Dump, question(cmdGetDest, key), func(body []byte) error {
		s, err := decodeDestination(body, key.Addr)
		rows = append(rows, ipvsctl.Row[ipvsctl.Destination]{Key: s.key, Value: s.dest})
		counters = append(counters, ipvsctl.Row[ipvsctl.Counters]{Key: s.key, Value: s.counters})
		return err
	})
	if err != nil {
		return ipvsctl.VirtualService{}, nil, fmt.Errorf("reading the real servers of %v: %w", key, err)
	}
	return ipvsctl.VirtualService{Service: svc, Destinations: ipvsctl.RowsOf(rows)}, ipvsctl.RowsOf(counters), nil
}

// Apply carries the operations out in batches.
func (c *Conn) Apply(ctx context.Context, ops []ipvsctl.Op) ([]ipvsctl.Failure, error) {
	var failures []ipvsctl.Failure
	done := 0
	for batch := range slices.Chunk(ops, batchSize) {
		var refused []ipvsctl.Failure
		err := c.exchange(ctx, func() (err error) {
			refused, err = c.batch(batch)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("writing the IPVS table, after %d of %d operations: %w", done, len(ops), err)
		}
		for _, f := range refused {
			failures = append(failures, ipvsctl.Failure{Index: done + f.Index, Err: f.Err})
		}
		done += len(batch)
	}
	return failures, nil
}

// batch sends the operations together and collects the refusals until the last
// operation is answered.
func (c *Conn) batch(ops []ipvsctl.Op) ([]ipvsctl.Failure, error) {
	requests := make([]netlink.Message, len(ops))
	bodies := make(request, 0, len(ops)*requestSize)
	for i, op := range ops {
		start := len(bodies)
		var err error
		if bodies, err = encode(bodies, op); err != nil {
			return nil, fmt.Errorf("%v: %w", op, err)
		}
		requests[i] = c.message(0, bodies[start:])
	}
	last := len(ops) - 1
	requests[last].Header.Flags |= netlink.Acknowledge
	sent, err := c.nl.SendMessages(requests)
	if err != nil {
		return nil, err
	}
	first := sent[0].Header.Sequence
	var failures []ipvsctl.Failure
	for {
		i, refusal, err := c.answer(first)
		switch {
		case err != nil:
			return nil, err
		case i > last:
			return nil, errors.New("the kernel answered a request that was not made")
		case refusal != nil:
			failures = append(failures, ipvsctl.Failure{Index: i, Err: fault.Of(explain(ops[i], refusal))})
		}
		if i == last {
			return failures, nil
		}
	}
}

// answer receives one answer to a batch whose first request had the sequence
// number first. It returns the index of the request that was answered, and the
// refusal if it was refused.
func (c *Conn) answer(first uint32) (index int, refusal, err error) {
	answers, err := c.nl.Receive()
	var op *netlink.OpError
	switch {
	case err == nil && len(answers) == 1:
		return int(answers[0].Header.Sequence - first), nil, nil
	case err == nil:
		return 0, nil, fmt.Errorf("the kernel sent %d messages where one acknowledgement was due", len(answers))
	case errors.As(err, &op) && op.Sequence != 0:
		return int(op.Sequence - first), op.Err, nil
	default:
		return 0, nil, err
	}
}
