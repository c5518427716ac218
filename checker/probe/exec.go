package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lvsd/lvsd/checker"
)

func init() { registerLocal(checker.Exec{}, compileExec) }

// compileExec returns the run that passes when a program ends with status 0, or with one
// that stands for a weight.
func compileExec(p *Prober, o checker.Exec) (run, error) {
	if p.start == nil {
		return nil, errors.New("programs are not started here")
	}
	free := make(chan struct{}, 1)
	free <- struct{}{}
	return func(ctx context.Context, t checker.Target) (found, error) {
		select {
		case <-free:
		default:
			return found{}, fmt.Errorf("%s has not ended yet, though its time is over", o.Run[0])
		}
		places := p.places
		if len(o.Environment) == 0 {
			places = make(chan struct{}, 1) // It belongs to no server.
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			free <- struct{}{}
			return found{}, notRun(fmt.Errorf("%d programs of other checks are running, which is the limit: lower their timeouts, or raise their intervals", maxPrograms))
		}
		ended, err := p.execute(ctx, o, t.Timeout, func() {
			<-places
			free <- struct{}{}
		})
		switch {
		case err != nil:
			return found{}, err
		case o.StatusWeight && ended.Status >= checker.FirstWeight:
			return found{advice: checker.Advice{Weight: uint16(ended.Status - checker.FirstWeight), Measure: checker.Absolute}}, nil
		case ended.Failure != "":
			return found{}, fmt.Errorf("%s %s", o.Run[0], ended.Failure)
		}
		return found{}, nil
	}, nil
}

// execute runs a program, and calls over when it has ended. A program whose time is over
// is not waited for: it has failed, and how it is ended is nobody's business here.
func (p *Prober) execute(ctx context.Context, o checker.Exec, timeout time.Duration, over func()) (Ended, error) {
	type end struct {
		Ended
		err error
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan end, 1)
	go func() {
		defer cancel()
		ended, err := p.start(running, o, timeout)
		over() // before somebody begins the next one
		done <- end{ended, err}
	}()
	select {
	case e := <-done:
		if e.err != nil {
			return Ended{}, notRun(e.err)
		}
		return e.Ended, nil
	case <-ctx.Done():
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		cancel() // Nobody wants to know any more.
		return Ended{}, notRun(ctx.Err())
	}
	return Ended{}, fmt.Errorf("%s did not end within %v", o.Run[0], timeout)
}
