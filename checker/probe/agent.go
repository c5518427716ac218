package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.Agent{}, compileAgent) }

// compileAgent returns the run that passes when an agent has said something, whatever that
// is: what follows from it depends on what it said before, which is the checker's to know.
func compileAgent(_ *Prober, o checker.Agent) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return func(ctx context.Context, t checker.Target) (found, error) {
		said, err := askAgent(ctx, t, o.Send)
		return found{report: &said, lenient: !o.Required}, err
	}, nil
}

// askAgent returns what an agent says.
func askAgent(ctx context.Context, t checker.Target, send []byte) (checker.Report, error) {
	plain, stream, _, err := connect(ctx, t, nil)
	if err != nil {
		return checker.Report{}, err
	}
	defer plain.Close()
	if len(send) > 0 {
		if _, err := stream.Write(send); err != nil {
			return checker.Report{}, while("sending the request", err)
		}
	}
	line, err := readAgent(stream)
	plain.part(ctx, stream, nil)
	if err != nil {
		return checker.Report{}, err
	}
	return checker.ParseReport(line)
}

// readAgent reads the first line of an agent. One without an end may be a half, as
// "down" of "downgraded" is, and HAProxy does not count it either.
func readAgent(stream io.Reader) (string, error) {
	line := make([]byte, 0, checker.AgentLimit)
	for range maxPieces {
		n, err := stream.Read(line[len(line):cap(line)])
		line = line[:len(line)+n]
		if end := bytes.IndexAny(line, "\r\n"); end >= 0 {
			return string(line[:end]), nil
		}
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return "", fmt.Errorf("%w without an answer", errClosed)
		case errors.Is(err, io.EOF):
			return "", fmt.Errorf("%w in the middle of a line, which begins with %.60q", errClosed, line)
		case err != nil:
			return "", while(waiting(line), err)
		case len(line) == cap(line):
			return "", fmt.Errorf("the agent's line is longer than %d bytes; it begins with %.60q", checker.AgentLimit, line)
		}
	}
	return "", fmt.Errorf("the agent's line came in more than %d pieces; it begins with %.60q", maxPieces, line)
}
