//go:build linux

package kernel

import (
	"errors"
	"iter"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A muteSocket is the socket of a kernel that falls silent: it answers so many
// questions about the family, and then nothing.
type muteSocket struct {
	answers  int
	asked    netlink.Message
	deadline time.Time
}

func (s *muteSocket) Close() error                         { return nil }
func (s *muteSocket) Send(m netlink.Message) error         { s.asked = m; return nil }
func (s *muteSocket) SendMessages([]netlink.Message) error { return nil }
func (s *muteSocket) SetDeadline(t time.Time) error        { s.deadline = t; return nil }
func (s *muteSocket) SetReadDeadline(t time.Time) error    { s.deadline = t; return nil }
func (s *muteSocket) SetWriteDeadline(time.Time) error     { return nil }

// Receive waits as a socket does: until its deadline, and without one for ever.
func (s *muteSocket) Receive() ([]netlink.Message, error) {
	if s.answers > 0 && s.asked.Header.Type == unix.GENL_ID_CTRL {
		s.answers--
		family := genetlink.Family{ID: testFamily, Name: familyName, Version: familyVersion}
		return serve(genltest.ServeFamily(family, nil), s.asked)
	}
	if s.deadline.IsZero() {
		select {}
	}
	time.Sleep(time.Until(s.deadline))
	return nil, os.ErrDeadlineExceeded
}

func (s *muteSocket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		messages, err := s.Receive()
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
		if err != nil {
			yield(netlink.Message{}, err)
		}
	}
}

// A kernel that does not answer costs answerTimeout and no more: the reconciler
// tries again, and nothing of the daemon waits for ever.
func TestAKernelThatDoesNotAnswer(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers int // to questions about the family
		ask     func(*Conn) error
	}{
		{"when the socket is opened", 0, func(*Conn) error { return nil }},
		{"when the table is read", 1, func(c *Conn) error { _, err := c.List(t.Context()); return err }},
		{"when the table is written", 1, func(c *Conn) error { _, err := c.Apply(t.Context(), reweighs(3)); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				c, err := DialBy(func() (*netlink.Conn, error) {
					return netlink.NewConn(&muteSocket{answers: tt.answers}, 0), nil
				})
				if err == nil {
					time.Sleep(time.Minute) // the first deadline is long past
					begin = time.Now()
					err = tt.ask(c)
				}
				if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != answerTimeout {
					t.Errorf("%v after %v, want a deadline exceeded after %v", err, took, answerTimeout)
				}
			})
		})
	}
}
