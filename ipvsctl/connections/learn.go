package connections

import (
	"context"
	"errors"
	"fmt"

	"github.com/lvsd/lvsd/ipvsctl"
)

// Learn listens until a whole round has been told of, and returns nil then. It calls begun
// whenever one begins.
func (t *Teller) Learn(ctx context.Context, d ipvsctl.SyncDaemon, begun func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ear, err := t.edge.Listen(ctx, d)
	if err != nil {
		return err
	}
	var round uint64 // the one that began last
	b := make([]byte, markLength+1)
	for {
		n, err := ear.Hear(b)
		if err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("listening to what other directors tell of connections: %w", err))
		}
		switch m, ok := parseMark(b[:n], d.ID); {
		case !ok:
		case !m.ends:
			round = m.round
			begun()
		case m.round == round:
			return nil
		}
	}
}
