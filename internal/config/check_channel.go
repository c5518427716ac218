package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// A channel is what a check that talks in lines of text goes over.
type channel struct {
	secure bool // there is a tls block, here or in the defaults
	tls    tlsOptions
	start  bool
}

var channelTable = block.NewTable("tls", func() []block.Entry[channel] {
	return append([]block.Entry[channel]{
		block.Flag("starttls", "Begin in plain text, and ask the server for TLS then (STARTTLS, STLS or AUTH TLS, as the protocol calls it). A server that does not offer it fails: somebody on the way may have taken the offer out. If false, TLS is spoken from the first byte.",
			false, func(c *channel) *bool { return &c.start }),
	}, tlsEntries(func(c *channel) *tlsOptions { return &c.tls })...)
})

func channelOption[T any](ref func(*T) *channel) block.Entry[T] {
	return block.Inner("tls", "Speak TLS, and verify the server's certificate, which must be valid for the server's address unless this block says otherwise. It can be empty.", channelTable, ref)
}

// compile works out a channel.
func (c *channel) compile(b *block.Body) checker.Channel {
	if _, given := b.Block("tls"); given {
		c.secure = true
	}
	if !c.secure {
		return checker.Channel{}
	}
	return checker.Channel{TLS: new(c.tls.compile()), StartTLS: c.start}
}
