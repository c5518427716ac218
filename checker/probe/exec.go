package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lvsd/lvsd/checker"
)

func init() { registerLocal(checker.Exec{}, compileExec) }

// compileExec returns the measurement that passes when a program ends with status 0.
func compileExec(p *Prober, o checker.Exec) (measure, error) {
	if p.start == nil {
		return nil, errors.New("programs are not started here")
	}
	free := make(chan struct{}, 1)
	free <- struct{}{}
	return func(ctx context.Context, t checker.Target) (int, error) {
		select {
		case <-free:
		default:
			return 0, fmt.Errorf("%s has not ended yet, though its time is over", o.Run[0])
		}
		return 0, p.execute(ctx, o, t.Timeout, func() { free <- struct{}{} })
	}, nil
}

// execute runs a program, and calls over when it has ended. A program whose time is over
// is not waited for: it has failed, and how it is ended is nobody's business here.
func (p *Prober) execute(ctx context.Context, o checker.Exec, timeout time.Duration, over func()) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		defer cancel()
		failure, err := p.start(running, o, timeout)
		switch {
		case err != nil:
			err = notRun(err)
		case failure != "":
			err = fmt.Errorf("%s %s", o.Run[0], failure)
		}
		over() // before somebody begins the next one
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		cancel() // Nobody wants to know any more.
		return notRun(ctx.Err())
	}
	return fmt.Errorf("%s did not end within %v", o.Run[0], timeout)
}
