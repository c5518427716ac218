package config

import (
	"strconv"
	"time"

	"github.com/lvsd/lvsd/internal/block"
)

// stopTimeout is how long a program that stays has after the end of its input by default.
const stopTimeout = 5 * time.Second

type streamBlock struct {
	programBlock
	stopTimeout time.Duration
}

var streamTable = block.NewTable("stream", func() []block.Entry[streamBlock] {
	options := programOptions(0, func(s *streamBlock) *programBlock { return &s.programBlock })
	run, user, killChildren := options[0], options[1], options[3]
	return []block.Entry[streamBlock]{run, user,
		block.Duration("stop_timeout", "How long the program may go on after the end of its standard input, which comes when lvsd stops or the block is removed or changed. After that it is ended, with everything that it has started.",
			stopTimeout, 100*time.Millisecond, 25*time.Second, func(s *streamBlock) *time.Duration { return &s.stopTimeout }),
		killChildren}
})

// readStream reads a stream, which is s but for what its block says.
func readStream(b *block.Body, s Stream) Stream {
	b.CheckName(0)
	claim(b, streamName, strconv.Quote(b.Labels[0]), b.Head)
	t := streamTable.Read(b)
	p := t.read(b)
	s.Name, s.Run, s.User, s.StopTimeout, s.KillChildren = b.Labels[0], p.Run, p.User, t.stopTimeout, p.KillChildren
	return s
}

// readStreams reads those of another block.
func readStreams(b *block.Body, s Stream) (all []Stream) {
	for inner := range b.Blocks("stream") {
		all = append(all, readStream(inner, s))
	}
	return all
}
